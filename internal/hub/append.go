package hub

import (
	"context"
	"fmt"
	"slices"

	"github.com/freshet-stream/freshet"
)

// A queue holds the appends of one stream that wait while a call to the store
// is under way, so that they leave together in the next one.
type queue struct {
	waiting []*pending
	bytes   int
	// flying says that a goroutine makes calls until nothing waits.
	flying bool
	// room is closed when there is room again. It is nil if nobody waits.
	room chan struct{}
	// tail is the stream's tail as the last call left it, if there was one.
	tail freshet.Offset
}

// A pending append is answered once, unless it is withdrawn.
type pending struct {
	freshet.Append
	size   int
	answer func(freshet.Result, error)
}

func newPending(a freshet.Append, then func(freshet.Result, error)) *pending {
	p := &pending{Append: a, answer: then}
	for i := range a.Records {
		p.size += a.Records[i].Size()
	}
	return p
}

type answer struct {
	freshet.Result
	err error
}

// Append appends to a stream. What arrives while the store is busy with an
// earlier append of the stream leaves together in the next call. The error is
// that of the append itself ([freshet.Result].Err), of its validation, or of
// the store. If ctx ends first the error is its cause, and also
// [freshet.ErrUncertain] if the append had left for the store by then. The data
// of the records is the hub's from then on.
func (h *Hub) Append(ctx context.Context, name string, a freshet.Append) (freshet.Result, error) {
	if err := a.Validate(h.opts.Limits); err != nil {
		return refused(err)
	}
	t, err := h.acquire(name)
	if err != nil {
		return refused(err)
	}
	defer t.release()
	answered := make(chan answer, 1)
	p := newPending(a, func(r freshet.Result, err error) { answered <- answer{r, err} })
	if err := t.enqueue(ctx, p); err != nil {
		return refused(err)
	}
	select {
	case got := <-answered:
		return got.Result, got.err
	case <-ctx.Done():
	}
	if t.withdraw(p) {
		return refused(fmt.Errorf("append to %q: %w", name, context.Cause(ctx)))
	}
	select {
	case got := <-answered:
		return got.Result, got.err
	default:
		return refused(fmt.Errorf("append to %q: %w: %w", name, freshet.ErrUncertain, context.Cause(ctx)))
	}
}

func refused(err error) (freshet.Result, error) { return freshet.Result{Err: err}, err }

// enqueue puts p into the queue, waiting for room, and sees to it that the
// queue is emptied.
func (t *topic) enqueue(ctx context.Context, p *pending) error {
	q := &t.queue
	t.mu.Lock()
	defer t.mu.Unlock()
	for ctx.Err() == nil && t.isFull(p.size) {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		t.hub.meter.full.Add(1)
		t.mu.Unlock()
		var err error
		select {
		case <-room:
		case <-ctx.Done():
			err = fmt.Errorf("%w: %w", freshet.ErrOverloaded, context.Cause(ctx))
		case <-t.hub.ctx.Done():
			err = freshet.ErrShutdown
		}
		t.mu.Lock()
		if err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return t.board(p)
}

// board puts p into the queue, for which there is room. The lock is held.
func (t *topic) board(p *pending) error {
	q := &t.queue
	if !q.flying {
		if !t.hub.depart(t) {
			return freshet.ErrShutdown
		}
		q.flying = true
		t.users++
	}
	q.waiting = append(q.waiting, p)
	q.bytes += p.size
	t.hub.meter.wait(1, p.size)
	return nil
}

// isFull reports whether the queue has no room for size bytes more. The lock is
// held.
func (t *topic) isFull(size int) bool {
	q, opts := &t.queue, &t.hub.opts
	return len(q.waiting) >= opts.QueueAppends || len(q.waiting) > 0 && q.bytes+size > opts.QueueBytes
}

// withdraw takes p out of the queue, or reports that it has left.
func (t *topic) withdraw(p *pending) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.queue.waiting, p)
	if i < 0 {
		return false
	}
	t.dequeue(i, i+1)
	return true
}

// dequeue takes waiting appends out, which makes room. The lock is held.
func (t *topic) dequeue(from, to int) {
	q := &t.queue
	for _, p := range q.waiting[from:to] {
		q.bytes -= p.size
		t.hub.meter.wait(-1, -p.size)
	}
	q.waiting = slices.Delete(q.waiting, from, to)
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}
