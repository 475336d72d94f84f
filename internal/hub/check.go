package hub

import "time"

// Bounds of the time between two looks at the store for a stream of which
// nothing was heard: a wake-up that was lost costs no more than this.
const (
	checkFirst = time.Second
	checkMost  = 15 * time.Second
)

// planCheck sees to it that the stream is compared with the store while it is
// followed: a second after the last activity, and then ever more rarely. The
// lock is held.
func (t *topic) planCheck() {
	if t.checking || t.dropped || t.followers == 0 {
		return
	}
	t.checking = true
	t.interval = max(t.interval, checkFirst)
	t.hub.wheel.Do(t.interval, t.check)
}

// check looks at the store, or plans to do so later if the stream was active in
// the meantime.
func (t *topic) check() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checking = false
	if quiet := time.Since(t.active); quiet < checkFirst {
		t.planCheck()
		return
	}
	if t.followers == 0 || t.dropped {
		return
	}
	t.interval = min(2*max(t.interval, checkFirst), checkMost)
	t.wantRefresh()
}
