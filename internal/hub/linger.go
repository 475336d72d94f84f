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
	since, end := t.left, func() { t.hub.drop(t) }
	switch {
	case t.dropped || t.followers > 0:
		return
	case t.users == 0:
		since = t.idle
	case t.stop == nil:
		return
	default:
		end = t.unfollow
	}
	if rest := t.hub.opts.Linger - time.Since(since); rest > 0 {
		t.planLinger(rest)
		return
	}
	t.hub.goDo(end)
}

// unfollow makes a topic that has no followers one that is only appended to.
func (t *topic) unfollow() {
	stop := func() {}
	t.mu.Lock()
	switch {
	case t.followers > 0 || t.dropped:
	case t.looking:
		t.planLinger(tick)
	default:
		stop = t.forget()
	}
	t.mu.Unlock()
	stop()
}
