package load

import (
	"bytes"
	"strconv"
	"time"
)

// AppendStamp appends a mark and the time, by which who reads it can tell how
// long it was on its way.
func AppendStamp(dst []byte) []byte {
	dst = append(dst, mark)
	dst = append(dst, make([]byte, stampDigits)...)
	writeTime(dst[len(dst)-stampDigits:], now())
	return dst
}

// Heard is what callers have heard of answers whose tokens have stamps.
type Heard struct {
	// First are the times from the begin of a request to its first token, and
	// Delays those from the writing of each token to its arrival.
	First, Delays []time.Duration
	// Held counts the tokens that came no sooner than their successor was
	// written, although it was written a good while after them.
	Held int64
}

// An answer is what a caller hears after a request.
type answer struct {
	// gap is what lies between two tokens, and asked when the request began.
	gap, asked time.Duration
	tokens     int
	// cut is the beginning of a stamp, or of the end, whose rest has not come.
	cut []byte
	// written and arrived are the times of the last token.
	written, arrived time.Duration
}

// finalChunk ends a body, after the end of a chunk (RFC 9112, section 7.1).
const finalChunk = "\r\n0\r\n\r\n"

// hear notes the tokens in what came at a time. It reports whether that was the
// end.
func (a *answer) hear(p []byte, at time.Duration, to *Heard) (ended bool) {
	p = append(a.cut, p...)
	a.cut = nil
	ended = bytes.HasSuffix(p, []byte(finalChunk))
	for {
		i := bytes.IndexByte(p, mark)
		if i < 0 {
			a.cut = bytes.Clone(p[max(len(p)-len(finalChunk), 0):])
			return ended
		}
		if p = p[i:]; len(p) <= stampDigits {
			a.cut = bytes.Clone(p)
			return ended
		}
		if written, err := strconv.ParseInt(string(p[1:1+stampDigits]), 10, 64); err == nil {
			a.token(time.Duration(written), at, to)
		}
		p = p[1+stampDigits:]
	}
}

// token notes a token.
func (a *answer) token(written, arrived time.Duration, to *Heard) {
	switch {
	case a.tokens == 0:
		to.First = append(to.First, arrived-a.asked)
	case a.arrived >= written && written-a.written >= a.gap/2:
		to.Held++
	}
	to.Delays = append(to.Delays, arrived-written)
	a.tokens++
	a.written, a.arrived = written, arrived
}

// Add adds what was heard at another time.
func (h *Heard) Add(more Heard) {
	h.First = append(h.First, more.First...)
	h.Delays = append(h.Delays, more.Delays...)
	h.Held += more.Held
}
