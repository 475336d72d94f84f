package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
)

// A feed is a stream that is followed by an operation.
type feed struct {
	o      *operations
	stream string
	id     json.RawMessage
	cursor freshet.Cursor
	wait   time.Duration
	cancel context.CancelFunc
	frames *groups

	// unfollow is the operation that asked for the feed's end, if one did. It
	// is guarded by o.mu.
	unfollow *request
}

// follow begins to follow a stream.
func (o *operations) follow(r *request) error {
	cursor, err := freshet.ParseCursorOf(r.Stream, r.Offset)
	if err != nil {
		return err
	}
	wait, err := r.wait()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(o.c.ctx)
	f := &feed{o: o, stream: r.Stream, id: r.ID, cursor: cursor, wait: wait, cancel: cancel}
	f.frames = newGroups(&o.c.out, &o.c.t.items, r.Stream)
	if err := o.add(f); err != nil {
		cancel()
		return err
	}
	o.c.t.work.Go(func() { f.run(ctx) })
	return nil
}

func (o *operations) add(f *feed) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch _, followed := o.feeds[f.stream]; {
	case followed:
		return problem.ErrMessage.With("the connection follows %.128q already; unfollow it before you follow it from elsewhere", f.stream)
	case len(o.feeds) >= o.c.t.opts.Follows:
		return freshet.ErrOverloaded.With("a connection follows %d streams at most; unfollow one, or open another connection", o.c.t.opts.Follows)
	}
	o.feeds[f.stream] = f
	return nil
}

// unfollow ends a feed, which then answers.
func (o *operations) unfollow(r *request) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.feeds[r.Stream]
	if f == nil || f.unfollow != nil {
		return freshet.ErrNotFound.With("the connection does not follow %.128q", r.Stream)
	}
	f.unfollow = r
	f.cancel()
	return nil
}

// forget lets the stream be followed again. It comes before the message that
// tells of the feed's end.
func (f *feed) forget() (unfollow *request) {
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	if f.o.feeds[f.stream] == f {
		delete(f.o.feeds, f.stream)
	}
	return f.unfollow
}

// run follows until the stream or ctx ends.
func (f *feed) run(ctx context.Context) {
	defer f.o.c.contain()
	defer f.cancel()
	waiting, stop := context.WithTimeoutCause(ctx, f.wait,
		freshet.ErrNotFound.With("nobody has created the stream within %v", f.wait))
	defer stop()
	sender := follow{c: f.o.c, frames: f.frames, tell: f, at: f.cursor.Offset}
	follower, waits, err := f.open(ctx)
	if !waits {
		waiting = ctx
	}
	switch {
	case err == nil:
		sender.run(ctx, waiting, follower)
	case ctx.Err() == nil:
		sender.lose(err)
	}
	if unfollow := f.forget(); unfollow != nil {
		_ = f.o.answer(ackMessage(unfollow.ID, sender.at, false))
	}
}

// open returns a follower, and whether it waits for the stream to be created.
func (f *feed) open(ctx context.Context) (follower *hub.Follower, waits bool, err error) {
	h, idle := f.o.c.t.opts.Hub, f.o.c.t.opts.Heartbeat
	var lost *freshet.GapError
	follower, lost, err = followOrGap(ctx, h, f.stream, hub.FollowOptions{Cursor: f.cursor, Idle: idle})
	switch {
	case lost != nil:
		return nil, false, lost
	case !errors.Is(err, freshet.ErrNotFound) || f.wait == 0:
		return follower, false, err
	}
	// Whatever is appended is after "now", too.
	follower, err = h.Follow(ctx, f.stream, hub.FollowOptions{Idle: idle, Wait: true})
	return follower, true, err
}

// gap implements [teller].
func (f *feed) gap(b *[]byte, gap *hub.Gap) bool {
	f.tellGap(b, gap.Requested.String(), gap.Resumed.String(), gap.Why)
	return true
}

// gone implements [teller].
func (f *feed) gone(b *[]byte, at freshet.Offset, lost *freshet.GapError) {
	f.tellGap(b, at.String(), freshet.Cursor{}.String(), lost.Why)
	f.closed(b, lost.Why)
}

func (f *feed) tellGap(b *[]byte, requested, resumed, why string) {
	m := appendTold(nil, "gap", f.stream)
	m = appendField(m, "requested", requested)
	m = appendField(m, "resumed", resumed)
	appendMessage(b, appendField(m, "why", why))
}

// closed implements [teller].
func (f *feed) closed(b *[]byte, reason string) {
	f.forget()
	appendMessage(b, appendField(appendTold(nil, "closed", f.stream), "reason", reason))
}

// failed implements [teller].
func (f *feed) failed(b *[]byte, err error) {
	f.forget()
	f.o.c.t.report(err)
	*b = appendFrame(*b, ws.OpText, errorMessage(f.id, err, nil))
}
