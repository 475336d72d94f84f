package websocket

import "sync"

// bufferBytes is the capacity of a new buffer, keepBytes the largest that is
// kept for later.
const (
	bufferBytes = 4 << 10
	keepBytes   = 4 * spillBytes
)

// A pool has the buffers in which connections gather what they write; none is
// theirs between two writes. It may be used concurrently.
type pool struct{ buffers sync.Pool }

// take returns an empty buffer.
func (p *pool) take() *[]byte {
	if b, ok := p.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, bufferBytes)
	return &b
}

// give takes a buffer back.
func (p *pool) give(b *[]byte) {
	if cap(*b) <= keepBytes {
		*b = (*b)[:0]
		p.buffers.Put(b)
	}
}
