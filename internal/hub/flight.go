package hub

import (
	"errors"
	"fmt"
	"slices"

	"github.com/freshet-stream/freshet"
)

// callLimit bounds the appends of one call to the store.
var callLimit = freshet.Limit{Records: 256, Bytes: 4 << 20}

// restMost is how many goroutines are kept to fly the next topics. A new one
// for each flight would spend half of its time on growing its stack.
const restMost = 64

// depart has a goroutine fly the topic, or reports that the hub is closed.
func (h *Hub) depart(t *topic) bool {
	select {
	case h.departures <- t:
		return true
	default:
		return h.goDo(func() { h.flyOn(t) })
	}
}

// flyOn flies a topic, and then others.
func (h *Hub) flyOn(t *topic) {
	for {
		t.fly()
		if h.rested.Add(1) > restMost {
			h.rested.Add(-1)
			return
		}
		select {
		case t = <-h.departures:
			h.rested.Add(-1)
		case <-h.ctx.Done():
			return
		}
	}
}

// fly makes calls to the store until nothing waits. It is a user of the topic.
func (t *topic) fly() {
	defer t.release()
	for {
		batch := t.takeWaiting()
		if batch == nil {
			return
		}
		t.call(batch)
	}
}

// takeWaiting takes what the next call is to carry out of the queue.
func (t *topic) takeWaiting() (batch []*pending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := &t.queue
	n, size := 0, 0
	for n < len(q.waiting) && callLimit.Takes(n, size, q.waiting[n].size) {
		size += q.waiting[n].size
		n++
	}
	if n == 0 {
		q.flying, q.waiting = false, nil
		return nil
	}
	batch = slices.Clone(q.waiting[:n])
	t.dequeue(0, n)
	return batch
}

// call has the store make the appends, and answers them.
func (t *topic) call(batch []*pending) {
	appends := make([]freshet.Append, len(batch))
	for i, p := range batch {
		appends[i] = p.Append
	}
	results, err := t.commit(appends)
	if err != nil {
		for _, p := range batch {
			p.answer(refused(err))
		}
		return
	}
	t.announce(appends, results)
	for i, p := range batch {
		p.answer(results[i], results[i].Err)
	}
}

// commit makes one call to the store. While its outcome is not known the same
// call is made again, before anything else of the stream.
func (t *topic) commit(appends []freshet.Append) (results []freshet.Result, err error) {
	h := t.hub
	if h.ctx.Err() != nil {
		return nil, freshet.ErrShutdown
	}
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: appends, Tail: t.tail()}
	err = h.repeat(h.ctx, func(retry bool) (err error) {
		call.Retry = retry
		results, err = h.store.Append(h.ctx, t.name, call)
		return err
	})
	if err == nil && len(results) != len(appends) {
		err = fmt.Errorf("append to %q: store gave %d results for %d appends", t.name, len(results), len(appends))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		t.queue.tail = results[len(results)-1].Tail
	case errors.Is(err, freshet.ErrNotFound):
		t.queue.tail = freshet.Offset{}
		if t.watched() && t.phase != absent {
			t.wantLook()
		}
	}
	return results, err
}

// tail returns the stream's tail as far as it is known here, or zero.
func (t *topic) tail() freshet.Offset {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == live && t.win.tail.Seq >= t.queue.tail.Seq {
		return t.win.tail
	}
	return t.queue.tail
}

// awaits reports whether the topic is to be told of what landed: that the store has
// not told it by itself.
func (t *topic) awaits(last freshet.Result) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.phase == live && t.win.tail == last.Tail && (last.Closed == nil || t.info.Closed != nil)
	return t.watched() && !known
}

// announce offers what landed to the stream's followers. The appends of one
// call are consecutive.
func (t *topic) announce(appends []freshet.Append, results []freshet.Result) {
	if !t.awaits(results[len(results)-1]) {
		return
	}
	b := freshet.Batch{From: results[0].From}
	for i := range results {
		r := &results[i]
		if r.Err != nil || r.Duplicate {
			continue
		}
		// Of a producer that counts records, the first ones may have landed before.
		landed := int(r.Tail.Seq - r.From.Seq)
		records := appends[i].Records
		for k, record := range records[len(records)-landed:] {
			record.Offset = freshet.Offset{Seq: r.From.Seq + uint64(k) + 1, Mark: r.Tail.Mark}
			b.Records = append(b.Records, record)
		}
		b.Tail, b.Closed = r.Tail, r.Closed
	}
	if len(b.Records) > 0 || b.Closed != nil {
		t.offer(b)
	}
}
