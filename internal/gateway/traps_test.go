package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

// says returns an upstream that answers with a text and ends, whatever is asked.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, text)
	})
}

// Signs of life are comments and no blocks: the SDKs for Python take an empty line
// after an id for an event without data, and fail.
func TestHeartbeat(t *testing.T) {
	r := newRig(t, 1, func(o *server.Options) { o.Heartbeat = time.Millisecond })
	response := r.post(0, chat, question(chat, "tokens=5 stall=3"))
	in := bufio.NewReader(response.Body)
	for beats, last := 0, ""; beats < 3; {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\n" && strings.HasPrefix(last, ":") {
			t.Fatal("a comment is followed by an empty line")
		}
		if last = line; strings.HasPrefix(line, ":") {
			beats++
		}
	}
	r.origin.Resume()
	if got := read(t, response); !strings.Contains(got, "[DONE]") {
		t.Errorf("got %s", got)
	}
}

// What the upstream sends beside data does not harm the SDKs: events without data
// are not told, comments and retry are left out, the event's own id is replaced.
func TestOddEvents(t *testing.T) {
	r := newRigBefore(t, 1, says(": hello\nretry: 5\n\nevent: ping\n\ndata:\n\nid: 7\ndata:  {\"a\":\t1} \ndata: x\n\ndata: [DONE]\n\ndata: late\n\n"))
	got := read(t, r.post(0, chat, `{"stream":true}`))
	if want := "data:  {\"a\":\t1} \ndata: x\n\ndata: [DONE]\n\n"; told(got) != want || strings.Contains(got, "id: 7\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Events that cannot be recorded end the answer as failed, in-band, and at once:
// whatever the upstream has still to say, and if it has nothing.
func TestEventsThatCannotBeRecorded(t *testing.T) {
	for what, event := range map[string]string{
		"a type of the server's": "event: stream-closed\ndata: {}\n\n",
		"too large":              "data: " + strings.Repeat("x", 2000) + "\n\n",
	} {
		for _, after := range []string{"data: [DONE]\n\n", ""} {
			upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				says("data: {}\n\n"+event+after).ServeHTTP(w, r)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			r := newRigBefore(t, 1, upstream, func(o *server.Options) { o.Limits.Record, o.UpstreamStall = 1000, time.Hour })
			response := r.post(0, chat, `{"stream":true}`)
			got := read(t, response)
			if !strings.Contains(got, `"error":{`) || strings.Contains(got, "[DONE]") {
				t.Errorf("%s: got %s", what, got)
			}
			if closed := r.end(streamOf(t, response)); closed.Reason != freshet.Failed {
				t.Errorf("%s: closed as %s", what, closed.Reason)
			}
		}
	}
}

// A 2xx that is no stream of events is passed on as it is, and is replayed.
func TestAnswerThatIsNoEventStream(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"whole":true}`)
	})
	r := newRigBefore(t, 2, upstream)
	for i := range r.urls {
		response := r.post(i, chat, `{"stream":true}`, "Idempotency-Key", "k")
		if got := read(t, response); got != `{"whole":true}` || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s %v", got, response.Header)
		}
	}
}

// A generation that ends before its upstream's head: those who wait are told, in
// a way upon which clients do what is right.
func TestEndBeforeTheHead(t *testing.T) {
	upstream := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// net/http notices that a client has left once its body is read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	for reason, status := range map[freshet.Reason]int{
		freshet.Cancelled:   http.StatusOK, // nobody asks again who has stopped it
		freshet.Interrupted: http.StatusServiceUnavailable,
	} {
		r := newRigBefore(t, 2, upstream)
		answers := make(chan *http.Response, 1)
		go func() {
			request, _ := http.NewRequestWithContext(t.Context(), "POST", r.urls[0]+chat, strings.NewReader(`{"stream":true}`))
			response, err := r.client.Do(request)
			if err != nil {
				t.Error(err)
			}
			answers <- response
		}()
		var name string
		await(t, func() bool {
			infos, err := r.store.List(t.Context(), "gen/", "", 1)
			if err == nil && len(infos) > 0 {
				name = infos[0].Name
			}
			return name != ""
		})
		if _, err := r.servers[1].Append(t.Context(), name, freshet.Append{Close: &freshet.Closing{Reason: reason}}); err != nil {
			t.Fatal(err)
		}
		response := <-answers
		defer response.Body.Close()
		if got := read(t, response); response.StatusCode != status || !strings.Contains(got, "cancelled") && status == http.StatusOK {
			t.Errorf("%s: got %s %s", reason, response.Status, got)
		}
	}
}
