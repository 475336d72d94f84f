package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

const (
	// storeFresh is for how long what is known of the store is not asked again,
	// however many ask, and storeTime for how long it may take to answer.
	storeFresh = time.Second
	storeTime  = time.Second
	// storeProbe is the name of a stream that does not exist, to be asked for.
	storeProbe = "__ds/ready"
)

// serveHealth answers the requests of load balancers and supervisors, and reports
// whether this was one. They come by address and port, with any Host or none, and
// learn nothing that a stranger may not know: no rule on Host applies.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) bool {
	check := func() error { return nil }
	switch r.URL.EscapedPath() {
	case "/healthz":
	case "/readyz":
		check = s.ready.check
	default:
		return false
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem.WriteMethod(w, r, "GET, HEAD")
		return true
	}
	if err := check(); err != nil {
		problem.Write(w, r, err)
		return true
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
	return true
}

// readiness is whether a server should be sent what is new.
type readiness struct {
	store freshet.Store
	log   *slog.Logger
	// over says that the server is about to end.
	over atomic.Bool

	// asking is held while the store is asked, so that it is asked once.
	asking sync.Mutex
	asked  time.Time
	// err is what the store said.
	err error
}

func (r *readiness) isOver() bool { return r.over.Load() }

// check returns why the server is not ready, or nil.
func (r *readiness) check() error {
	if r.isOver() {
		return problem.ErrDraining
	}
	if r.ask() != nil {
		return problem.ErrStore
	}
	return nil
}

// ask returns the error of the store, which may be a moment old.
func (r *readiness) ask() error {
	r.asking.Lock()
	defer r.asking.Unlock()
	if !r.asked.IsZero() && time.Since(r.asked) < storeFresh {
		return r.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTime)
	defer cancel()
	_, err := r.store.Info(ctx, storeProbe)
	if errors.Is(err, freshet.ErrNotFound) {
		err = nil
	}
	switch {
	case err != nil && r.err == nil:
		r.log.Warn("the store does not answer: the server is not ready", "error", err)
	case err == nil && r.err != nil:
		r.log.Info("the store answers again: the server is ready")
	}
	r.err, r.asked = err, time.Now()
	return err
}
