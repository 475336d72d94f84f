package hub

import (
	"errors"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

// A topic is what the hub holds of one stream that is followed or appended to.
type topic struct {
	hub  *Hub
	name string

	mu sync.Mutex
	// users are the followers and the appends under way. Without any, the
	// topic is dropped once it has lingered.
	users     int
	followers int
	dropped   bool

	phase phase
	// win and closed are the stream as this server knows it; they mean
	// something while live.
	win    window
	closed *freshet.Closure
	// info is what the store last said of the stream; its tail and closure
	// are older than those of the window.
	info freshet.Info
	// why tells why an absent stream is gone.
	why string
	// changed is closed at the next change. It is nil if nobody waits.
	changed chan struct{}
	// refreshing says that the store is being read; stale that it has to be
	// read again after that.
	refreshing, stale bool
	// failed is why the store could not be read the last time, if it could not.
	failed error

	// stop ends the subscription.
	stop func()
	// active is when something last came in; interval is the time to the next
	// look at the store, and checking says that one is planned.
	active   time.Time
	interval time.Duration
	checking bool

	queue queue
}

type phase uint8

const (
	// fresh: nothing is known of the stream and no hint is asked for.
	fresh phase = iota
	// live: the window holds what the stream's end was when last heard of.
	live
	// absent: the stream does not exist, or was lost sight of.
	absent
)

// acquire returns the topic of a stream and makes the caller a user of it.
func (h *Hub) acquire(name string) (*topic, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return nil, freshet.ErrShutdown
	}
	t, ok := h.topics[name]
	if !ok {
		t = &topic{hub: h, name: name}
		h.topics[name] = t
	}
	t.mu.Lock()
	t.users++
	t.mu.Unlock()
	return t, nil
}

// release ends one use of a topic.
func (t *topic) release() {
	t.mu.Lock()
	t.users--
	idle, lingers := t.users == 0, t.phase == live
	t.mu.Unlock()
	switch {
	case idle && lingers:
		t.hub.wheel.Do(t.hub.opts.Linger, func() { t.hub.drop(t) })
	case idle:
		t.hub.drop(t)
	}
}

// drop removes a topic that has no users.
func (h *Hub) drop(t *topic) {
	h.mu.Lock()
	t.mu.Lock()
	stop := func() {}
	if t.users == 0 && h.topics[t.name] == t {
		delete(h.topics, t.name)
		stop = t.close()
	}
	t.mu.Unlock()
	h.mu.Unlock()
	stop()
}

// close gives up what the topic holds, with the lock held. What it returns ends
// the subscription; that waits for hints under way, which want the lock.
func (t *topic) close() (stop func()) {
	t.dropped = true
	t.hub.windowBytes.Add(int64(t.win.reset(freshet.Offset{})))
	t.wake()
	if stop = t.stop; stop == nil {
		return func() {}
	}
	t.stop = nil
	return stop
}

// wake tells all who wait that something has changed.
func (t *topic) wake() {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// change returns a channel that is closed at the next change.
func (t *topic) change() <-chan struct{} {
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return t.changed
}

// subscribe asks the store for hints and then, once they are sure to come,
// learns where the stream ends. It is what makes a topic leave the fresh phase;
// the lock is not held.
func (t *topic) subscribe() {
	h := t.hub
	stop, err := h.store.Follow(h.ctx, t.name, t.hint)
	t.mu.Lock()
	switch {
	case err != nil:
		t.fail(err)
		t.refreshing = false
		t.wake()
		t.planCheck()
		t.mu.Unlock()
		return
	case t.dropped:
		t.mu.Unlock()
		stop()
		return
	}
	t.stop = stop
	t.mu.Unlock()
	t.refresh()
}

// hint takes what the store has to say of the stream.
func (t *topic) hint(hint freshet.Hint) {
	if hint.Batch != nil {
		t.offer(*hint.Batch)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wantRefresh()
}

// wantRefresh has the store read, once, however many ask. The lock is held.
func (t *topic) wantRefresh() {
	if t.dropped || t.phase == fresh && !t.refreshing && t.stop == nil && t.followers == 0 {
		return
	}
	if t.refreshing {
		t.stale = true
		return
	}
	t.refreshing = true
	if t.stop == nil {
		t.hub.goDo(t.subscribe)
		return
	}
	t.hub.goDo(t.refresh)
}

// refresh brings the window up to what the store has. One at a time runs; the
// lock is not held.
func (t *topic) refresh() {
	for {
		t.mu.Lock()
		known, from := t.phase == live, t.win.tail
		t.stale = false
		t.mu.Unlock()

		page, err := t.load(known, from)

		t.mu.Lock()
		t.failed = nil
		switch {
		case t.dropped:
		case err == nil:
			t.install(page, known && from == t.win.tail)
		case errors.Is(err, freshet.ErrNotFound):
			t.vanish()
		default:
			t.fail(err)
		}
		again := t.stale && !t.dropped && t.hub.ctx.Err() == nil
		t.refreshing = again
		if !again {
			t.wake()
			t.planCheck()
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
	}
}

// fail notes that the store could not be asked. The lock is held.
func (t *topic) fail(err error) {
	t.failed = err
	if t.hub.ctx.Err() == nil {
		t.hub.log.Warn("look at stream", "stream", t.name, "error", err)
	}
}

// load reads what follows the window, or only the stream's info if there is no
// window or it does not lie in the stream's history any more.
func (t *topic) load(known bool, from freshet.Offset) (freshet.Page, error) {
	h := t.hub
	if known {
		page, err := h.store.Read(h.ctx, t.name, from, freshet.Limit{Bytes: h.opts.WindowBytes})
		if !errors.Is(err, freshet.ErrGap) {
			return page, err
		}
	}
	info, err := h.store.Info(h.ctx, t.name)
	return freshet.Page{Info: info}, err
}

// install makes what was loaded the window. The lock is held.
func (t *topic) install(page freshet.Page, continues bool) {
	info := &page.Info
	t.phase = live
	t.info = *info
	t.why = ""
	n := len(page.Records)
	switch {
	case continues && n == 0 && info.Tail == t.win.tail:
	case continues && n > 0 && page.Records[n-1].Offset == info.Tail:
		t.grow(page.Records)
	default:
		// Too far behind, or another history: followers page until they are
		// where the window is.
		t.hub.windowBytes.Add(int64(t.win.reset(info.Tail)))
	}
	t.closed = info.Closed
}

// grow adds records at the window's tail.
func (t *topic) grow(records []freshet.Record) {
	limit := t.hub.opts.WindowBytes
	if t.hub.windowBytes.Load() > t.hub.opts.WindowsBytes {
		limit = 0
	}
	t.hub.windowBytes.Add(int64(t.win.extend(records, limit)))
	t.active = time.Now()
	t.interval = checkFirst
}

// vanish notes that the stream does not exist. The lock is held.
func (t *topic) vanish() {
	switch {
	case t.phase != live && t.why != "":
		return
	case t.phase != live:
		t.why = freshet.GapUnknown
	case t.info.Expired(time.Now().Add(time.Second)):
		t.why = freshet.GapExpired
	default:
		t.why = freshet.GapDeleted
	}
	t.phase = absent
	t.closed = nil
	t.hub.windowBytes.Add(int64(t.win.reset(freshet.Offset{})))
}

// offer is the one door through which news of a stream enters its window.
func (t *topic) offer(b freshet.Batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.dropped:
	case t.phase != live || t.refreshing:
		// A refresh under way may or may not have seen it.
		t.wantRefresh()
	case b.From == t.win.tail:
		if len(b.Records) == 0 && (b.Closed == nil || t.closed != nil) {
			return
		}
		t.grow(b.Records)
		t.closed = b.Closed
		t.wake()
	case b.Tail.Seq < t.win.tail.Seq && t.win.holds(b.Tail), b.Tail == t.win.tail && (b.Closed == nil || t.closed != nil):
		// Not news.
	default:
		t.wantRefresh()
	}
}
