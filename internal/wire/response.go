// Package wire is the path on which the bytes of a long response reach the
// socket.
package wire

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A Response is an HTTP response that goes on until somebody ends it. One
// goroutine at a time may write.
type Response struct {
	w       http.ResponseWriter
	control *http.ResponseController
	release func() bool
}

// Start sends the status and the headers that were set on w. When ctx ends, a
// write that waits for a slow reader fails.
func Start(ctx context.Context, w http.ResponseWriter, status int) *Response {
	r := &Response{w: w, control: http.NewResponseController(w)}
	// The write deadline of the whole response, if the server set one, is for
	// answers and not for streams.
	_ = r.control.SetWriteDeadline(time.Time{})
	w.WriteHeader(status)
	r.release = context.AfterFunc(ctx, func() { _ = r.control.SetWriteDeadline(time.Now()) })
	return r
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
