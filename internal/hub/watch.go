package hub

import (
	"context"
	"errors"

	"github.com/freshet-stream/freshet"
)

// Watch makes a stream one of those whose producers want to know whether anybody
// reads: from now on each server that has readers of it renews [freshet.Info].Watched.
func (h *Hub) Watch(ctx context.Context, name string) error {
	return h.store.Renew(ctx, name, freshet.Renewal{Watched: 2 * h.opts.Watch})
}

// apart changes how many of the followers are no readers.
func (t *topic) apart(by int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aside += by
}

// keepWatched lets the stream count as watched while it has readers here, if
// somebody wants to know. The lock is held.
func (t *topic) keepWatched() {
	if t.watching || t.dropped || t.followers == t.aside || t.seen.Watched.IsZero() || t.seen.Closed != nil {
		return
	}
	t.watching = t.hub.goDo(t.watch)
}

// watch says that the stream has readers here, and does so again in time if it
// still has.
func (t *topic) watch() {
	h := t.hub
	err := h.Watch(h.ctx, t.name)
	if err != nil && h.ctx.Err() == nil && !errors.Is(err, freshet.ErrNotFound) {
		h.log.Warn("say that stream is watched", "stream", t.name, "error", err)
	}
	h.wheel.Do(h.opts.Watch, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.watching = false
		t.keepWatched()
	})
}
