package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet/internal/drain"
)

// A session gives meaning to the messages of a connection.
type session interface {
	// message takes what the client sent. It may keep payload. A *fault ends
	// the connection.
	message(op ws.OpCode, payload []byte) error
}

// A conn is one WebSocket. Of the goroutines in run and rest there is one, which
// reads from it and ends it; stop, out and jobs may be used by any.
type conn struct {
	t       *Transport
	nc      net.Conn
	session session
	// ctx ends when the connection begins to end. Follows run under it.
	ctx    context.Context
	cancel context.CancelCauseFunc

	in   receiver
	line lifeline
	out  output
	jobs queue
	// ending is set when the server wants the connection to end.
	ending atomic.Pointer[fault]
	member *drain.Member
}

// A fault ends a connection with a close code and a reason.
type fault struct {
	code   ws.StatusCode
	reason string
}

func (f *fault) Error() string { return f.reason }

var (
	// errStopped says that the server wants the connection to end.
	errStopped = errors.New("stopped")
	// errSilent says that the peer is gone.
	errSilent = errors.New("nothing was heard of the peer")
	// errEnded is why the follows of a connection end with it.
	errEnded = errors.New("the connection has ended")
)

// newConn returns a connection that is not served yet. early is what the client
// has sent already; limit bounds its messages.
func (t *Transport) newConn(asked handshake, nc net.Conn, early []byte, limit int) *conn {
	c := &conn{t: t, nc: nc}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.out = output{nc: nc, pool: &t.pool, exchanges: t.opts.Exchanges, heartbeat: t.opts.Heartbeat, timeout: t.opts.Timeout, pinged: time.Now()}
	c.line.c = c
	c.in = receiver{in: input{src: &c.line, early: early}, limit: limit, pong: c.out.pong}
	if asked.deflate != "" {
		c.in.inflate, c.out.deflate = &t.inflate, &t.deflate
	}
	c.jobs.start = t.work.Go
	return c
}

// stop lets the connection end with a close code. The first call counts.
func (c *conn) stop(code ws.StatusCode, reason string) {
	if c.ending.CompareAndSwap(nil, &fault{code, reason}) {
		_ = c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// restart lets the connection end because the server does.
func (c *conn) restart() {
	c.stop(statusRestart, "the server is shutting down; connect again")
}

// run serves the connection until it has ended or there is nothing to read.
func (c *conn) run() {
	if err := c.receive(); !errors.Is(err, errResting) {
		c.end(err)
		return
	}
	go c.rest()
}

// rest waits for the peer and lets run go on. Nearly all connections are here
// nearly always: what it is for is that its goroutine, which is new and does
// nothing else, needs the least stack that there is.
func (c *conn) rest() {
	defer c.rested()
	c.line.n, c.line.readErr = 0, errPanic
	c.line.n, c.line.readErr = c.nc.Read(c.in.in.buf[:])
}

// end ends the connection for the reason for which reading ended.
func (c *conn) end(err error) {
	defer c.t.leave(c)
	defer c.nc.Close()
	defer c.contain()
	c.cancel(errEnded)
	var end *fault
	var closed *closed
	switch {
	case errors.Is(err, errStopped):
		end = c.ending.Load()
		c.finish(end.code, end.reason)
		c.awaitClose()
	case errors.As(err, &closed):
		c.finish(closed.code, "")
	case errors.As(err, &end):
		c.finish(end.code, end.reason)
	default:
		return
	}
	c.linger()
}

// receive hands messages to the session until the connection is to end.
func (c *conn) receive() (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.t.logPanic(p)
			err = errPanic
		}
	}()
	for {
		op, payload, err := c.in.next()
		if err != nil {
			return err
		}
		if err := c.session.message(op, payload); err != nil {
			return err
		}
	}
}

// push adds what is to be done in order.
func (c *conn) push(size int, do func()) {
	c.jobs.push(size, func() {
		defer c.contain()
		do()
	})
}

// finish waits for what is to be appended and sends the close frame. From now
// on neither reading nor writing waits for longer than CloseWait.
func (c *conn) finish(code ws.StatusCode, reason string) {
	wait := time.NewTimer(c.t.opts.CloseWait)
	defer wait.Stop()
	select {
	case <-c.jobs.idle():
	case <-wait.C:
	}
	by := time.Now().Add(c.t.opts.CloseWait)
	c.out.close(code, reason, by)
	_ = c.nc.SetReadDeadline(by)
}

// awaitClose reads until the peer's close frame.
func (c *conn) awaitClose() {
	c.in.discard = true
	for {
		if _, _, err := c.in.next(); err != nil {
			return
		}
	}
}

// lingerBytes bounds what is read of a peer that does not stop sending.
const lingerBytes = 64 << 20

// linger says that nothing more will be sent, and reads until the peer has said
// so too.
func (c *conn) linger() {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(c.nc, lingerBytes))
}
