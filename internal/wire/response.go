// Package wire is the path on which the bytes of a long response reach the
// socket.
package wire

import (
	"net/http"
	"sync"
	"time"
)

// A Response is an HTTP response that goes on until somebody ends it. One
// goroutine at a time may write.
type Response struct {
	w       http.ResponseWriter
	control *http.ResponseController
	// left and closed take back what waits for the reader to leave and for the
	// group to be closed.
	left, closed func() bool

	// mu guards over, which says that w is no longer ours: net/http may have
	// given it to another request, or to nobody.
	mu   sync.Mutex
	over bool
}

// cut lets a write that is under way fail, and those that follow.
func (r *Response) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		// Over HTTP/2 a time in the past resets the stream at once.
		_ = r.control.SetWriteDeadline(time.Unix(1, 0))
	}
}

// release comes before w is given back.
func (r *Response) release() {
	r.left()
	r.closed()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
}

// Write sends p at once.
func (r *Response) Write(p []byte) error {
	if _, err := r.w.Write(p); err != nil {
		return err
	}
	return r.control.Flush()
}

// End lets the response end as a whole one.
func (r *Response) End() { r.release() }

// Abort ends the response so that its reader can tell that it is not whole: by
// closing the connection without a final chunk, or by resetting the stream of
// HTTP/2 (RFC 9113, section 8.1.1). It does not return.
func (r *Response) Abort() {
	r.release()
	panic(http.ErrAbortHandler)
}

// buffers hold what a follower is about to write. While it waits it has none.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the capacity up to which a buffer is kept.
const keepBuffer = 64 << 10

// Buffer returns an empty buffer, to be given back with Recycle.
func Buffer() *[]byte { return buffers.Get().(*[]byte) }

// Recycle takes a buffer back.
func Recycle(b *[]byte) {
	if cap(*b) > keepBuffer {
		return
	}
	*b = (*b)[:0]
	buffers.Put(b)
}
