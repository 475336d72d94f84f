package demo

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/internal/guard"
)

// Lengths of a tap.
const (
	tapLeast = 16
	tapMost  = 64
)

// taps know, by their tap, the connections that can be cut and those who watch
// them. The zero value works.
type taps struct {
	mu          sync.Mutex
	connections map[string]*connection
	watchers    map[string]*watcher
}

// A connection is one that carries a stream, over SSE or WebSocket.
type connection struct {
	taps *taps
	tap  string
	// cut ends it so that its reader sees it break, end is how it ended. The
	// taps' mu guards both.
	cut func()
	end string
}

// Tap lets the page that chose the request's tap see what the server writes as
// its answer, and cut it. What it returns is to be used instead of w and r. A
// request without a tap is left as it is.
func (d *Demo) Tap(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request) {
	if r.Method != http.MethodGet {
		return w, r
	}
	tap := r.URL.Query().Get("tap")
	if !isTap(tap) {
		return w, r
	}
	ctx, cancel := context.WithCancel(r.Context())
	c := &connection{taps: &d.taps, tap: tap, cut: cancel, end: "closed"}
	if conn := connOf(ctx); conn != nil && r.ProtoMajor == 1 {
		c.cut = func() {
			reset(conn)
			cancel()
		}
	}
	d.taps.add(c)
	c.tell(message{Open: &opening{
		Server: d.opts.Name, Protocol: r.Proto, Path: r.URL.EscapedPath(),
		WebSocket: guard.IsUpgrade(r), LastEventID: r.Header.Get("Last-Event-ID"),
	}})
	// The context ends with the connection, and when the request is served.
	keep := context.AfterFunc(ctx, c.remove)
	return &tee{ResponseWriter: w, connection: c, keep: keep}, r.WithContext(ctx)
}

// isTap reports whether s can be a tap: 16 to 64 characters that need no
// escaping in a URL.
func isTap(s string) bool {
	if len(s) < tapLeast || len(s) > tapMost {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// add makes c the connection of its tap.
func (t *taps) add(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.connections == nil {
		t.connections = map[string]*connection{}
	}
	t.connections[c.tap] = c
}

// take forgets the connection of a tap and returns what cuts it, or nil if none
// is open.
func (t *taps) take(tap string) (cut func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.connections[tap]
	if c == nil {
		return nil
	}
	delete(t.connections, tap)
	c.end = "reset"
	return c.cut
}

// remove is called when the connection is over.
func (c *connection) remove() {
	c.taps.mu.Lock()
	defer c.taps.mu.Unlock()
	if c.taps.connections[c.tap] == c {
		delete(c.taps.connections, c.tap)
	}
	c.pass(message{End: c.end})
}

// tell passes a message on to whoever watches, at once or never. The caller may
// alter its bytes afterwards.
func (c *connection) tell(m message) {
	c.taps.mu.Lock()
	defer c.taps.mu.Unlock()
	c.pass(m)
}

// pass is tell with the taps' mu held.
func (c *connection) pass(m message) {
	if w := c.taps.watchers[c.tap]; w != nil {
		m.Tap, m.At = c.tap, time.Now().UnixMilli()
		m.Bytes = bytes.Clone(m.Bytes)
		w.offer(m)
	}
}
