package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/freshet-stream/freshet"
)

// offset returns the n-th offset of the stream that scripts tell of.
func offset(n int) string { return freshet.Offset{Seq: uint64(n), Mark: 0xfeed}.String() }

// A reply answers one request.
type reply func(r *http.Request) (*http.Response, error)

// A script is a server that misbehaves as it is told. It answers HEAD by itself,
// with contentType, and everything else with the next reply.
type script struct {
	t           *testing.T
	contentType string
	head        reply
	replies     []reply
	// asked are the requests that replies have answered.
	asked  []*http.Request
	bodies []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodHead {
		if s.head != nil {
			return s.head(r)
		}
		return answer(200, "Content-Type", s.contentType, "Stream-Next-Offset", offset(9))(r)
	}
	n := len(s.asked)
	s.asked = append(s.asked, r)
	body := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}
	s.bodies = append(s.bodies, body)
	if n >= len(s.replies) {
		s.t.Errorf("unexpected request %d: %s %s", n, r.Method, r.URL)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return s.replies[n](r)
}

// run plays a script in a bubble of its own.
func play(t *testing.T, contentType string, test func(t *testing.T, c *Client, s *script), replies ...reply) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, contentType: contentType, replies: replies}
		c, err := New("http://freshet.test/base/", Options{HTTPClient: &http.Client{Transport: s}})
		if err != nil {
			t.Fatal(err)
		}
		test(t, c, s)
		if len(s.asked) < len(s.replies) {
			t.Errorf("asked %d times, not %d", len(s.asked), len(s.replies))
		}
	})
}

// answer replies with a status and headers, and no body.
func answer(status int, headers ...string) reply { return content(status, "", headers...) }

// content replies with a whole body.
func content(status int, body string, headers ...string) reply {
	return func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}
		for i := 0; i < len(headers); i += 2 {
			resp.Header.Set(headers[i], headers[i+1])
		}
		return resp, nil
	}
}

// refuse replies with problem details.
func refuse(status int, err *freshet.Error, headers ...string) reply {
	body := fmt.Sprintf(`{"title":"No","detail":%q,"code":%q,"status":%d}`, err.Detail, err.Code, status)
	return content(status, body, append(headers, "Content-Type", "application/problem+json")...)
}

// fail replies with an error of the network.
func fail(err error) reply {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

var errCut = errors.New("connection reset by peer")

// A live is the body of a response that a script writes bit by bit.
type live struct {
	ctx context.Context
	*io.PipeWriter
}

func (l *live) say(text string) { _, _ = io.WriteString(l, text) }

// events replies with an event stream that write writes. Unless write closes
// it, its end is a clean one.
func events(write func(l *live), headers ...string) reply {
	return func(r *http.Request) (*http.Response, error) {
		in, out := io.Pipe()
		go func() {
			defer out.Close()
			write(&live{r.Context(), out})
		}()
		resp, _ := answer(200, append(headers, "Content-Type", "text/event-stream")...)(r)
		resp.Body = &body{PipeReader: in, stop: context.AfterFunc(r.Context(), func() { in.CloseWithError(r.Context().Err()) })}
		return resp, nil
	}
}

// say replies with an event stream and then cuts it, or ends it cleanly if cut
// is nil.
func say(text string, cut error) reply {
	return events(func(l *live) {
		l.say(text)
		l.CloseWithError(cut)
	})
}

type body struct {
	*io.PipeReader
	stop func() bool
}

func (b *body) Close() error {
	b.stop()
	return b.PipeReader.Close()
}

// event is a block with JSON text as data.
func event(n int, data string) string { return fmt.Sprintf("data: %q\nid: %s\n\n", data, offset(n)) }

func at(n int) string { return "retry: 1000\nid: " + offset(n) + "\n\n" }

func closed(n int, reason string) string {
	return fmt.Sprintf("event: stream-closed\ndata: {\"reason\":%q}\nid: %s-end\n\n", reason, offset(n))
}

// readAll follows to the end and returns the data joined by |.
func readAll(f *Follower) (string, error) {
	var out []string
	for {
		record, err := f.Next()
		if err != nil {
			return strings.Join(out, "|"), err
		}
		out = append(out, string(record.Data))
	}
}
