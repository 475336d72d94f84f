package websocket

import (
	"runtime/debug"

	"github.com/gobwas/ws"
)

// errPanic ends a connection over a bug of ours.
var errPanic = &fault{ws.StatusInternalServerError, "internal: the server met an unexpected error; its log has the cause"}

// contain is deferred by the goroutines of a connection: a panic ends the
// connection and not the process.
func (c *conn) contain() {
	if p := recover(); p != nil {
		c.t.logPanic(p)
		c.stop(errPanic.code, errPanic.reason)
	}
}

// rested lets reading go on after conn.rest.
func (c *conn) rested() {
	if p := recover(); p != nil {
		c.t.logPanic(p)
	}
	c.line.rested = true
	go c.run()
}

func (t *Transport) logPanic(p any) {
	t.opts.Logger.Error("panic in a WebSocket", "panic", p, "stack", string(debug.Stack()))
}

// put takes the output back from somebody who panics between take and release:
// what was gathered is dropped, and what is written next begins a frame.
func (o *output) put(b *[]byte) {
	if p := recover(); p != nil {
		o.pool.give(b)
		o.mu.Unlock()
		panic(p)
	}
}
