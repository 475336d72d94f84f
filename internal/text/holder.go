// Package text prepares the records of text streams for transports that carry
// only whole characters.
package text

import (
	"slices"
	"unicode/utf8"
)

// holdMost bounds what a Holder holds, in bytes. A producer that never ends an
// append between two characters gets there; what is held then leaves as it is.
const holdMost = 16 << 20

// A Holder holds back the records of a stream that end inside a character until
// the rest of it has come. The zero value is ready for use. It is not safe for
// concurrent use. It keeps references to what it holds, not copies.
type Holder struct {
	held [][]byte
	size int
}

// Take takes the next record's data. If all that was taken so far ends between
// two characters, ok is true and text is what has not left yet: data itself, and
// alone is true, or data joined with what was held. Otherwise data is held.
func (h *Holder) Take(data []byte) (text []byte, alone, ok bool) {
	if len(h.held) == 0 && !endsInside(data) {
		return data, true, true
	}
	h.held = append(h.held, data)
	h.size += len(data)
	if h.size <= holdMost && endsInside(h.tail()) {
		return nil, false, false
	}
	return h.Flush(), false, true
}

// Flush returns what is held, which then is not any more: at the end of a
// stream an incomplete character stays one.
func (h *Holder) Flush() []byte {
	text := slices.Concat(h.held...)
	h.Reset()
	return text
}

// Holding reports whether anything is held.
func (h *Holder) Holding() bool { return len(h.held) > 0 }

// Reset forgets what is held.
func (h *Holder) Reset() { *h = Holder{} }

// tail returns the last bytes of what is held, enough to see whether they end
// inside a character.
func (h *Holder) tail() []byte {
	var last []byte
	for i := len(h.held) - 1; i >= 0 && len(last) < utf8.UTFMax; i-- {
		part := h.held[i]
		part = part[max(0, len(part)-utf8.UTFMax):]
		last = append(slices.Clone(part), last...)
	}
	return last
}

// endsInside reports whether p ends with the beginning of a character.
func endsInside(p []byte) bool {
	for i := len(p) - 1; i >= max(0, len(p)-utf8.UTFMax); i-- {
		if utf8.RuneStart(p[i]) {
			return !utf8.FullRune(p[i:])
		}
	}
	return false
}
