package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/freshet-stream/freshet"
)

// Bounds of one call to the store.
const (
	callAppends = 256
	callBytes   = 4 << 20
)

// A queue holds the appends of one stream that wait while a call to the store
// is under way, so that they leave together in the next one.
type queue struct {
	waiting []*pending
	bytes   int
	flying  bool
	// room is closed when there is room again. It is nil if nobody waits.
	room chan struct{}
}

// A pending append is answered once.
type pending struct {
	freshet.Append
	size   int
	answer chan answer
}

type answer struct {
	freshet.Result
	err error
}

// Append appends to a stream. What arrives while the store is busy with an
// earlier append of the stream leaves together in the next call. The error is
// that of the append itself ([freshet.Result].Err), of its validation, or of
// the store. If ctx ends first the append may or may not land. The data of the
// records is the hub's from then on.
func (h *Hub) Append(ctx context.Context, name string, a freshet.Append) (freshet.Result, error) {
	if err := a.Validate(h.opts.Limits); err != nil {
		return freshet.Result{Err: err}, err
	}
	t, err := h.acquire(name)
	if err != nil {
		return freshet.Result{Err: err}, err
	}
	defer t.release()
	p := &pending{Append: a, answer: make(chan answer, 1)}
	for i := range a.Records {
		p.size += a.Records[i].Size()
	}
	mine, err := t.enqueue(ctx, p)
	if err != nil {
		return freshet.Result{Err: err}, err
	}
	if mine {
		t.fly([]*pending{p})
	}
	select {
	case got := <-p.answer:
		return got.Result, got.err
	case <-ctx.Done():
		err := fmt.Errorf("append to %q: %w: %w", name, freshet.ErrUncertain, context.Cause(ctx))
		return freshet.Result{Err: err}, err
	}
}

// enqueue puts p into the queue, waiting for room. It reports that the caller
// is to fly p itself if no call was under way.
func (t *topic) enqueue(ctx context.Context, p *pending) (mine bool, err error) {
	q, opts := &t.queue, &t.hub.opts
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(q.waiting) >= opts.QueueAppends || len(q.waiting) > 0 && q.bytes+p.size > opts.QueueBytes {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		t.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			err = freshet.ErrOverloaded
		case <-t.hub.ctx.Done():
			err = freshet.ErrShutdown
		}
		t.mu.Lock()
		if err != nil {
			return false, err
		}
	}
	if !q.flying {
		q.flying = true
		return true, nil
	}
	q.waiting = append(q.waiting, p)
	q.bytes += p.size
	return false, nil
}

// fly makes one call with what it is given, and leaves what has gathered
// meanwhile to a goroutine.
func (t *topic) fly(batch []*pending) {
	t.call(batch)
	if next := t.takeWaiting(); next != nil {
		t.users++
		t.mu.Unlock()
		if !t.hub.goDo(func() { t.flyOn(next) }) {
			t.flyOn(next)
		}
		return
	}
	t.mu.Unlock()
}

// flyOn makes calls until nothing waits. It is a user of the topic.
func (t *topic) flyOn(batch []*pending) {
	defer t.release()
	for batch != nil {
		t.call(batch)
		batch = t.takeWaiting()
		t.mu.Unlock()
	}
}

// takeWaiting takes what the next call is to carry. It returns with the lock
// held.
func (t *topic) takeWaiting() []*pending {
	t.mu.Lock()
	q := &t.queue
	n, size := 0, 0
	for n < len(q.waiting) && n < callAppends && (n == 0 || size+q.waiting[n].size <= callBytes) {
		size += q.waiting[n].size
		n++
	}
	if n == 0 {
		q.flying = false
		q.waiting = nil
		return nil
	}
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	q.bytes -= size
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
	return batch
}

// call has the store make the appends, and answers them. While the outcome is
// not known the same call is made again, before anything else of the stream.
func (t *topic) call(batch []*pending) {
	h := t.hub
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: make([]freshet.Append, len(batch))}
	for i, p := range batch {
		call.Appends[i] = p.Append
	}
	t.mu.Lock()
	if t.phase == live {
		call.Tail = t.win.tail
	}
	t.mu.Unlock()
	results, err := h.store.Append(h.ctx, t.name, call)
	for backoff := newBackoff(); errors.Is(err, freshet.ErrUncertain) && backoff.wait(h.ctx); {
		call.Retry = true
		results, err = h.store.Append(h.ctx, t.name, call)
	}
	if err == nil && len(results) != len(batch) {
		err = fmt.Errorf("append to %q: store gave %d results for %d appends", t.name, len(results), len(batch))
	}
	if err != nil {
		if h.ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", freshet.ErrUncertain, freshet.ErrShutdown)
		}
		for _, p := range batch {
			p.answer <- answer{freshet.Result{Err: err}, err}
		}
		return
	}
	t.announce(call.Appends, results)
	for i, p := range batch {
		p.answer <- answer{results[i], results[i].Err}
	}
}

// announce offers what landed to the stream's followers. The appends of one
// call are consecutive.
func (t *topic) announce(appends []freshet.Append, results []freshet.Result) {
	b := freshet.Batch{From: results[0].From}
	for i := range results {
		r := &results[i]
		if r.Err != nil || r.Duplicate {
			continue
		}
		first := r.Tail.Seq - uint64(len(appends[i].Records)) + 1
		for k, record := range appends[i].Records {
			record.Offset = freshet.Offset{Seq: first + uint64(k), Mark: r.Tail.Mark}
			b.Records = append(b.Records, record)
		}
		b.Tail, b.Closed = r.Tail, r.Closed
	}
	if len(b.Records) > 0 || b.Closed != nil {
		t.offer(b)
	}
}
