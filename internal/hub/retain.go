package hub

import (
	"errors"

	"github.com/freshet-stream/freshet"
)

// A window may hold records that the stream no longer keeps: a burst that is
// larger than what is kept costs no follower anything that the window can still
// give it. But the beginning is the oldest record that is kept, whoever is asked.

// trim notes what the stream gave up with records that were added to the window.
// Since a stream keeps the longest run of appends that is within its bounds, the
// window knows without asking which that is, as far as it reaches. The lock is
// held.
func (t *topic) trim(added []freshet.Record) {
	info, w := &t.info, &t.win
	retain := info.Spec.Retain
	if retain.IsNone() {
		return
	}
	for i := range added {
		info.Bytes += int64(added[i].Size())
	}
	info.Tail = w.tail
	known := info.Oldest
	if known.Seq < w.base.Seq {
		if !retain.Exceeded(uint64(len(w.entries)), w.contents()) {
			return // the oldest record is not in the window
		}
		info.Oldest, info.Bytes = w.base, w.contents()
	}
	from := info.Oldest
	_ = info.Trim(func() (span freshet.Span, err error) {
		span, err = w.span(from)
		from = span.Last
		return span, err
	})
	if info.Oldest == w.base && known.Seq < w.base.Seq {
		info.Oldest = known // the window has only a part of the last append
	}
}

// span returns the append after a position of the window, as far as the window
// has it.
func (w *window) span(from freshet.Offset) (span freshet.Span, err error) {
	rest := w.entries[from.Seq-w.base.Seq:]
	if len(rest) == 0 {
		return span, errors.New("the window ends here")
	}
	for _, e := range rest {
		if e.Offset.Mark != rest[0].Offset.Mark {
			break
		}
		span.Last = e.Offset
		span.Bytes += int64(e.Size())
	}
	return span, nil
}

// contents is the size of the window's records.
func (w *window) contents() int64 {
	return int64(w.bytes-len(w.entries)*entryOverhead) / 2
}

// age lets go of what the store no longer keeps, if that may be since it was too
// old: then nobody is to get it any more. The lock is held.
func (t *topic) age(oldest freshet.Offset) {
	if t.info.Spec.Retain.Age == 0 {
		return
	}
	if oldest.Seq > t.info.Oldest.Seq {
		t.info.Oldest = oldest
	}
	if len(t.kept) > 0 && t.kept[0].base.Seq < oldest.Seq {
		t.forgetPages()
	}
	w := &t.win
	if oldest.Seq <= w.base.Seq || oldest.Seq > w.tail.Seq || w.at(oldest.Seq) != oldest {
		return
	}
	t.hub.windowBytes.Add(int64(w.drop(int(oldest.Seq - w.base.Seq))))
	t.wake()
}

// drop takes the first n entries out. It returns by how much the window grew,
// which is not positive.
func (w *window) drop(n int) (grown int) {
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
