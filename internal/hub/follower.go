package hub

import (
	"context"
	"errors"
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

	at freshet.Offset
	// placed is false while a stream is waited for.
	placed bool
	// gap and page are what was found when the follower was placed.
	gap   *Gap
	page  *freshet.Page
	ended bool
}

// Follow returns a follower of a stream, placed where opts say. A cursor that
// cannot be served is not an error: the first batch tells the gap. The error is
// [freshet.ErrNotFound] if the stream does not exist and is not to be waited
// for.
func (h *Hub) Follow(ctx context.Context, name string, opts FollowOptions) (*Follower, error) {
	t, err := h.acquire(name)
	if err != nil {
		return nil, err
	}
	f := &Follower{hub: h, topic: t, opts: opts, at: opts.Cursor.Offset}
	t.mu.Lock()
	t.followers++
	h.followers.Add(1)
	if t.phase == fresh || t.phase == absent {
		t.wantRefresh()
	}
	for t.refreshing && t.phase != live {
		changed := t.change()
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-h.ctx.Done():
			f.Close()
			return nil, freshet.ErrShutdown
		}
		t.mu.Lock()
	}
	t.planCheck()
	phase, failed := t.phase, t.failed
	t.mu.Unlock()
	switch {
	case phase == live:
		err = f.place(ctx)
	case phase == fresh && failed != nil:
		err = failed
	default:
		err = freshet.ErrNotFound
	}
	if errors.Is(err, freshet.ErrNotFound) && opts.Wait {
		err = nil
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close ends the follower.
func (f *Follower) Close() {
	f.topic.mu.Lock()
	f.topic.followers--
	f.topic.mu.Unlock()
	f.hub.followers.Add(-1)
	f.topic.release()
}

// Info returns what is known of the stream, with the tail and the closure as
// they were when the stream was last looked at. ok is false while the stream is
// waited for.
func (f *Follower) Info() (info freshet.Info, ok bool) {
	f.topic.mu.Lock()
	defer f.topic.mu.Unlock()
	return f.topic.info, f.placed
}

// At returns the follower's position and, if the one it asked for could not be
// served and that was not told yet, the gap.
func (f *Follower) At() (freshet.Offset, *Gap) { return f.at, f.gap }

// place finds where a follower of a live stream begins.
func (f *Follower) place(ctx context.Context) error {
	t := f.topic
	t.mu.Lock()
	held := false
	switch {
	case t.phase != live:
	case f.opts.Cursor.Now:
		f.at, held = t.win.tail, true
	case f.at.IsBeginning() && t.win.base.Seq == 0:
		f.at, held = t.win.base, true
	default:
		held = t.win.holds(f.at)
	}
	info := t.info
	t.mu.Unlock()
	f.hub.touch(ctx, &info)
	if held {
		f.placed = true
		return nil
	}
	page, err := f.hub.store.Read(ctx, t.name, f.at, f.limit())
	var gap *freshet.GapError
	switch {
	case errors.As(err, &gap):
		f.gap = &Gap{Why: gap.Why, Requested: f.at, Resumed: gap.Oldest}
		f.at = gap.Oldest
	case err != nil:
		return err
	default:
		if f.at.IsBeginning() {
			f.at = page.Info.Oldest
		}
		f.page = &page
	}
	f.placed = true
	return nil
}

func (f *Follower) limit() freshet.Limit { return freshet.Limit{Bytes: f.hub.opts.PageBytes} }
