package hub

import (
	"time"

	"github.com/freshet-stream/freshet"
)

// release ends one use of a topic. One that is worth keeping lingers.
func (t *topic) release() {
	h := t.hub
	t.mu.Lock()
	t.users--
	kept := true
	if t.users == 0 && !t.dropped {
		kept = t.phase == live || t.queue.tail != freshet.Offset{}
		if kept = kept && h.idle.Load() < int64(h.opts.IdleTopics); kept {
			t.idle = time.Now()
			h.idle.Add(1)
			t.planLinger(h.opts.Linger)
		}
	}
	t.mu.Unlock()
	if !kept {
		h.drop(t)
	}
}

// leave ends one follower's use of a topic.
func (t *topic) leave() {
	t.mu.Lock()
	t.followers--
	if t.followers == 0 && !t.dropped {
		t.left = time.Now()
		t.planLinger(t.hub.opts.Linger)
	}
	t.mu.Unlock()
	t.release()
}

// planLinger plans a look at whether the topic is still in use, unless one is
// planned. The lock is held.
func (t *topic) planLinger(in time.Duration) {
	if !t.lingering {
		t.lingering = true
		t.hub.wheel.Do(in, t.linger)
	}
}

// linger gives up what was not used for long enough: the whole topic, or the
// window and the subscription of one that is appended to but not followed.
func (t *topic) linger() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lingering = false
	long := t.hub.opts.Linger
	unused := t.users == 0 && time.Since(t.idle) >= long
	switch {
	case t.dropped || t.followers > 0:
	case unused:
		t.hub.goDo(func() { t.hub.drop(t) })
	case t.stop != nil && time.Since(t.left) >= long:
		t.hub.goDo(t.unfollow)
	case t.stop != nil:
		t.planLinger(long - time.Since(t.left))
	case t.users == 0:
		t.planLinger(long - time.Since(t.idle))
	}
}

// unfollow makes a topic that has no followers one that is only appended to.
func (t *topic) unfollow() {
	stop := func() {}
	t.mu.Lock()
	if t.followers == 0 && !t.dropped {
		if !t.looking {
			stop = t.forget()
		}
		t.planLinger(tick)
	}
	t.mu.Unlock()
	stop()
}
