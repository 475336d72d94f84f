package wire

import (
	"context"
	"net/http"
	"time"
)

// A Group is the long responses of a server, which end with it. Its methods may
// be called concurrently.
type Group struct {
	ctx   context.Context
	close context.CancelFunc
}

// NewGroup returns a group without responses. The caller closes it.
func NewGroup() *Group {
	g := new(Group)
	g.ctx, g.close = context.WithCancel(context.Background())
	return g
}

// Close lets every write fail that waits for a slow reader, now and later.
// Nothing else would end such a response before its reader goes on reading.
func (g *Group) Close() { g.close() }

// Start sends the status and the headers that were set on w. When ctx ends, or
// the group is closed, a write that waits for a slow reader fails. The response
// has to be ended, with End or Abort.
func (g *Group) Start(ctx context.Context, w http.ResponseWriter, status int) *Response {
	r := &Response{w: w, control: http.NewResponseController(w)}
	// The write deadline of the whole response, if the server set one, is for
	// answers and not for streams.
	_ = r.control.SetWriteDeadline(time.Time{})
	w.WriteHeader(status)
	r.left = context.AfterFunc(ctx, r.cut)
	r.closed = context.AfterFunc(g.ctx, r.cut)
	return r
}
