package websocket

import (
	"context"
	"errors"
	"io"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/text"
)

// A follow sends one stream to the peer of a connection. It is used by the
// goroutine in run.
type follow struct {
	c      *conn
	frames framer
	tell   teller

	// kind is the stream's kind of content, once known.
	kind  freshet.Kind
	known bool
	// at is the position up to which the peer was sent everything.
	at freshet.Offset
	// text holds records that end inside a character; held is the offset after
	// the last of them.
	text text.Holder
	held freshet.Offset
}

// A framer makes messages of records.
type framer interface {
	// add appends a record to b: r, which is the i-th of batch as it is if
	// shared. The output is taken.
	add(b *[]byte, kind freshet.Kind, batch *hub.Batch, i int, r *freshet.Record, shared bool)
	// end makes the last message whole.
	end(b *[]byte)
}

// A teller says what happens to a stream besides its records, in messages that
// it appends to b or by ending the connection.
type teller interface {
	// gap reports whether the follow goes on.
	gap(b *[]byte, gap *hub.Gap) bool
	closed(b *[]byte, reason string)
	// gone tells that the stream does not exist, to a peer that was at a
	// position in it.
	gone(b *[]byte, at freshet.Offset, lost *freshet.GapError)
	failed(b *[]byte, err error)
}

// followOrGap follows a stream. If it does not exist although the cursor was
// once given out for it, lost says so.
func followOrGap(ctx context.Context, h *hub.Hub, name string, opts hub.FollowOptions) (f *hub.Follower, lost *freshet.GapError, err error) {
	f, err = h.Follow(ctx, name, opts)
	if errors.Is(err, freshet.ErrNotFound) && opts.Cursor.IsReal() {
		return nil, &freshet.GapError{Why: freshet.GapUnknown}, nil
	}
	return f, nil, err
}

// run sends what the follower gives until the stream or ctx ends, or until
// waiting does while the stream does not exist. It closes the follower.
func (f *follow) run(ctx, waiting context.Context, follower *hub.Follower) {
	defer f.c.contain()
	defer follower.Close()
	if at, gap := follower.At(); gap == nil {
		f.at = at
	}
	for more := true; more; {
		if waiting != ctx && exists(follower) {
			waiting = ctx
		}
		batch, err := follower.Next(waiting)
		switch {
		case err == nil && batch.Idle:
			more = f.c.out.ping() == nil
		case err == nil:
			more = f.deliver(follower, &batch)
		case waiting != ctx && waiting.Err() != nil && ctx.Err() == nil:
			if more = exists(follower); !more {
				f.lose(err)
			}
		case errors.Is(err, io.EOF), ctx.Err() != nil:
			return
		default:
			f.lose(err)
			return
		}
	}
}

// exists reports whether there is the stream that is followed. It is not
// inlined, since a follow that waits should need little stack.
//
//go:noinline
func exists(follower *hub.Follower) bool {
	_, ok := follower.Info()
	return ok
}

func kindOf(follower *hub.Follower) freshet.Kind {
	info, _ := follower.Info()
	return freshet.KindOf(info.Spec.ContentType)
}

// deliver sends a batch, and reports whether more may come.
func (f *follow) deliver(follower *hub.Follower, batch *hub.Batch) (more bool) {
	out := &f.c.out
	if !f.known {
		f.kind, f.known = kindOf(follower), true
	}
	for i := 0; ; {
		b, err := out.take()
		if err != nil {
			return false
		}
		i, more = f.fill(b, batch, i)
		if err := out.release(b); err != nil || !more || i == batch.Len() {
			return more && err == nil
		}
	}
}

// fill appends to b what there is from the i-th record on, as far as it is
// written at once, and returns which is next and whether more may come.
func (f *follow) fill(b *[]byte, batch *hub.Batch, i int) (next int, more bool) {
	defer f.c.out.put(b)
	for ; i < batch.Len() && len(*b) < spillBytes; i++ {
		f.add(b, batch, i)
	}
	last := i == batch.Len()
	switch {
	case last && batch.Gap != nil:
		f.flush(b)
		f.at = batch.Gap.Resumed
		more = f.tell.gap(b, batch.Gap)
		// The stream may be another one now.
		f.known = false
		return i, more
	case last && batch.Closed != nil:
		f.flush(b)
		f.frames.end(b)
		f.tell.closed(b, string(batch.Closed.Reason))
		return i, false
	}
	f.frames.end(b)
	return i, true
}

// add appends the i-th record to b, unless the record ends inside a character:
// then it leaves with the next.
func (f *follow) add(b *[]byte, batch *hub.Batch, i int) {
	r, alone := batch.Record(i), true
	if f.kind == freshet.KindText {
		data, whole, ok := f.text.Take(r.Data)
		if !ok {
			f.held = r.Offset
			return
		}
		if alone = whole; !alone {
			r = &freshet.Record{Offset: r.Offset, Data: data}
		}
	}
	f.frames.add(b, f.kind, batch, i, r, alone)
	f.at = r.Offset
}

// flush appends what is held, now that its character will not be completed, and
// makes the last message whole.
func (f *follow) flush(b *[]byte) {
	if f.text.Holding() {
		f.frames.add(b, f.kind, nil, 0, &freshet.Record{Offset: f.held, Data: f.text.Flush()}, false)
		f.at = f.held
	}
	f.frames.end(b)
}

// lose tells why the stream can be followed no longer.
func (f *follow) lose(err error) {
	b, taken := f.c.out.take()
	if taken != nil {
		return
	}
	f.fillLoss(b, err)
	_ = f.c.out.release(b)
}

func (f *follow) fillLoss(b *[]byte, err error) {
	defer f.c.out.put(b)
	f.flush(b)
	var lost *freshet.GapError
	if errors.As(err, &lost) {
		f.tell.gone(b, f.at, lost)
	} else {
		f.tell.failed(b, err)
	}
}
