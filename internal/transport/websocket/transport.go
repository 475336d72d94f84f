package websocket

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/problem"
)

// Protocol is the subprotocol in which messages are operations.
const Protocol = "freshet.v1.json"

// The close codes that are ours or that package ws does not name (RFC 6455,
// section 7.4).
const (
	statusRestart ws.StatusCode = 1012
	statusGap     ws.StatusCode = 4410
)

// A Transport serves streams over WebSocket. Its methods may be called
// concurrently.
type Transport struct {
	opts  Options
	plain formats
	// deflated are the plain ones of connections that compress.
	deflated formats
	items    formats
	pool     pool
	deflate  deflater
	inflate  inflater

	// appending ends when appends are to be given up.
	appending context.Context
	giveUp    context.CancelFunc

	// work counts the handshakes under way and the goroutines of connections.
	work sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conns   map[*conn]struct{}
	overdue *time.Timer
}

// New returns a transport. The caller closes it, before the hub.
func New(opts Options) *Transport {
	t := &Transport{
		opts:  opts.withDefaults(),
		plain: plainFormats(nil),
		items: itemFormats(),
		conns: map[*conn]struct{}{},
	}
	t.deflated = plainFormats(&t.deflate)
	t.appending, t.giveUp = context.WithCancel(context.Background())
	return t
}

// Close ends every connection with 1012, after what its client has sent was
// appended and answered, and returns when none is left. That takes no longer
// than twice [Options].CloseWait. Later requests are refused.
func (t *Transport) Close() {
	t.mu.Lock()
	conns := slices.Collect(maps.Keys(t.conns))
	if !t.closed {
		t.closed = true
		t.overdue = time.AfterFunc(t.opts.CloseWait, t.giveUp)
	}
	t.mu.Unlock()
	for _, c := range conns {
		c.restart()
	}
	t.work.Wait()
	t.overdue.Stop()
	t.giveUp()
}

// enter counts a handshake, unless the transport is closed.
func (t *Transport) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.work.Add(1)
	}
	return !t.closed
}

// run serves a connection in goroutines of its own, so that net/http's ends and
// gives back its memory. The connection takes over the caller's place in work.
func (t *Transport) run(c *conn) {
	t.mu.Lock()
	t.conns[c] = struct{}{}
	closed := t.closed
	t.mu.Unlock()
	if closed {
		c.restart()
	}
	c.member = t.opts.Exchanges.Join(drain.WebSocket, c.restart)
	go c.run()
}

// leave notes that a connection has ended.
func (t *Transport) leave(c *conn) {
	t.mu.Lock()
	delete(t.conns, c)
	t.mu.Unlock()
	c.member.Leave()
	t.work.Done()
}

// report logs an error of which the client is told only that the log has it.
func (t *Transport) report(err error) {
	if coded, _ := problem.Of(err); coded == problem.ErrInternal {
		t.opts.Logger.Error("serve WebSocket", "error", err)
	}
}

// ServeStream answers a GET that asks to become a WebSocket, on the URL of the
// stream name. The query may have offset, where a plain connection starts, and
// append, the name of the stream to which it appends. What can be refused is
// refused before the upgrade, as problem+json.
func (t *Transport) ServeStream(w http.ResponseWriter, r *http.Request, name string) {
	asked, err := t.readHandshake(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	t.serve(w, r, asked, name)
}

// ServeMany answers a GET that asks to become a WebSocket on which each
// operation names its stream.
func (t *Transport) ServeMany(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		problem.WriteMethod(w, r, "GET")
		return
	}
	asked, err := t.readHandshake(r)
	if err == nil && !asked.operations {
		err = problem.ErrUpgrade.With("this path speaks operations only; send Sec-WebSocket-Protocol: %s", Protocol)
	}
	if err != nil {
		refuse(w, r, err)
		return
	}
	t.serve(w, r, asked, "")
}

func (t *Transport) serve(w http.ResponseWriter, r *http.Request, asked handshake, name string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(w, r, problem.ErrQuery.With("the query cannot be read: %v", err))
		return
	}
	if !t.enter() {
		refuse(w, r, freshet.ErrShutdown)
		return
	}
	serve := t.servePlain
	if asked.operations {
		serve = t.serveOperations
	}
	if err := serve(w, asked, name, query); err != nil {
		t.work.Done()
		if !errors.Is(err, errUpgrade) {
			t.report(err)
			refuse(w, r, err)
		}
	}
}
