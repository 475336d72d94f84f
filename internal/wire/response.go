// Package wire is the path on which the bytes of a long response reach the
// socket.
package wire

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
)

// partingTime is for how long a write may wait for a slow reader once the
// response is to end. What others are being sent is not cut in the middle.
const partingTime = time.Second

// A Response is an HTTP response that goes on until somebody ends it. One
// goroutine at a time may write.
type Response struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context
	cancel  context.CancelCauseFunc
	group   *drain.Group
	kind    drain.Kind
	member  *drain.Member
	// left takes back what waits for the reader to leave.
	left func() bool

	// mu guards over, which says that w is no longer ours: net/http may have
	// given it to another request, or to nobody.
	mu   sync.Mutex
	over bool
}

// Start sends the status and the headers that were set on w, and makes the
// response one of the group. When ctx ends, a write that waits for a slow reader
// fails. The response has to be ended, with End or Abort.
func Start(ctx context.Context, w http.ResponseWriter, status int, group *drain.Group, kind drain.Kind) *Response {
	r := &Response{w: w, control: http.NewResponseController(w), group: group, kind: kind}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	// The write deadline of the whole response, if the server set one, is for
	// answers and not for streams.
	_ = r.control.SetWriteDeadline(time.Time{})
	w.WriteHeader(status)
	r.left = context.AfterFunc(ctx, r.cut)
	r.member = group.Join(kind, r.part)
	return r
}

// Context returns a context that ends when the reader leaves and, with
// [freshet.ErrShutdown] as its cause, when the response is to end because the
// server does.
func (r *Response) Context() context.Context { return r.ctx }

// cut lets a write that is under way fail, and those that follow. Over HTTP/2 a
// time in the past resets the stream at once.
func (r *Response) cut() { r.writeUntil(time.Unix(1, 0)) }

// part lets the response end.
func (r *Response) part() {
	r.cancel(freshet.ErrShutdown)
	r.writeUntil(time.Now().Add(partingTime))
}

func (r *Response) writeUntil(deadline time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		_ = r.control.SetWriteDeadline(deadline)
	}
}

// release comes before w is given back.
func (r *Response) release() {
	r.left()
	r.member.Leave()
	r.cancel(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
}

// Write sends p at once.
func (r *Response) Write(p []byte) error {
	if _, err := r.w.Write(p); err != nil {
		return err
	}
	r.group.Sent(r.kind, len(p))
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

// keepBuffer is the capacity up to which a buffer is kept: that of a page of
// records as it is written. A crowd that reads pages makes no garbage then.
const keepBuffer = 96 << 10

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
