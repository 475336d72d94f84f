package hub

import (
	"context"
	"errors"
	"io"
	"runtime"
	"time"

	"github.com/freshet-stream/freshet"
)

// storeRetry is how long a follower waits that could not go on from the store.
const storeRetry = time.Second

// Next returns what comes next, waiting for it. After the batch that tells the
// end it returns [io.EOF]; if the stream goes without an end it returns a
// [*freshet.GapError] that says why. Otherwise the error is the context's cause,
// or [freshet.ErrShutdown].
func (f *Follower) Next(ctx context.Context) (Batch, error) {
	if f.ended {
		return Batch{}, io.EOF
	}
	if f.busy {
		// Those who append go first, so that more leaves in the next write.
		runtime.Gosched()
	}
	f.busy = true
	var idle <-chan struct{}
	for {
		if ctx.Err() != nil {
			return Batch{}, context.Cause(ctx)
		}
		if batch, ok := f.found(); ok {
			f.hub.meter.delivered.Add(int64(batch.Len()))
			return batch, nil
		}
		batch, where, changed := f.poll()
		var retry <-chan struct{}
		switch where {
		case ready:
			f.busy = f.busy || batch.Len() > 1
			f.hub.meter.delivered.Add(int64(batch.Len()))
			return batch, nil
		case shut:
			return Batch{}, freshet.ErrShutdown
		case gone:
			return Batch{}, f.lost()
		case unplaced, behind:
			if f.catchUp(ctx, where) {
				continue
			}
			retry = f.hub.wheel.After(storeRetry)
		}
		if idle == nil && f.opts.Idle > 0 {
			idle = f.hub.wheel.After(f.opts.Idle)
		}
		f.busy = false
		select {
		case <-changed:
		case <-retry:
		case <-idle:
			return Batch{Idle: true, Offset: f.at}, nil
		case <-ctx.Done():
		}
	}
}

// found returns what was found in the store and not delivered yet.
func (f *Follower) found() (Batch, bool) {
	if gap := f.gap; gap != nil {
		f.gap = nil
		return Batch{Gap: gap, Offset: f.at}, true
	}
	page := f.page
	if page == nil {
		return Batch{}, false
	}
	f.page = nil
	batch := Batch{shared: f.topic.isShared(), Offset: page.tail}
	if !f.opts.End {
		batch.entries = page.after(f.at, freshet.Limit{})
	}
	f.at = page.tail
	if f.at == page.info.Tail {
		batch.Closed = page.info.Closed
		f.ended = batch.Closed != nil
	}
	return batch, batch.Len() > 0 || f.ended
}

// isShared reports whether the topic has several followers. The lock is not held.
func (t *topic) isShared() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.followers > 1
}

// Where a follower stands to the window of its stream.
type standing uint8

const (
	// ready: the window has something for it.
	ready standing = iota
	// waiting: it is at the tail.
	waiting
	// behind: the window does not hold its position.
	behind
	// unplaced: the stream that it waits for exists now.
	unplaced
	// gone: its stream does not exist any more.
	gone
	// shut: the hub is closed.
	shut
)

// poll looks into the window. Unless there is something to return now it also
// returns what is closed at the next change.
func (f *Follower) poll() (batch Batch, where standing, changed <-chan struct{}) {
	t := f.topic
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.dropped:
		return batch, shut, nil
	case t.phase != live && f.placed:
		return batch, gone, nil
	case t.phase != live:
		return batch, waiting, t.change()
	case !f.placed:
		return batch, unplaced, t.change()
	case f.opts.End:
		return f.pollEnd()
	case !t.win.holds(f.at):
		return batch, behind, t.change()
	case f.at == t.win.tail && t.info.Closed == nil:
		return batch, waiting, t.change()
	}
	batch.shared = t.followers > 1
	batch.entries = t.win.after(f.at, f.hub.pageLimit())
	if n := len(batch.entries); n > 0 {
		f.at = batch.entries[n-1].Offset
	}
	batch.Offset = f.at
	if f.at == t.win.tail {
		batch.Closed = t.info.Closed
		f.ended = batch.Closed != nil
	}
	return batch, ready, nil
}

// pollEnd is poll for a follower that waits for the end. The lock is held.
func (f *Follower) pollEnd() (batch Batch, where standing, changed <-chan struct{}) {
	t := f.topic
	if t.info.Closed == nil {
		return batch, waiting, t.turn()
	}
	f.at, f.ended = t.win.tail, true
	return Batch{Closed: t.info.Closed, Offset: f.at}, ready, nil
}

// catchUp places a follower, or reads what the window does not hold, and
// reports whether that got it any further. If not it has to wait.
func (f *Follower) catchUp(ctx context.Context, where standing) bool {
	var err error
	if where == unplaced {
		if err = f.place(ctx); err == nil {
			return true
		}
	} else {
		if err = f.load(ctx); err == nil && f.isFurther() {
			return true
		}
	}
	// Either the store fails, or it knows something that the window does not.
	t := f.topic
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil, errors.Is(err, freshet.ErrNotFound):
		t.wantLook()
	case ctx.Err() == nil && f.hub.ctx.Err() == nil:
		t.fail(err)
	}
	return false
}

// isFurther reports whether what was found is anything to return.
func (f *Follower) isFurther() bool {
	p := f.page
	return f.gap != nil || p != nil && (len(p.entries) > 0 || p.info.Closed != nil)
}

// lost returns why the stream is gone.
func (f *Follower) lost() error {
	f.topic.mu.Lock()
	defer f.topic.mu.Unlock()
	return &freshet.GapError{Why: f.topic.why}
}
