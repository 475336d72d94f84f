package hub

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet"
)

// leaseParts is how often a lease is renewed in its length.
const leaseParts = 3

// A lease is one that is kept from running out.
type lease struct {
	hub     *Hub
	name    string
	term    time.Duration
	stopped atomic.Bool
}

// KeepLease renews the lease of a stream now, and then as long as stop has not
// been called, so that a producer that is there but says nothing is not taken
// for dead. A term of zero is the stream's own; if it has none nothing is done.
// The error is that of finding out, or [freshet.ErrNotFound].
func (h *Hub) KeepLease(ctx context.Context, name string, term time.Duration) (stop func(), err error) {
	if term == 0 {
		info, err := h.store.Info(ctx, name)
		if err != nil {
			return nil, err
		}
		if term = info.LeaseTerm; term == 0 || info.Closed != nil {
			return func() {}, nil
		}
	}
	l := &lease{hub: h, name: name, term: term}
	if err := h.store.Renew(ctx, name, freshet.Renewal{Lease: term}); err != nil {
		return nil, err
	}
	l.plan()
	return func() { l.stopped.Store(true) }, nil
}

func (l *lease) plan() {
	l.hub.wheel.Do(l.term/leaseParts, func() {
		if !l.stopped.Load() {
			l.hub.goDo(l.renew)
		}
	})
}

// renew renews the lease unless the stream is gone. A store that fails is asked
// again.
func (l *lease) renew() {
	h := l.hub
	err := h.store.Renew(h.ctx, l.name, freshet.Renewal{Lease: l.term})
	switch {
	case errors.Is(err, freshet.ErrNotFound), h.ctx.Err() != nil:
		return
	case err != nil:
		h.log.Warn("renew lease", "stream", l.name, "error", err)
	}
	l.plan()
}
