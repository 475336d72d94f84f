package hub

import (
	"sync/atomic"

	"github.com/freshet-stream/freshet"
)

// An Encoder turns a record into the bytes in which a transport sends it. The
// window keeps what it returns with the record, for all followers of that
// transport. Encoders are compared by address.
type Encoder struct {
	// Encode appends to dst. It depends on nothing but r.
	Encode func(dst []byte, r *freshet.Record) []byte
}

// An entry is a record in a window, with the fragments that encoders made of it.
type entry struct {
	freshet.Record
	fragments atomic.Pointer[fragment]
}

type fragment struct {
	encoder *Encoder
	bytes   []byte
	next    *fragment
}

// entryOverhead is what an entry costs beside its record's content, in bytes.
const entryOverhead = 160

func (e *entry) size() int { return e.Size() + entryOverhead }

func (e *entry) fragment(encoder *Encoder) []byte {
	var made *fragment
	for {
		head := e.fragments.Load()
		for f := head; f != nil; f = f.next {
			if f.encoder == encoder {
				return f.bytes
			}
		}
		if made == nil {
			made = &fragment{encoder: encoder, bytes: encoder.Encode(nil, &e.Record)}
		}
		made.next = head
		if e.fragments.CompareAndSwap(head, made) {
			return made.bytes
		}
	}
}

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
	if o.Seq < w.base.Seq || o.Seq > w.tail.Seq {
		return false
	}
	return w.at(o.Seq) == o
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
func (w *window) after(o freshet.Offset, limit int) []*entry {
	rest := w.entries[o.Seq-w.base.Seq:]
	size := 0
	for i, e := range rest {
		size += e.Size()
		if size > limit && i > 0 {
			return rest[:i:i]
		}
	}
	return rest[:len(rest):len(rest)]
}

// extend adds records that begin at the window's tail, then lets the oldest go
// until at most limit bytes are left. It returns by how much the window grew.
func (w *window) extend(records []freshet.Record, limit int) (grown int) {
	before := w.bytes
	slab := make([]entry, len(records))
	for i := range records {
		e := &slab[i]
		e.Record = records[i]
		w.entries = append(w.entries, e)
		w.bytes += e.size()
		w.tail = e.Offset
	}
	w.trim(limit)
	return w.bytes - before
}

func (w *window) trim(limit int) {
	n := 0
	for w.bytes > limit && n < len(w.entries) {
		w.bytes -= w.entries[n].size()
		w.base = w.entries[n].Offset
		n++
	}
	w.entries = w.entries[n:]
}

// reset empties the window and puts it at o. It returns by how much it grew,
// which is not positive.
func (w *window) reset(o freshet.Offset) (grown int) {
	grown = -w.bytes
	*w = window{base: o, tail: o}
	return grown
}
