package apidoc_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// A pipeRig is a real server whose connections are pipes, so that it can run in
// a bubble of [synctest]: silence of 15 s takes no time there, and what was not
// sent when everybody waits will not be sent.
type pipeRig struct {
	*testing.T
	server *server.Server
	conns  chan net.Conn
	gone   chan struct{}
	open   []*pipeConn
}

func newPipeRig(t *testing.T) *pipeRig {
	// The bubble's clock starts in the year 2000.
	time.Sleep(time.Until(time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)))
	store := memstore.New(memstore.Options{})
	s, err := server.New(server.Options{Store: store, Loopback: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r := &pipeRig{T: t, server: s, conns: make(chan net.Conn), gone: make(chan struct{})}
	web := &http.Server{Handler: s, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go func() { _ = web.Serve(r) }()
	t.Cleanup(func() {
		s.Close()
		for _, c := range r.open {
			_ = c.Close()
		}
		_ = web.Close()
		_ = store.Close()
		synctest.Wait()
	})
	return r
}

// Accept, Close and Addr implement [net.Listener].
func (r *pipeRig) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.gone:
		return nil, net.ErrClosed
	}
}

func (r *pipeRig) Close() error {
	close(r.gone)
	return nil
}

func (r *pipeRig) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4437} }

// dial connects to the server.
func (r *pipeRig) dial() *pipeConn {
	client, accepted := net.Pipe()
	r.conns <- accepted
	c := &pipeConn{Conn: client, t: r.T}
	r.open = append(r.open, c)
	go c.read()
	return c
}

// A pipeConn is a client's end, which takes all that comes.
type pipeConn struct {
	net.Conn
	t *testing.T

	mu    sync.Mutex
	got   []byte
	ended bool
}

func (c *pipeConn) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Conn.Read(buf)
		c.mu.Lock()
		c.got = append(c.got, buf[:n]...)
		c.ended = err != nil
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// send sends p.
func (c *pipeConn) send(p string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, p); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		c.t.Fatalf("send %.60q: %v", p, err)
	}
}

// take waits until all is quiet and returns what came since the last time, and
// whether the connection has ended.
func (c *pipeConn) take() (got []byte, ended bool) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got, c.got = c.got, nil
	return got, c.ended
}
