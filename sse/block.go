package sse

import "unicode/utf8"

// block is the unfinished block: the standard's data buffer, event type buffer
// and last event ID buffer.
type block struct {
	typ   []byte
	id    []byte // meaningful if hasID
	hasID bool

	// The data of a block with one data field, which is what nearly all have,
	// is not copied: it is sole, part of the input buffer. Otherwise joined
	// holds the value of each field and an LF after each, and sole is nil.
	sole   []byte
	joined []byte
}

// reset empties the block. It keeps the memory for the next one unless that is
// a lot.
func (b *block) reset() {
	b.hasID = false
	b.sole = nil
	b.typ = recycle(b.typ)
	b.id = recycle(b.id)
	b.joined = recycle(b.joined)
}

// addData adds a line of data, which is valid until the next read.
func (b *block) addData(line []byte) {
	if b.sole == nil && len(b.joined) == 0 && utf8.Valid(line) {
		b.sole = line
		return
	}
	b.detach()
	b.joined = append(AppendValid(b.joined, line), '\n')
}

// detach makes the block independent of the input buffer.
func (b *block) detach() {
	if b.sole != nil {
		b.joined = append(append(b.joined, b.sole...), '\n')
		b.sole = nil
	}
}

// data returns the lines of data joined with LF, or nil if there is none.
func (b *block) data() []byte {
	if n := len(b.joined); n > 0 {
		return b.joined[:n-1]
	}
	return b.sole
}

// dataSize returns len(b.data()).
func (b *block) dataSize() int {
	return max(len(b.sole), len(b.joined)-1)
}

func recycle(b []byte) []byte {
	if cap(b) > maxIdleBuffer {
		return nil
	}
	return b[:0]
}
