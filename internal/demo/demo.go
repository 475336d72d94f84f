// Package demo shows streams at work, for the page that comes with the server:
// it starts producers that write a sample answer into streams under demo/,
// lets the page see the bytes that the server writes to a connection, and cuts
// such a connection when the page asks for it.
//
// A connection takes part if its URL has a tap, a random word that its page
// chose. What the server writes to it is appended to the stream demo/tap-WORD,
// which the page follows, and a record {"cut":true} that somebody appends there
// has the connection cut. So the page, the connection and the request to cut may
// each be on another server.
package demo

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
)

// Options configure a [Demo].
type Options struct {
	Hub *hub.Hub
	// Work is what the producers of sample answers are part of.
	Work *drain.Work
	// Logger takes what operators should know; slog.Default.
	Logger *slog.Logger
	// KeepClosed is for how long a sample answer is kept after its end. 0 is
	// for ever.
	KeepClosed time.Duration
	// Name is what the server calls itself to those who watch it.
	Name string
}

// A Demo serves the requests under /v1/demo. Its methods may be called
// concurrently. Whoever made it closes it.
type Demo struct {
	opts Options

	// ctx ends with the demo.
	ctx    context.Context
	cancel context.CancelFunc

	// starting guards that nothing is begun once ctx has ended, and what counts
	// what runs.
	starting    sync.Mutex
	producers   int
	connections int
	work        sync.WaitGroup
}

// New returns a demo of the streams of a hub, which has to be open for as long
// as the demo is.
func New(opts Options) *Demo {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	d := &Demo{opts: opts}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Close waits for the producers of sample answers, which end with the work,
// stops showing bytes, and returns when nothing of the demo runs any more.
func (d *Demo) Close() {
	d.starting.Lock()
	d.cancel()
	d.starting.Unlock()
	d.work.Wait()
}

// begin counts one more of what count counts, or returns tooMany if most of it
// run, or [freshet.ErrShutdown]. Unless it failed the caller calls end.
func (d *Demo) begin(count *int, most int, tooMany error) error {
	d.starting.Lock()
	defer d.starting.Unlock()
	switch {
	case d.ctx.Err() != nil:
		return freshet.ErrShutdown
	case *count >= most:
		return tooMany
	}
	*count++
	d.work.Add(1)
	return nil
}

func (d *Demo) end(count *int) {
	d.starting.Lock()
	*count--
	d.starting.Unlock()
	d.work.Done()
}

// ServeHTTP serves /v1/demo and /v1/demo/cut.
func (d *Demo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint, ok := map[string]struct {
		method string
		serve  func(http.ResponseWriter, *http.Request) error
	}{
		"/v1/demo":     {http.MethodPost, d.serveStart},
		"/v1/demo/cut": {http.MethodPost, d.serveCut},
	}[r.URL.EscapedPath()]
	switch {
	case !ok:
		problem.Write(w, r, problem.ErrPath)
	case r.Method != endpoint.method:
		problem.WriteMethod(w, r, endpoint.method)
	default:
		if err := endpoint.serve(w, r); err != nil {
			problem.Write(w, r, err)
		}
	}
}
