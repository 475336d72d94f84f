package hub

import (
	"math/rand/v2"
	"time"
)

// Bounds of the time between two looks at the store for a stream of which
// nothing was heard: a wake-up that was lost costs no more than this. The wheel
// is late by up to a tick, so that a look is never later than a second after
// the last activity, and then than 15 s.
const (
	checkFirst = time.Second - tick
	checkMost  = 15*time.Second - tick
)

// checks are when a topic is compared with the store.
type checks struct {
	// active is when news last came in.
	active time.Time
	// interval is the time to the next check, and due when the earliest of
	// those that are planned is.
	interval time.Duration
	due      time.Time
}

// bounds returns the bounds of the interval. A stream with a sliding time to
// live is looked at, and thereby touched, more often than that runs out.
func (t *topic) bounds() (first, most time.Duration) {
	first, most = checkFirst, checkMost
	if ttl := t.info.Spec.TTL; ttl > 0 {
		most = min(most, ttl/3)
	}
	return min(first, most), most
}

// planCheck sees to it that the stream is compared with the store while it is
// followed: a second after the last activity, and then ever more rarely, by a
// random part earlier so that streams to which followers came at once are not
// looked at at once for ever. The lock is held.
func (t *topic) planCheck() {
	first, most := t.bounds()
	t.interval = min(max(t.interval, first), most)
	d := t.interval
	if d > first {
		d -= rand.N(d / 4)
	}
	t.planCheckIn(d)
}

func (t *topic) planCheckIn(d time.Duration) {
	if t.followers == 0 || t.dropped {
		return
	}
	at := time.Now().Add(d)
	if !t.due.IsZero() && !at.Before(t.due) {
		return
	}
	t.due = at
	t.hub.wheel.Do(d, t.check)
}

// check looks at the store, or plans to do so later if the stream was active in
// the meantime.
func (t *topic) check() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.due.IsZero() || now.Before(t.due) {
		return // superseded by an earlier one
	}
	t.due = time.Time{}
	if t.followers == 0 || t.dropped || t.looking {
		return // the end of a look plans the next check
	}
	first, _ := t.bounds()
	if quiet := now.Sub(t.active); quiet < first {
		t.planCheckIn(first - quiet)
		return
	}
	t.interval *= 2
	t.wantLook()
}
