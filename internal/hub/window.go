package hub

import "github.com/freshet-stream/freshet"

// A window holds the most recent records of a stream: those between base and
// tail. Its entries are only ever added at the end and taken from the front, so
// that a slice of them stays valid when the window moves on; the array behind
// it, with what was taken, is given up when it next has to grow.
type window struct {
	base, tail freshet.Offset
	entries    []*entry
	bytes      int
}

// holds reports whether reading can go on at o from the window. That o has the
// number of a position in the window but another mark means that it does not
// lie in the window's history.
func (w *window) holds(o freshet.Offset) bool {
	return o.Seq >= w.base.Seq && o.Seq <= w.tail.Seq && w.at(o.Seq) == o
}

// at returns the position with a number between those of base and tail.
func (w *window) at(seq uint64) freshet.Offset {
	if seq == w.base.Seq {
		return w.base
	}
	return w.entries[seq-w.base.Seq-1].Offset
}

// after returns the entries after o, which the window holds, up to limit bytes
// and at least one if there is one.
func (w *window) after(o freshet.Offset, limit freshet.Limit) []*entry {
	rest := w.entries[o.Seq-w.base.Seq:]
	n, size := 0, 0
	for n < len(rest) && limit.Takes(n, size, rest[n].Size()) {
		size += rest[n].Size()
		n++
	}
	return rest[:n:n]
}

// extend adds records, of which there is at least one and which begin at the
// window's tail, and lets the oldest go so that at most limit bytes are left.
// What it keeps it copies: records often share one large array with others that
// are not kept. It returns by how much the window grew.
func (w *window) extend(records []freshet.Record, limit int) (grown int) {
	before := w.bytes
	first, bytes, data := len(records), 0, 0
	for first > 0 && bytes+entryBytes(&records[first-1]) <= limit {
		first--
		bytes += entryBytes(&records[first])
		data += len(records[first].Data)
	}
	if first > 0 {
		w.reset(records[first-1].Offset)
		records = records[first:]
	}
	w.trim(limit - bytes)
	entries, copies := make([]entry, len(records)), make([]byte, 0, data)
	for i := range records {
		e := &entries[i]
		e.Record = records[i]
		start := len(copies)
		copies = append(copies, e.Data...)
		e.Data = copies[start:len(copies):len(copies)]
		w.entries = append(w.entries, e)
		w.tail = e.Offset
	}
	w.bytes += bytes
	return w.bytes - before
}

// trim lets the oldest entries go until at most limit bytes are left.
func (w *window) trim(limit int) {
	n := 0
	for w.bytes > limit && n < len(w.entries) {
		w.bytes -= entryBytes(&w.entries[n].Record)
		w.base = w.entries[n].Offset
		n++
	}
	if w.entries = w.entries[n:]; len(w.entries) == 0 {
		w.entries = nil
	}
}

// cut takes out the entries after o, which the window holds. It returns by how
// much the window grew, which is not positive.
func (w *window) cut(o freshet.Offset) (grown int) {
	before := w.bytes
	n := int(o.Seq - w.base.Seq)
	for _, e := range w.entries[n:] {
		w.bytes -= entryBytes(&e.Record)
	}
	// What followers hold of the array is not to be written over.
	w.entries = w.entries[:n:n]
	w.tail = o
	return w.bytes - before
}

// reset empties the window and puts it at o. It returns by how much it grew,
// which is not positive.
func (w *window) reset(o freshet.Offset) (grown int) {
	grown = -w.bytes
	*w = window{base: o, tail: o}
	return grown
}
