package websocket

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cws "github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

// A log is what was logged.
type log struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *log) says(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.String(), what)
}

// faulty panics when it is told to.
type faulty struct {
	*net.TCPConn
	read, deadline *atomic.Bool
}

func (f faulty) Read(p []byte) (int, error) {
	if f.read.CompareAndSwap(true, false) {
		panic("boom")
	}
	return f.TCPConn.Read(p)
}

func (f faulty) SetReadDeadline(t time.Time) error {
	if f.deadline.CompareAndSwap(true, false) {
		panic("boom")
	}
	return f.TCPConn.SetReadDeadline(t)
}

// A bug that shows in one connection ends that connection, says so, and does
// nothing to others.
func TestAPanicEndsOneConnection(t *testing.T) {
	for name, provoke := range map[string]func(e *env, c *client, f *faulty){
		"in a follow": func(e *env, c *client, _ *faulty) {
			e.transport.plain[freshet.KindText].whole = &hub.Encoder{Encode: func([]byte, *freshet.Record) []byte { panic("boom") }}
			e.append("s", "y")
		},
		"in an append": func(e *env, c *client, _ *faulty) {
			e.eventually("it is served", func() bool { return e.open() == 1 })
			e.transport.mu.Lock()
			defer e.transport.mu.Unlock()
			for c := range e.transport.conns {
				c.push(1, func() { panic("boom") })
			}
		},
		"while reading": func(_ *env, c *client, f *faulty) {
			f.read.Store(true)
			c.send("anything, so that it reads again")
		},
		"before reading": func(_ *env, c *client, f *faulty) {
			f.deadline.Store(true)
			c.send("anything")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var logged log
			f := &faulty{read: new(atomic.Bool), deadline: new(atomic.Bool)}
			e := newEnv(t, Options{
				Heartbeat: 100 * time.Millisecond,
				Logger:    slog.New(slog.NewTextHandler(&logged, nil)),
				Wrap: func(c net.Conn, _ *http.Request) net.Conn {
					return faulty{c.(*net.TCPConn), f.read, f.deadline}
				},
			})
			e.create("s", "text/plain")
			e.create("to", "text/plain")
			e.append("s", "x")
			c := e.dial("s?append=to")
			c.want(cws.MessageText, "x")
			provoke(e, c, f)
			c.wantEnd(1011, "internal")
			if !logged.says("boom") || !logged.says("panic_test.go") {
				t.Errorf("the log has %s", &logged)
			}
			e.eventually("nothing is left of it", func() bool { return e.open() == 0 && e.hub.Stats().Followers == 0 })
			e.transport.plain = plainFormats(nil)
			e.dial("s").want(cws.MessageText, "x")
		})
	}
}
