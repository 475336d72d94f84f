package hub

import (
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

// A topic is what the hub holds of one stream that is followed or appended to.
type topic struct {
	hub  *Hub
	name string

	mu sync.Mutex
	// users are the followers, the appenders and the flight of their appends.
	users, followers int
	// aside is how many of the followers are no readers, and watching says that it
	// is said now and then that there are others.
	aside    int
	watching bool
	// idle is since when there are no users and left since when there are no
	// followers; lingering says that a look at both is planned.
	idle, left time.Time
	lingering  bool
	// dropped says that the hub has given the topic up.
	dropped bool

	phase phase
	// win and info are the stream as this server knows it; they mean something
	// while live. Of a stream that has gone, info has the spec.
	win  window
	info freshet.Info
	// why tells why an absent stream is gone.
	why string
	// lost is where the stream's history last left the one of the window.
	lost fork
	// changed is closed at the next change. It is nil if nobody waits.
	changed chan struct{}
	// turned is the same without the changes that are only more records.
	turned chan struct{}

	looks
	checks
	pager
	queue queue
}

type phase uint8

const (
	// fresh: nothing is known of the stream.
	fresh phase = iota
	// live: the window ends where the stream ended when last heard of.
	live
	// absent: the stream does not exist.
	absent
)

// acquire returns the topic of a stream and makes the caller a user of it.
func (h *Hub) acquire(name string) (*topic, error) {
	h.mu.RLock()
	t := h.use(name)
	h.mu.RUnlock()
	if t != nil {
		return t, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return nil, freshet.ErrShutdown
	}
	if h.topics[name] == nil {
		h.topics[name] = &topic{hub: h, name: name}
	}
	return h.use(name), nil
}

// use makes the caller a user of a topic, if there is one. h.mu is held, so
// that it is not dropped meanwhile.
func (h *Hub) use(name string) *topic {
	t := h.topics[name]
	if t != nil {
		t.mu.Lock()
		t.users++
		t.unmarkIdle()
		t.mu.Unlock()
	}
	return t
}

// unmarkIdle ends the time that the topic has been without users. The lock is
// held.
func (t *topic) unmarkIdle() {
	if !t.idle.IsZero() {
		t.idle = time.Time{}
		t.hub.idle.Add(-1)
	}
}

// drop removes a topic that has no users.
func (h *Hub) drop(t *topic) {
	h.mu.Lock()
	t.mu.Lock()
	stop := func() {}
	if t.users == 0 && h.topics[t.name] == t {
		delete(h.topics, t.name)
		t.unmarkIdle()
		stop = t.close()
	}
	t.mu.Unlock()
	h.mu.Unlock()
	stop()
}

// close gives up the topic. The lock is held. What it returns ends the
// subscription; that waits for hints under way, which want the lock.
func (t *topic) close() (stop func()) {
	t.dropped = true
	return t.forget()
}

// forget gives up what the topic knows of the stream, like close.
func (t *topic) forget() (stop func()) {
	t.phase = fresh
	t.info, t.lost = freshet.Info{}, fork{}
	t.resetWindow(freshet.Offset{})
	t.wake()
	stop = t.stop
	t.stop = nil
	if stop == nil {
		return func() {}
	}
	return stop
}

// wake tells all who wait that something has changed. The lock is held.
func (t *topic) wake() {
	t.wakeReaders()
	if t.turned != nil {
		close(t.turned)
		t.turned = nil
	}
}

// wakeReaders tells those who wait for records. The lock is held.
func (t *topic) wakeReaders() {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// turn returns a channel that is closed at the next change but for mere records.
// The lock is held.
func (t *topic) turn() <-chan struct{} {
	if t.turned == nil {
		t.turned = make(chan struct{})
	}
	return t.turned
}

// change returns a channel that is closed at the next change. The lock is held.
func (t *topic) change() <-chan struct{} {
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return t.changed
}
