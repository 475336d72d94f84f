package hub

import "github.com/freshet-stream/freshet"

// An Appender appends to one stream without waiting. It may be used concurrently.
// Whoever got it closes it.
type Appender struct{ topic *topic }

// Appender returns an appender to a stream, which need not exist yet. The error is
// [freshet.ErrShutdown].
func (h *Hub) Appender(name string) (Appender, error) {
	t, err := h.acquire(name)
	return Appender{t}, err
}

// Close ends the use of the stream. What was submitted goes on.
func (a Appender) Close() { a.topic.release() }

// Submit lets an append leave in the next call for the stream, after those that
// were submitted or appended before. What comes of it is told to then, as
// [Hub.Append] returns it, by a goroutine that makes the calls: then must not wait,
// but may submit what goes next. It is not called if Submit returns an error: that
// of the validation, [freshet.ErrShutdown], or [freshet.ErrOverloaded] if the queue
// has no room. The data of the records is the hub's from then on.
func (a Appender) Submit(to freshet.Append, then func(freshet.Result, error)) error {
	t := a.topic
	if err := to.Validate(t.hub.opts.Limits); err != nil {
		return err
	}
	p := newPending(to, then)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isFull(p.size) {
		t.hub.meter.full.Add(1)
		return freshet.ErrOverloaded
	}
	return t.board(p)
}
