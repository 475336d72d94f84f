package hub

import (
	"time"

	"github.com/freshet-stream/freshet"
)

// hint takes what the store has to say of the stream.
func (t *topic) hint(hint freshet.Hint) {
	if hint.Batch != nil {
		t.offer(*hint.Batch)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watched() {
		t.wantLook()
	}
}

// watched reports whether news of the stream concern the topic, which may be
// there only for appends. The lock is held.
func (t *topic) watched() bool {
	return t.followers > 0 || t.stop != nil || t.looking
}

// offer is the one door through which news of a stream enters its window. What
// neither continues the window nor is known has the store looked at.
func (t *topic) offer(b freshet.Batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.dropped || !t.watched():
	case t.phase != live:
		t.wantLook()
	case b.From == t.win.tail:
		if len(b.Records) > 0 || b.Closed != nil {
			t.extend(b.Records, b.Closed)
		}
	case t.win.holds(b.Tail) && (b.Closed == nil || t.info.Closed != nil):
	default:
		t.wantLook()
	}
}

// extend adds news at the window's tail. closed is how the stream ended there,
// if it did. The lock is held.
func (t *topic) extend(records []freshet.Record, closed *freshet.Closure) {
	turned := (closed == nil) != (t.info.Closed == nil)
	t.info.Closed = closed
	now := time.Now()
	if len(records) > 0 {
		t.growWindow(records)
		t.info.Tail, t.info.Appended, t.info.Touched = t.win.tail, now, now
	}
	if turned || len(records) > 0 {
		t.active, t.interval = now, 0
		t.planCheck()
	}
	switch {
	case turned:
		t.wake()
	case len(records) > 0:
		t.wakeReaders()
	}
}

// install makes what a look saw the window, which ended at start when the look
// began and may have been extended since. The lock is held.
func (t *topic) install(start freshet.Offset, seen sight) {
	if !t.rebase(start, seen) {
		t.wantLook()
		return
	}
	records, end := seen.Records, seen.from
	if n := len(records); n > 0 {
		end = records[n-1].Offset
	}
	for i := range records {
		if records[i].Offset == t.win.tail {
			records = records[i+1:]
			break
		}
	}
	switch {
	case len(records) < len(seen.Records), t.win.tail == seen.from:
	case t.win.holds(seen.Info.Tail):
		t.age(seen.Info.Oldest)
		return // what was seen is older than the window
	default:
		t.wantLook()
		return
	}
	switch {
	case end == seen.Info.Tail:
		t.chased = 0
		t.extend(records, seen.Info.Closed)
		t.info = seen.Info
		t.age(seen.Info.Oldest)
		t.keepSight(seen)
	case seen.anew || t.chased >= chaseMost:
		t.chased = 0
		t.info = seen.Info
		t.resetWindow(seen.Info.Tail)
		t.keepSight(seen)
		t.wake()
	default:
		t.chased++
		t.extend(records, nil)
		t.wantLook()
	}
}

// keepSight keeps for a moment what the first look saw and the window does not
// hold: whoever it was made for wants it next. The lock is held.
func (t *topic) keepSight(seen sight) {
	if seen.anew && !t.win.holds(seen.from) {
		t.keep(newPage(seen.from, seen.Page))
	}
}

// rebase lets the window begin or fork where a look found that it has to. It
// reports whether it could. The lock is held.
func (t *topic) rebase(start freshet.Offset, seen sight) bool {
	switch {
	case t.phase != live:
		t.phase, t.why = live, ""
		t.resetWindow(seen.from)
		t.wake()
	case seen.from == start:
	case t.win.tail != start:
		return false // it was extended from what the look found to be lost
	case seen.anew:
		t.resetWindow(seen.from)
		t.wake()
	default:
		t.cutWindow(seen.from)
		t.wake()
	}
	return true
}

// vanish notes that the stream does not exist. The lock is held.
func (t *topic) vanish() {
	switch {
	case t.phase == absent:
		return
	case t.phase == fresh:
		t.why = freshet.GapUnknown
	case t.info.Expired(time.Now().Add(time.Second)):
		t.why = freshet.GapExpired
	default:
		t.why = freshet.GapDeleted
	}
	t.phase = absent
	// Who has records of it still to write needs to know what they are.
	t.info, t.lost = freshet.Info{Spec: t.info.Spec}, fork{}
	t.resetWindow(freshet.Offset{})
	t.wake()
}
