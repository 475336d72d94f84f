package gateway_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

// dataOf returns what is after "data:" and its one space in each line of an answer.
func dataOf(answer string) (data []string) {
	for line := range strings.Lines(answer) {
		if value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "data:"); ok {
			data = append(data, strings.TrimPrefix(value, " "))
		}
	}
	return data
}

// However an upstream writes its events, what it says after "data:" is told byte
// for byte, up to the event that ends the answer. Bytes that are no UTF-8 are told
// as every reader of such a stream reads them.
func TestOddStreams(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1<<16)
	for what, c := range map[string]struct {
		sent string
		want []string
	}{
		"CRLF":             {"event: a\r\ndata: 1\r\n\r\ndata: [DONE]\r\n\r\n", []string{"1", "[DONE]"}},
		"CR":               {"data: 1\r\rdata: [DONE]\r\r", []string{"1", "[DONE]"}},
		"mixed ends":       {"data: 1\r\ndata: 2\rdata: 3\n\r\ndata: [DONE]\n\n", []string{"1", "2", "3", "[DONE]"}},
		"a BOM":            {"\ufeffdata: 1\n\ndata: \ufeff2\n\ndata: [DONE]\n\n", []string{"1", "\ufeff2", "[DONE]"}},
		"comments":         {":\n\ndata: {\n: between\ndata: }\n:\n\n: x\n\ndata: [DONE]\n\n", []string{"{", "}", "[DONE]"}},
		"unknown fields":   {"x: y\ndata: 1\ndat\ntime: 5\n\ndata: [DONE]\n\n", []string{"1", "[DONE]"}},
		"spaces":           {"data:1\n\ndata:  2\t \n\ndata: [DONE]\n\n", []string{"1", " 2\t ", "[DONE]"}},
		"empty lines":      {"data: 1\ndata\ndata:\ndata: 2\n\ndata: [DONE]\n\n", []string{"1", "", "", "2", "[DONE]"}},
		"odd bytes":        {"data: \x00\x01\xff\xc3\u2028\n\ndata: [DONE]\n\n", []string{"\x00\x01\ufffd\ufffd\u2028", "[DONE]"}},
		"1 MiB":            {"data: " + long + "\n\ndata: [DONE]\n\n", []string{long, "[DONE]"}},
		"two ends":         {"data: 1\n\ndata: [DONE]\n\ndata: [DONE]\n\n", []string{"1", "[DONE]"}},
		"bytes after it":   {"data: 1\n\ndata: [DONE]\n\n\x00garbage", []string{"1", "[DONE]"}},
		"an error after":   {"data: 1\n\ndata: [DONE]\n\ndata: {\"error\":{}}\n\n", []string{"1", "[DONE]"}},
		"an id with NUL":   {"id: a\x00b\ndata: 1\n\ndata: [DONE]\n\n", []string{"1", "[DONE]"}},
		"retry in between": {"retry: 0\ndata: 1\n\nretry: 99999999999\n\ndata: [DONE]\n\n", []string{"1", "[DONE]"}},
	} {
		r := newRigBefore(t, 1, says(c.sent))
		response := r.post(0, chat, `{"stream":true}`)
		got := read(t, response)
		if !slices.Equal(dataOf(got), c.want) {
			t.Errorf("%s: got %.200q, want %.200q", what, dataOf(got), c.want)
		}
		if closed := r.end(streamOf(t, response)); closed.Reason != freshet.Completed {
			t.Errorf("%s: closed as %s", what, closed.Reason)
		}
		if again := read(t, r.post(0, chat, "", "Last-Event-ID", idOf(t, events(got)[0]))); events(got)[0]+again != got {
			t.Errorf("%s: after the first event got %.200q, want %.200q", what, again, got)
		}
	}
}

// What is only half an event when the body ends is not told; that it ended too
// early is.
func TestHalfAnEvent(t *testing.T) {
	for _, half := range []string{"data: {\"half\":", "data: {\"half\":1}\n", "da", "event: x\n", "data: [DONE", "event: error\ndata: {\"half\":"} {
		r := newRigBefore(t, 1, says("data: 1\n\n"+half))
		response := r.post(0, chat, `{"stream":true}`)
		got := dataOf(read(t, response))
		if len(got) != 2 || got[0] != "1" || !strings.Contains(got[1], `"code":"upstream_`) || strings.Contains(got[1], "half") {
			t.Errorf("%q: got %q", half, got)
		}
		if closed := r.end(streamOf(t, response)); closed.Reason != freshet.Failed {
			t.Errorf("%q: closed as %s", half, closed.Reason)
		}
	}
}

// The event that ends an answer is told although the body ends before its empty
// line: clients do not miss that, and the answer is whole.
func TestEndWithoutEmptyLine(t *testing.T) {
	const message = "/v1/messages"
	for _, c := range []struct {
		path, end string
		reason    freshet.Reason
	}{
		{chat, "data: [DONE]\n", freshet.Completed},
		{chat, "data: [DONE]\r\n", freshet.Completed},
		{chat, "data: [DONE]", freshet.Completed},
		{chat, "data: {\"error\":{\"message\":\"no\"}}", freshet.Failed},
		{message, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n", freshet.Completed},
		{message, "event: error\ndata: {\"type\":\"error\"}", freshet.Failed},
		{"/v1/responses", "data: {\"type\":\"response.completed\"}", freshet.Completed},
	} {
		r := newRigBefore(t, 1, says("data: 1\n\n"+c.end))
		response := r.post(0, c.path, `{"stream":true}`)
		if got, want := dataOf(read(t, response)), append([]string{"1"}, dataOf(c.end)...); !slices.Equal(got, trimmed(want)) {
			t.Errorf("%q: got %q", c.end, got)
		}
		if closed := r.end(streamOf(t, response)); closed.Reason != c.reason {
			t.Errorf("%q: closed as %s", c.end, closed.Reason)
		}
	}
}

func trimmed(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return lines
}

// compressed returns an upstream that compresses its answers although it was asked
// not to, and sends each piece when it is told to.
func compressed(contentType string, let <-chan struct{}, pieces ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" {
			http.Error(w, "compression was asked for", http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for _, piece := range pieces {
			select {
			case <-let:
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(z, piece)
			_ = z.Flush()
			_ = http.NewResponseController(w).Flush()
		}
		_ = z.Close()
	})
}

// An answer that is compressed unasked is told as it was before, each event as it
// comes; one in a way that is not known is no answer.
func TestCompressedUnasked(t *testing.T) {
	let := make(chan struct{}, 1)
	r := newRigBefore(t, 1, compressed("text/event-stream", let, "data: 1\n\n", "data: [DONE]\n\n"))
	let <- struct{}{}
	response := r.post(0, chat, `{"stream":true}`)
	if got := dataOf(readEvents(t, response, 1)[0]); !slices.Equal(got, []string{"1"}) || response.Header.Get("Content-Encoding") != "" {
		t.Errorf("got %q, %v", got, response.Header)
	}
	let <- struct{}{}
	if got := dataOf(read(t, response)); !slices.Equal(got, []string{"[DONE]"}) {
		t.Errorf("got %q", got)
	}
	for _, body := range []string{`{"stream":true}`, `{}`} {
		r := newRigBefore(t, 1, compressed("application/json", let, `{"whole":true}`))
		let <- struct{}{}
		if got := read(t, r.post(0, chat, body)); got != `{"whole":true}` {
			t.Errorf("%s: got %q", body, got)
		}
		r = newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			fmt.Fprint(w, "?")
		}))
		if got := r.post(0, chat, body); got.StatusCode != http.StatusBadGateway {
			t.Errorf("%s: an unknown coding is answered by %s", body, got.Status)
		}
	}
}

// A question that is compressed is asked as it was before, and is the same as one
// that is not; it is bounded by what it was, and has to be whole.
func TestCompressedQuestion(t *testing.T) {
	r := newRig(t, 1, func(o *server.Options) { o.Limits.Append = 4 << 10 })
	packed := func(body string) string {
		var b strings.Builder
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, body)
		_ = z.Close()
		return b.String()
	}
	body := question(chat, "tokens=3")
	want := r.direct(chat, body)
	for _, headers := range [][]string{{"Content-Encoding", "gzip"}, {"Content-Encoding", "identity"}} {
		sent := body
		if headers[1] == "gzip" {
			sent = packed(body)
		}
		if got := read(t, r.post(0, chat, sent, append(headers, "Idempotency-Key", "k")...)); told(got) != want {
			t.Errorf("%s: got %q", headers, got)
		}
	}
	if n := r.origin.Counts().Requests; n != 2 {
		t.Errorf("the upstream was asked %d times instead of 2", n)
	}
	for sent, status := range map[string]int{
		packed(question(chat, strings.Repeat("x", 8<<10))): http.StatusRequestEntityTooLarge,
		packed(body)[:30]: http.StatusBadRequest,
		body:              http.StatusBadRequest,
	} {
		if got := r.post(0, chat, sent, "Content-Encoding", "gzip"); got.StatusCode != status {
			t.Errorf("got %s, want %d", got.Status, status)
		}
	}
	if got := r.post(0, chat, body, "Content-Encoding", "zstd"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("zstd: got %s", got.Status)
	}
}

// An upstream of HTTP/1.0, whose body ends with its connection, and answers
// without a body are told as they are.
func TestOddHeads(t *testing.T) {
	for what, c := range map[string]struct {
		sent   string
		status int
		body   []string
		reason freshet.Reason
	}{
		"HTTP/1.0":             {"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: [DONE]\n\n", 200, []string{"1", "[DONE]"}, freshet.Completed},
		"no content":           {"HTTP/1.1 204 No Content\r\n\r\n", 204, nil, freshet.Completed},
		"an empty body":        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, nil, freshet.Completed},
		"hints before":         {"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\ndata: [DONE]\n\n", 200, []string{"[DONE]"}, freshet.Completed},
		"events that are none": {"HTTP/1.1 429 Slow Down\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n", 429, []string{"1"}, freshet.Failed},
		"no HTTP":              {"nonsense\r\n\r\n", 502, nil, freshet.Failed},
	} {
		r := newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, c.sent)
		}))
		response := r.post(0, chat, `{"stream":true}`)
		if got := dataOf(read(t, response)); !slices.Equal(got, c.body) || response.StatusCode != c.status {
			t.Errorf("%s: got %s %q", what, response.Status, got)
		}
		if closed := r.end(streamOf(t, response)); closed.Reason != c.reason {
			t.Errorf("%s: closed as %s", what, closed.Reason)
		}
	}
}
