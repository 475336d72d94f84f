package websocket

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet/internal/drain"
)

const (
	// spillBytes is how much is gathered for one write: when there is more, it
	// is written and the output is let go for a moment.
	spillBytes = 64 << 10
	// pieceBytes is how much a peer has to take within the timeout.
	pieceBytes = 128 << 10
)

// errClosing says that a close frame was sent, after which nothing may follow
// (RFC 6455, section 5.5.1).
var errClosing = errors.New("the connection is closing")

// An output writes to a connection, for one goroutine at a time. Its methods
// may be called concurrently. After an error of the connection it closes it.
type output struct {
	nc        net.Conn
	pool      *pool
	exchanges *drain.Group
	// deflate compresses messages; nil if they are not to be.
	deflate            *deflater
	heartbeat, timeout time.Duration

	// mu is held by whoever writes; err is why nothing can be written any more.
	mu     sync.Mutex
	err    error
	pinged time.Time

	// deadline guards until when a write may last: it is put off by writing
	// unless it is final.
	deadline struct {
		sync.Mutex
		at    time.Time
		final bool
	}
}

// take takes the output and returns an empty buffer for frames. Unless there is
// an error the caller calls release.
func (o *output) take() (*[]byte, error) {
	o.mu.Lock()
	if o.err != nil {
		defer o.mu.Unlock()
		return nil, o.err
	}
	return o.pool.take(), nil
}

// spill writes the buffer if it is full.
func (o *output) spill(b *[]byte) {
	if len(*b) >= spillBytes {
		o.write(*b)
		*b = (*b)[:0]
	}
}

// release writes what is in the buffer, with a ping if one is due, and lets the
// output go.
func (o *output) release(b *[]byte) error {
	defer o.mu.Unlock()
	if len(*b) > 0 {
		o.pingAfter(b, o.heartbeat)
		o.write(*b)
	}
	o.pool.give(b)
	return o.err
}

// ping sends a ping, unless another follow has just done so.
func (o *output) ping() error {
	b, err := o.take()
	if err != nil {
		return err
	}
	o.pingAfter(b, o.heartbeat/2)
	return o.release(b)
}

func (o *output) pingAfter(b *[]byte, d time.Duration) {
	if now := time.Now(); now.Sub(o.pinged) >= d {
		o.pinged = now
		*b = appendFrame(*b, ws.OpPing, nil)
	}
}

// pong answers a ping.
func (o *output) pong(payload []byte) error {
	return o.send(ws.OpPong, payload)
}

// send writes one message or control frame.
func (o *output) send(op ws.OpCode, payload []byte) error {
	b, err := o.take()
	if err != nil {
		return err
	}
	*b = appendFrame(*b, op, payload)
	return o.release(b)
}

// close sends the close frame, if that is possible until by; code 0 is none.
// A write that is under way is given until then, too.
func (o *output) close(code ws.StatusCode, reason string, by time.Time) {
	o.deadline.Lock()
	o.deadline.final = true
	_ = o.nc.SetWriteDeadline(by)
	o.deadline.Unlock()
	b, err := o.take()
	if err != nil {
		return
	}
	var payload []byte
	if code != 0 {
		payload = ws.NewCloseFrameBody(code, cut(reason, maxReasonBytes))
	}
	*b = appendFrame(*b, ws.OpClose, payload)
	o.write(*b)
	if o.err == nil {
		o.err = errClosing
	}
	o.pool.give(b)
	o.mu.Unlock()
}

// write writes p. The caller has taken the output.
func (o *output) write(p []byte) {
	for len(p) > 0 && o.err == nil {
		o.arm()
		n := min(len(p), pieceBytes)
		if _, err := o.nc.Write(p[:n]); err != nil {
			o.err = err
			_ = o.nc.Close()
			return
		}
		o.exchanges.Sent(drain.WebSocket, n)
		p = p[n:]
	}
}

// arm gives the next write its time. Moving the deadline is put off while that
// is about half there, so that it costs nothing in most writes.
func (o *output) arm() {
	d := &o.deadline
	d.Lock()
	defer d.Unlock()
	if now := time.Now(); !d.final && d.at.Sub(now) < o.timeout/2 {
		d.at = now.Add(o.timeout)
		_ = o.nc.SetWriteDeadline(d.at)
	}
}
