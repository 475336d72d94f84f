package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet"
)

// FollowOptions say how to follow.
type FollowOptions struct {
	// Cursor is where to begin.
	Cursor freshet.Cursor
	// Idle, if not zero, lets Next return an idle batch when nothing happened
	// for as long, so that a heartbeat can be sent.
	Idle time.Duration
	// Wait lets a stream that does not exist be waited for.
	Wait bool
}

// A Follower is a cursor that reads a stream, live. One goroutine at a time may
// use it. Whoever got it closes it.
type Follower struct {
	hub   *Hub
	topic *topic
	opts  FollowOptions

	// at is the position, which means something once the follower is placed:
	// not while a stream is waited for.
	at     freshet.Offset
	placed bool
	// gap and page are what was found in the store and not delivered yet.
	gap  *Gap
	page *freshet.Page

	// busy says that records come faster than they are delivered.
	busy          bool
	ended, closed bool
}

// Follow returns a follower of a stream, placed where opts say. A cursor that
// cannot be served is not an error: the first batch tells the gap. The error is
// [freshet.ErrNotFound] if the stream does not exist and is not to be waited
// for. ctx is for this call only.
func (h *Hub) Follow(ctx context.Context, name string, opts FollowOptions) (*Follower, error) {
	t, err := h.acquire(name)
	if err != nil {
		return nil, err
	}
	f := &Follower{hub: h, topic: t, opts: opts, at: opts.Cursor.Offset}
	h.followers.Add(1)
	err = t.join(ctx)
	if err == nil {
		err = f.place(ctx)
	}
	if opts.Wait && errors.Is(err, freshet.ErrNotFound) {
		// For a stream that begins later, its beginning is now.
		f.opts.Cursor.Now = false
		err = nil
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("follow %q: %w", name, err)
	}
	return f, nil
}

// join makes the caller a follower of the topic, whatever the error. If what
// the topic knows may be out of date, since there was no follower before or the
// store is being looked at, it waits until that is done: whatever was done to
// the stream before the call is seen.
func (t *topic) join(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.followers++
	if t.followers == 1 || t.phase != live || t.looking {
		t.interval = 0
		if err := t.await(ctx, t.wantLook()); err != nil {
			return err
		}
	}
	switch {
	case t.phase == live:
		t.planCheck()
		return nil
	case t.failed != nil:
		return t.failed
	}
	return freshet.ErrNotFound
}

// Close ends the follower. Closing it again does nothing.
func (f *Follower) Close() {
	if f.closed {
		return
	}
	f.closed = true
	f.page = nil
	f.hub.followers.Add(-1)
	f.topic.leave()
}

// Info returns what is known of the stream. ok is false while the stream is
// waited for.
func (f *Follower) Info() (info freshet.Info, ok bool) {
	f.topic.mu.Lock()
	defer f.topic.mu.Unlock()
	return f.topic.info, f.placed
}

// At returns the follower's position and, if the one it asked for could not be
// served and that was not told yet, the gap.
func (f *Follower) At() (freshet.Offset, *Gap) { return f.at, f.gap }

// place finds where the follower begins.
func (f *Follower) place(ctx context.Context) error {
	if f.opts.Cursor.Now {
		// The window may be behind what the caller knows.
		info, err := f.hub.store.Info(ctx, f.topic.name)
		f.at, f.placed = info.Tail, err == nil
		return err
	}
	if f.placed = f.placeInWindow(); f.placed {
		return nil
	}
	page, err := f.load(ctx)
	if err != nil {
		return err
	}
	if page != nil && f.at.IsBeginning() {
		f.at = page.Info.Oldest
	}
	f.page, f.placed = page, true
	return nil
}

func (f *Follower) placeInWindow() bool {
	t := f.topic
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != live {
		return false
	}
	if oldest := t.info.Oldest; f.at.IsBeginning() && t.win.holds(oldest) {
		f.at = oldest
	}
	return t.win.holds(f.at)
}

// load reads the page after the follower's position. If that cannot be served
// it notes the gap and moves on instead; page is nil then.
func (f *Follower) load(ctx context.Context) (page *freshet.Page, err error) {
	ctx, done := f.hub.join(ctx)
	defer done()
	read, err := f.hub.store.Read(ctx, f.topic.name, f.at, f.hub.pageLimit())
	var gap *freshet.GapError
	switch {
	case errors.As(err, &gap):
		resumed := f.topic.resume(f.at, gap.Oldest)
		f.gap = &Gap{Why: gap.Why, Requested: f.at, Resumed: resumed}
		f.at = resumed
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &read, nil
}

// resume returns where a follower goes on that cannot at its position: where
// the history forked if that is known here, and otherwise at the oldest record.
func (t *topic) resume(from, oldest freshet.Offset) freshet.Offset {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost.has(from) && t.lost.at.Seq >= oldest.Seq {
		return t.lost.at
	}
	return oldest
}
