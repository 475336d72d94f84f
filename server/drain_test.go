package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

func (s *site) drain() {
	s.Helper()
	if err := s.Drain(s.Context()); err != nil {
		s.Errorf("drain: %v", err)
	}
}

// An EventSource takes any status but 200 for the end, and balancers make a 502
// of a connection that ends without an answer. So those who come while there is
// nothing left to wait for are served, told where they are, and cut.
func TestFollowersThatComeAfterTheDrain(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.create("s", "text/plain", "x", nil)
		s.drain()
		for name, response := range map[string]*http.Response{
			"SSE":      s.ask("GET", "/v1/stream/s", ""),
			"a set":    s.ask("POST", "/v1/follow", `{"streams":[{"stream":"s"}]}`),
			"live=sse": s.ask("GET", "/v1/stream/s?live=sse&offset=-1", ""),
			"waiting":  s.ask("GET", "/v1/stream/later?wait=60", ""),
		} {
			got, err := io.ReadAll(response.Body)
			if response.StatusCode != http.StatusOK || err == nil {
				t.Errorf("%s: got %s, %q, error %v", name, response.Status, got, err)
			}
			if name == "SSE" && (!bytes.Contains(got, []byte("retry:")) || !bytes.Contains(got, []byte("id:"))) {
				t.Errorf("%s: got %q", name, got)
			}
		}
		info, _ := s.Info(t.Context(), "s")
		response := s.ask("GET", "/v1/stream/s?live=long-poll&offset="+info.Tail.String(), "")
		if response.StatusCode != http.StatusNoContent || response.Header.Get("Stream-Next-Offset") != info.Tail.String() {
			t.Errorf("a long-poll gets %s %v", response.Status, response.Header)
		}
		if response := s.ask("GET", "/v1/stream/s?offset=-1", ""); response.StatusCode != http.StatusOK {
			t.Errorf("a read gets %s", response.Status)
		}
		if strings.HasPrefix(s.url, "https") && response.ProtoMajor == 1 {
			c, _, err := websocket.Dial(t.Context(), s.url+"/v1/stream/s", &websocket.DialOptions{HTTPClient: s.client})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			for err == nil {
				_, _, err = c.Read(t.Context())
			}
			if websocket.CloseStatus(err) != websocket.StatusServiceRestart {
				t.Errorf("a WebSocket ends by %v", err)
			}
		}
	})
}

// Once a server is not ready any more, clients are asked to connect anew.
func TestUnreadyConnectionsAreNotUsedAgain(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		reused := func() (reused bool) {
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
			})
			r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/streams", nil)
			response, err := s.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if _, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
				t.Errorf("got %s, error %v", response.Status, err)
			}
			return reused
		}
		reused()
		if !reused() {
			t.Fatal("connections are never used again")
		}
		s.Unready()
		reused()
		eventually(t, "a connection is new", func() bool { return !reused() })
	})
}

// A long-poll is answered as when its time is over.
func TestDrainAnswersLongPolls(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.create("s", "text/plain", "x", nil)
		info, _ := s.Info(t.Context(), "s")
		r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+"/v1/stream/s?live=long-poll&offset="+info.Tail.String(), nil)
		answers := make(chan *http.Response, 1)
		go func() {
			defer close(answers)
			response, err := s.client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = response.Body.Close()
			answers <- response
		}()
		eventually(t, "it waits", func() bool { return s.Stats().Followers == 1 })
		s.drain()
		response := <-answers
		if response == nil || response.StatusCode != http.StatusNoContent ||
			response.Header.Get("Stream-Next-Offset") != info.Tail.String() || response.Header.Get("Stream-Cursor") == "" {
			t.Fatalf("got %+v", response)
		}
		if response.ProtoMajor == 1 && !response.Close {
			t.Error("the connection is to be used again")
		}
	})
}

// An endless is a request body that goes on until it is closed.
type endless struct {
	*io.PipeReader
	w *io.PipeWriter
}

func newEndless(t *testing.T) *endless {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return &endless{r, w}
}

// A body that is appended while it arrives is answered at a record's end, with
// how far it got; the rest lands on another server, and nothing twice.
func TestDrainAnswersStreamedBodies(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		type answer struct {
			*http.Response
			body string
			err  error
		}
		post := func(name, contentType string, body io.Reader, headers ...string) <-chan answer {
			answers := make(chan answer, 1)
			go func() {
				r, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/stream/"+name, body)
				r.Header.Set("Content-Type", contentType)
				for i := 0; i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
				response, err := s.client.Do(r)
				if err != nil {
					answers <- answer{err: err}
					return
				}
				defer response.Body.Close()
				content, err := io.ReadAll(response.Body)
				answers <- answer{response, string(content), err}
			}()
			return answers
		}
		tails := func(names ...string) (total uint64) {
			for _, name := range names {
				if info, err := s.Info(t.Context(), name); err == nil {
					total += info.Tail.Seq
				}
			}
			return total
		}
		s.create("lines", "application/json", "0", nil)
		s.create("text", "text/plain", "0", nil)
		s.create("silent", "text/plain", "0", nil)
		lines, text, silent := newEndless(t), newEndless(t), newEndless(t)
		asLines := []string{"Producer-Id", "p", "Producer-Epoch", "0", "Producer-Seq", "0"}
		ofLines := post("lines", "application/x-ndjson", lines, asLines...)
		ofText := post("text", "text/plain", text, "Stream-Closed", "true")
		ofSilent := post("silent", "text/plain", silent)
		_, _ = io.WriteString(lines.w, "1\n2\n3\n4")
		_, _ = io.WriteString(text.w, "abc")
		eventually(t, "what was sent is appended", func() bool { return tails("lines", "text") == 6 })
		s.drain()

		got := <-ofLines
		if got.err != nil || got.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("lines: %+v", got)
		}
		info, _ := s.Info(t.Context(), "lines")
		for name, want := range map[string]string{
			"Freshet-Appended": "records=3", "Producer-Seq": "2", "Producer-Epoch": "0",
			"Stream-Next-Offset": info.Tail.String(), "Retry-After": "1",
		} {
			if got.Header.Get(name) != want {
				t.Errorf("lines: %s is %q, want %q", name, got.Header.Get(name), want)
			}
		}
		if got.ProtoMajor == 1 && !got.Close {
			t.Error("lines: the connection is to be used again")
		}
		if !strings.Contains(got.body, `"shutting_down"`) || !strings.Contains(got.body, "records=3") {
			t.Errorf("lines: %s", got.body)
		}
		if got := <-ofText; got.err != nil || got.Header.Get("Freshet-Appended") != "bytes=3" {
			t.Errorf("text: %+v", got)
		}
		if info, _ := s.Info(t.Context(), "text"); info.Closed != nil {
			t.Error("text: half a body has closed the stream")
		}
		if got := <-ofSilent; got.err != nil || got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Freshet-Appended") != "bytes=0" {
			t.Errorf("silent: %+v", got)
		}
		// As another server would, this one takes the rest, or all of it again.
		if again := <-post("lines", "application/x-ndjson", strings.NewReader("1\n2\n3\n4\n5\n"), asLines...); again.err != nil || again.StatusCode != http.StatusOK {
			t.Errorf("again: %+v", again)
		}
		if all, _ := io.ReadAll(s.ask("GET", "/v1/stream/lines?live=&offset=-1", "").Body); string(all) != "[0,1,2,3,4,5]" {
			t.Errorf("the stream is %s", all)
		}
	})
}

// A generation either finishes within the grace or is closed as interrupted.
func TestDrainGivesGenerationsAGrace(t *testing.T) {
	for name, tt := range map[string]struct {
		grace time.Duration
		want  freshet.Reason
	}{
		"enough": {time.Minute, freshet.Completed},
		"none":   {-1, freshet.Interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New(memstore.Options{})
			defer store.Close()
			var log bytes.Buffer
			s, err := server.New(server.Options{
				Store: store, Page: http.NotFoundHandler(), DrainGrace: tt.grace, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			start := func() (int, string) {
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequest("POST", "/v1/demo?rate=200&tokens=100", nil))
				return w.Code, strings.TrimPrefix(w.Header().Get("Location"), "/v1/stream/")
			}
			code, stream := start()
			if code != http.StatusCreated {
				t.Fatalf("start: %d", code)
			}
			if err := s.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			info, err := store.Info(t.Context(), stream)
			if err != nil || info.Closed == nil || info.Closed.Reason != tt.want {
				t.Errorf("the stream is %+v, error %v", info.Closed, err)
			}
			if tt.want == freshet.Completed && info.Tail.Seq != 100 {
				t.Errorf("the stream has %d records", info.Tail.Seq)
			}
			if code, _ := start(); code != http.StatusServiceUnavailable {
				t.Errorf("a generation that is begun after the drain gets %d", code)
			}
			if !strings.Contains(log.String(), "msg=draining followers=0 uploads=0 generations=1") || !strings.Contains(log.String(), "msg=drained") {
				t.Errorf("the log has %s", &log)
			}
		})
	}
}

// Whoever calls Drain may lose patience; then everything ends at once.
func TestAnImpatientDrain(t *testing.T) {
	s := newSite(t, "HTTP/1.1")
	s.create("s", "text/plain", "x", nil)
	var responses []*http.Response
	for range 20 {
		responses = append(responses, s.ask("GET", "/v1/stream/s", ""))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if err := s.Drain(ctx); err != nil && !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	for _, response := range responses {
		if _, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a response ends by %v", err)
		}
	}
}

func ExampleServer_Drain() {
	store := memstore.New(memstore.Options{})
	defer store.Close()
	streams, err := server.New(server.Options{Store: store})
	if err != nil {
		panic(err)
	}
	web := &http.Server{Handler: streams}
	// When the process is asked to end:
	streams.Unready()
	// Here it waits until the load balancer has noticed, if there is one.
	answered := make(chan error, 1)
	go func() { answered <- web.Shutdown(context.Background()) }()
	if err := streams.Drain(context.Background()); err != nil {
		panic(err)
	}
	streams.Close()
	fmt.Println(<-answered)
	// Output: <nil>
}
