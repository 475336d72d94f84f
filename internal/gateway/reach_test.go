package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// One connection carries many answers, one after the other: what follows the event
// that ends an answer is read too.
func TestConnectionIsReused(t *testing.T) {
	o := origin.New(secret)
	var connections atomic.Int64
	up := httptest.NewUnstartedServer(o)
	up.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	up.Start()
	defer up.Close()
	r := newRigBefore(t, 1, o, func(o *server.Options) { o.Upstreams[0].Base = up.URL + "/v1" })
	n := 0
	for path := range prompts {
		for _, prompt := range []string{"tokens=2", "tokens=40", "error=2", "end=3", "status=429"} {
			n++
			_ = read(t, r.post(0, path, question(path, prompt)))
			await(t, func() bool { return r.servers[0].Stats().Generations == 0 })
		}
		_ = read(t, r.post(0, path, strings.Replace(question(path, "tokens=2"), "true", "false", 1)))
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d answers took %d connections", n, got)
	}
}

// An upstream that refuses connections is tried again for a while: it may be about
// to start.
func TestRefusedConnectionIsTriedAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	before := func(o *server.Options) { o.Upstreams[0].Base = "http://" + address + "/v1" }
	if got := newRigBefore(t, 1, says(""), before).post(0, chat, question(chat, "tokens=1")); got.StatusCode != http.StatusBadGateway {
		t.Errorf("an upstream that is away: got %s", got.Status)
	}
	for _, stream := range []string{"true", "false"} {
		up := make(chan *httptest.Server, 1)
		time.AfterFunc(200*time.Millisecond, func() {
			l, err := net.Listen("tcp", address)
			if err != nil {
				t.Error(err)
			}
			s := &httptest.Server{Listener: l, Config: &http.Server{Handler: origin.New(secret)}}
			s.Start()
			up <- s
		})
		r := newRigBefore(t, 1, says(""), before)
		response := r.post(0, chat, strings.Replace(question(chat, "tokens=1"), "true", stream, 1))
		if got := read(t, response); response.StatusCode != http.StatusOK {
			t.Errorf("stream %s: got %s %s", stream, response.Status, got)
		}
		s := <-up
		s.CloseClientConnections()
		s.Close()
	}
}

// A breaking upstream reads requests on one connection after the other, and does
// with each as it is told.
type breaking struct {
	net.Listener
	requests atomic.Int64
}

// newBreaking returns an upstream that answers a request on each connection and
// then resets it: the second one as soon as it is read, if then is "".
func newBreaking(t *testing.T, first, then string) *breaking {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaking{Listener: l}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.serve(c, first, then)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return b
}

func (b *breaking) serve(c net.Conn, answers ...string) {
	defer c.Close()
	_ = c.(*net.TCPConn).SetLinger(0) // closing resets
	in := bufio.NewReader(c)
	for _, answer := range answers {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		b.requests.Add(1)
		if answer == "" {
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

const done = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 14\r\n\r\ndata: [DONE]\n\n"

// A request that the upstream may have received is never sent again, whatever
// becomes of it: on a new connection, on one that was used before, and after a part
// of the answer.
func TestReceivedRequestIsNotSentAgain(t *testing.T) {
	for what, answers := range map[string][2]string{
		"reset on a new connection":  {"", ""},
		"reset on a used connection": {done, ""},
		"reset within the head":      {done, "HTTP/1.1 200 OK\r\nContent-"},
		"reset within the body":      {done, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: {}\n\n"},
	} {
		for _, stream := range []string{"true", "false"} {
			b := newBreaking(t, answers[0], answers[1])
			r := newRigBefore(t, 1, says(""), func(o *server.Options) { o.Upstreams[0].Base = "http://" + b.Addr().String() + "/v1" })
			body := `{"stream":` + stream + `}`
			want := int64(1)
			if answers[0] != "" {
				want++
				_ = read(t, r.post(0, chat, body, "Idempotency-Key", "a"))
				await(t, func() bool { return r.servers[0].Stats().Generations == 0 })
			}
			response := r.post(0, chat, body, "Idempotency-Key", "b")
			got, _ := io.ReadAll(response.Body) // an answer that was passed on breaks off
			if strings.Contains(string(got), "[DONE]") || response.StatusCode != http.StatusBadGateway && what != "reset within the body" {
				t.Errorf("%s, stream %s: got %s %s", what, stream, response.Status, got)
			}
			if got := b.requests.Load(); got != want {
				t.Errorf("%s, stream %s: the upstream got %d requests, want %d", what, stream, got, want)
			}
		}
	}
}

// The time for the head is one, and the time of silence is another.
func TestHeadTimeout(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	r := newRigBefore(t, 1, upstream, func(o *server.Options) { o.UpstreamHead = 50 * time.Millisecond })
	for stream, code := range map[string]string{"true": "upstream_stalled", "false": "upstream_timeout"} {
		response := r.post(0, chat, `{"stream":`+stream+`}`)
		if got := read(t, response); response.StatusCode != http.StatusGatewayTimeout || !strings.Contains(got, code) {
			t.Errorf("stream %s: got %s %s", stream, response.Status, got)
		}
	}
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(150 * time.Millisecond)
		says("data: [DONE]\n\n").ServeHTTP(w, r)
	})
	r = newRigBefore(t, 1, slow, func(o *server.Options) {
		o.UpstreamStall, o.Upstreams[0].HeadTimeout = 100*time.Millisecond, time.Minute
	})
	if got := read(t, r.post(0, chat, `{"stream":true}`)); !strings.Contains(got, "[DONE]") {
		t.Errorf("a head that takes longer than silence may: got %s", got)
	}
}
