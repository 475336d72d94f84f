package hub

import (
	"context"
	"errors"
	"time"

	"github.com/freshet-stream/freshet"
)

// Create creates a stream as [freshet.Store].Create does. The error is
// [freshet.ErrUncertain] if ctx ended before the outcome was known.
func (h *Hub) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	if err := c.Spec.Validate(); err != nil {
		return freshet.Info{}, false, err
	}
	if c.First != nil {
		if err := c.First.Validate(h.opts.Limits); err != nil {
			return freshet.Info{}, false, err
		}
	}
	if h.ctx.Err() != nil {
		return freshet.Info{}, false, freshet.ErrShutdown
	}
	ctx, done := h.join(ctx)
	defer done()
	c.Nonce = freshet.NewNonce()
	var info freshet.Info
	var created bool
	err := h.repeat(ctx, func(bool) (err error) {
		info, created, err = h.store.Create(ctx, name, c)
		return err
	})
	if created {
		h.nudge(name)
	}
	return info, created, err
}

// Info returns what is known of a stream, or [freshet.ErrNotFound]. Those who ask
// at the same time for one that is followed here, such as the readers whom its end
// was told, are answered by one look at the store, which begins after they asked.
func (h *Hub) Info(ctx context.Context, name string) (freshet.Info, error) {
	h.mu.RLock()
	t := h.use(name)
	h.mu.RUnlock()
	if t == nil {
		return h.store.Info(ctx, name)
	}
	defer t.release()
	info, ok, err := t.lookUp(ctx)
	if err != nil || ok {
		return info, err
	}
	return h.store.Info(ctx, name)
}

// lookUp returns what a look at a stream saw that begins after the call. It is not
// ok if the stream is not followed here.
func (t *topic) lookUp(ctx context.Context) (info freshet.Info, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != live {
		return info, false, nil
	}
	if err := t.await(ctx, t.wantLookAfter(t.started)); err != nil {
		return info, false, err
	}
	return t.seen, t.phase == live && t.failed == nil, nil
}

// Read returns the records after an offset as [freshet.Store].Read does, one
// page at most.
func (h *Hub) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	most := h.pageLimit()
	if limit.Bytes <= 0 {
		limit.Bytes = most.Bytes
	}
	if limit.Records <= 0 {
		limit.Records = most.Records
	}
	page, err := h.store.Read(ctx, name, from, limit)
	if err == nil {
		h.touch(ctx, &page.Info)
	}
	return page, err
}

// touch restarts a sliding time to live, at most ten times in its length. It
// reports whether it did.
func (h *Hub) touch(ctx context.Context, info *freshet.Info) bool {
	ttl := info.Spec.TTL
	if ttl <= 0 || time.Since(info.Touched) < ttl/10 {
		return false
	}
	err := h.store.Renew(ctx, info.Name, freshet.Renewal{Touch: true})
	if err != nil && ctx.Err() == nil && !errors.Is(err, freshet.ErrNotFound) {
		h.log.Warn("renew stream", "stream", info.Name, "error", err)
	}
	return err == nil
}

// Delete removes a stream, or returns [freshet.ErrNotFound].
func (h *Hub) Delete(ctx context.Context, name string) error {
	err := h.store.Delete(ctx, name)
	h.nudge(name)
	return err
}

// List returns streams in order of name as [freshet.Store].List does.
func (h *Hub) List(ctx context.Context, prefix, after string, n int) ([]freshet.Info, error) {
	return h.store.List(ctx, prefix, after, n)
}

// nudge lets the followers of a stream learn that something was done to it
// here, whether or not the store gets to tell. Whoever comes to follow the
// stream after that waits until it is looked at.
func (h *Hub) nudge(name string) {
	h.mu.RLock()
	t := h.topics[name]
	h.mu.RUnlock()
	if t != nil {
		t.hint(freshet.Hint{})
	}
}

// join returns a context that ends with ctx and with the hub.
func (h *Hub) join(ctx context.Context) (joined context.Context, done func()) {
	joined, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.ctx, func() { cancel(freshet.ErrShutdown) })
	return joined, func() {
		stop()
		cancel(nil)
	}
}
