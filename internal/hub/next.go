package hub

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/freshet-stream/freshet"
)

// storeRetry is how long a follower that pages waits when the store fails.
const storeRetry = time.Second

// Next returns what comes next, waiting for it. After the batch that tells the
// end it returns [io.EOF]; if the stream goes without an end it returns a
// [*freshet.GapError] that says why. Otherwise the error is the context's cause,
// or [freshet.ErrShutdown].
func (f *Follower) Next(ctx context.Context) (Batch, error) {
	if f.ended {
		return Batch{}, io.EOF
	}
	var idle <-chan struct{}
	if f.opts.Idle > 0 {
		idle = f.hub.wheel.After(f.opts.Idle)
	}
	for {
		switch {
		case ctx.Err() != nil:
			return Batch{}, context.Cause(ctx)
		case f.hub.ctx.Err() != nil:
			return Batch{}, freshet.ErrShutdown
		}
		if batch, ok := f.found(); ok {
			return batch, nil
		}
		batch, where, changed := f.poll()
		var retry <-chan struct{}
		switch where {
		case ready:
			return batch, nil
		case gone:
			return Batch{}, f.lost()
		case unplaced:
			if err := f.place(ctx); err == nil && f.placed {
				continue
			}
		case behind:
			var progress bool
			if progress, retry = f.read(ctx); progress {
				continue
			}
		}
		select {
		case <-changed:
		case <-retry:
		case <-idle:
			return Batch{Idle: true, Offset: f.at}, nil
		case <-ctx.Done():
		case <-f.hub.ctx.Done():
		}
	}
}

// found returns what was read from the store and not delivered yet.
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
	if n := len(page.Records); n > 0 {
		f.at = page.Records[n-1].Offset
	}
	batch := Batch{records: page.Records, Offset: f.at}
	if f.at == page.Info.Tail {
		batch.Closed = page.Info.Closed
		f.ended = batch.Closed != nil
	}
	return batch, batch.Len() > 0 || f.ended
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
	// unplaced: it waits for a stream that may exist now.
	unplaced
	// gone: its stream does not exist any more.
	gone
)

// poll looks into the window. Unless it is ready it also returns what is closed
// at the next change.
func (f *Follower) poll() (batch Batch, where standing, changed <-chan struct{}) {
	t := f.topic
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.phase != live && f.placed && !t.refreshing:
		return batch, gone, nil
	case t.phase != live:
		return batch, waiting, t.change()
	case !f.placed:
		return batch, unplaced, t.change()
	case !t.win.holds(f.at):
		return batch, behind, t.change()
	case f.at == t.win.tail && t.closed == nil:
		return batch, waiting, t.change()
	}
	batch.shared = t.followers > 1
	batch.entries = t.win.after(f.at, f.hub.opts.PageBytes)
	if n := len(batch.entries); n > 0 {
		f.at = batch.entries[n-1].Offset
	}
	batch.Offset = f.at
	if f.at == t.win.tail {
		batch.Closed = t.closed
		f.ended = t.closed != nil
	}
	return batch, ready, nil
}

// read pages from the store. If that made no progress the follower is to wait,
// until retry at most if it is not nil.
func (f *Follower) read(ctx context.Context) (progress bool, retry <-chan struct{}) {
	t := f.topic
	page, err := f.hub.store.Read(ctx, t.name, f.at, f.limit())
	var gap *freshet.GapError
	switch {
	case errors.As(err, &gap):
		f.gap = &Gap{Why: gap.Why, Requested: f.at, Resumed: gap.Oldest}
		f.at = gap.Oldest
		return true, nil
	case err == nil && (len(page.Records) > 0 || page.Info.Closed != nil):
		f.page = &page
		return true, nil
	case err == nil, errors.Is(err, freshet.ErrNotFound):
		// The store knows something that the window does not.
		t.mu.Lock()
		t.wantRefresh()
		t.mu.Unlock()
		return false, nil
	}
	if ctx.Err() == nil {
		f.hub.log.Warn("read page", "stream", t.name, "error", err)
	}
	return false, f.hub.wheel.After(storeRetry)
}

// lost returns why the stream is gone.
func (f *Follower) lost() error {
	f.topic.mu.Lock()
	defer f.topic.mu.Unlock()
	why := f.topic.why
	if why == "" {
		why = freshet.GapUnknown
	}
	return &freshet.GapError{Why: why}
}
