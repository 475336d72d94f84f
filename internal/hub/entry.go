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

// entryOverhead is what an entry costs beside contents, in bytes.
const entryOverhead = 160

// entryBytes is what a record costs in a window: its content, and as much again
// for what encoders make of it.
func entryBytes(r *freshet.Record) int { return 2*r.Size() + entryOverhead }

// fragment returns what encoder makes of the record. Followers that ask at the
// same time for the first time may each do the work.
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
