package hub

import "github.com/freshet-stream/freshet"

// bound lets go of what the stream gave up with the last append, if it bounds
// its records. Since a stream keeps the longest run of appends that is within
// its bounds, the window knows without asking which that is, as far as it
// reaches. The lock is held.
func (t *topic) bound() {
	retain := t.info.Spec.Retain
	if retain.IsNone() {
		return
	}
	before := t.win.base
	t.hub.windowBytes.Add(int64(t.win.bound(retain)))
	if t.win.base != before {
		t.info.Oldest = t.win.base
	}
}

// startAt lets go of what the store no longer keeps: what is before oldest. The
// lock is held.
func (t *topic) startAt(oldest freshet.Offset) {
	if oldest.Seq > t.info.Oldest.Seq {
		t.info.Oldest = oldest
	}
	w := &t.win
	if oldest.Seq <= w.base.Seq || oldest.Seq > w.tail.Seq || w.at(oldest.Seq) != oldest {
		return
	}
	t.hub.windowBytes.Add(int64(w.dropFirst(int(oldest.Seq - w.base.Seq))))
	t.wake()
}

// bound takes the oldest appends out, or what the window has of them, until it
// is within the bounds, or has one append. It returns by how much the window
// grew, which is not positive.
func (w *window) bound(retain freshet.Retain) (grown int) {
	for n := len(w.entries); n > 0 && retain.Exceeded(uint64(n), w.contents()); n = len(w.entries) {
		first := w.entries[0].Offset.Mark
		k := 1
		for k < n && w.entries[k].Offset.Mark == first {
			k++
		}
		if k == n {
			break
		}
		grown += w.dropFirst(k)
	}
	return grown
}

// contents is the size of the window's records.
func (w *window) contents() int64 {
	return int64(w.bytes-len(w.entries)*entryOverhead) / 2
}

// dropFirst takes the first n entries out. It returns by how much the window
// grew, which is not positive.
func (w *window) dropFirst(n int) (grown int) {
	before := w.bytes
	for _, e := range w.entries[:n] {
		w.bytes -= entryBytes(&e.Record)
		w.base = e.Offset
	}
	if w.entries = w.entries[n:]; len(w.entries) == 0 {
		w.entries = nil
	}
	return w.bytes - before
}
