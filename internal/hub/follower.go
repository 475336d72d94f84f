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
	// Apart says that the follower is no reader, for those who want to know whether
	// the stream has any.
	Apart bool
	// End lets Next return only once the stream has ended, without records: they
	// come and go without waking the follower.
	End bool
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
	page *page

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
	if opts.Apart {
		t.apart(1)
	}
	err = t.join(ctx, opts.Cursor)
	if err == nil {
		err = f.place(ctx)
	}
	if err == nil && opts.Cursor.Ended {
		err = f.doubtEnd(ctx)
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

// doubtEnd finds a gap if the stream does not end where the cursor says that its
// end was told: the store has lost that (guarantee 6). Only the store knows.
func (f *Follower) doubtEnd(ctx context.Context) error {
	info, err := f.hub.store.Info(ctx, f.topic.name)
	told := f.opts.Cursor.Offset
	if err == nil && f.gap == nil && !info.EndsAt(told) {
		f.gap = &Gap{Why: freshet.GapAhead, Requested: told, Resumed: f.at}
	}
	return err
}

// join makes the caller a follower of the topic, whatever the error. If the store
// is to be looked at since something was done to the stream, it waits for that. A
// stream that is not known here is looked at, by the first who comes and for all;
// that it does not exist is told by a look which has begun after the call, and so
// is where "now" is.
func (t *topic) join(ctx context.Context, cursor freshet.Cursor) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.followers++; t.followers == 1 {
		t.interval = 0
	}
	if t.phase == fresh && !t.looking {
		t.want = cursor
	}
	var err error
	began := t.started
	if t.looking && !cursor.Now {
		err = t.await(ctx, t.wanted)
	}
	if err == nil && t.finished <= began && (t.phase != live || cursor.Now) {
		err = t.await(ctx, t.wantLookAfter(began))
	}
	switch {
	case err != nil:
		return err
	case cursor.Now && t.failed != nil:
		return t.failed
	case t.phase == live:
		t.planCheck()
		t.keepWatched()
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
	if f.opts.Apart {
		f.topic.apart(-1)
	}
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
	if f.placed = f.placeInWindow(); f.placed {
		return nil
	}
	err := f.load(ctx)
	f.placed = err == nil
	return err
}

func (f *Follower) placeInWindow() bool {
	t := f.topic
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.phase != live:
		return false
	case f.opts.Cursor.Now:
		f.at = t.latest()
		return true
	}
	if oldest := t.info.Oldest; f.at.IsBeginning() && t.win.holds(oldest) {
		f.at = oldest
	}
	return t.win.holds(f.at)
}

// load gets the page after the follower's position. If that cannot be served it
// notes the gap and moves on instead.
func (f *Follower) load(ctx context.Context) error {
	page, err := f.topic.page(ctx, f.at)
	var gap *freshet.GapError
	switch {
	case errors.As(err, &gap):
		resumed := f.topic.resume(f.at, gap.Oldest)
		f.gap = &Gap{Why: gap.Why, Requested: f.at, Resumed: resumed}
		f.at = resumed
		return nil
	case err != nil:
		return err
	}
	if f.at.IsBeginning() {
		f.at = page.base
	}
	f.page = page
	return nil
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
