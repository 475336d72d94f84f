package faultproxy

import (
	"net"
	"sync"
	"time"
)

// A link is a connection of a client and the one of the server behind it.
type link struct {
	proxy          *Proxy
	client, server net.Conn

	mu sync.Mutex
	// left is how many bytes may still pass, or -1 for all.
	left int
	// over says that the link was cut, or that one end has closed. cutNow says
	// that it is to be cut, and stalled that it carries nothing any more.
	over, cutNow, stalled bool
	// sight looks at what the client was sent.
	sight sight
}

// run passes bytes on until either end closes or the link is cut.
func (l *link) run() {
	var up sync.WaitGroup
	up.Go(func() { l.pass(l.server, l.client, l.proxy.opts.Side == Both, false) })
	l.pass(l.client, l.server, true, true)
	up.Wait()
}

// pass copies from one end to the other. Its bytes count if counted is set.
func (l *link) pass(to, from net.Conn, counted, down bool) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		send, last := l.take(buf[:n], counted, down)
		if len(send) > 0 {
			l.proxy.wait()
			if _, writeErr := to.Write(send); writeErr != nil && err == nil {
				err = writeErr
			}
		}
		if last || err != nil && down && l.interrupted() {
			l.cut()
			return
		}
		if err != nil {
			l.end()
			return
		}
	}
}

// take returns how much of what was read may pass, and whether the link is to be
// cut after it.
func (l *link) take(read []byte, counted, down bool) (send []byte, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.stalled {
		return nil, false
	}
	if counted && l.left >= 0 {
		if len(read) >= l.left {
			read, last, l.over = read[:l.left], true, true
		}
		l.left -= len(read)
	}
	if down {
		l.sight.see(read)
	}
	return read, last
}

// cut ends the link as a fault, and the server's end with it.
func (l *link) cut() {
	l.mu.Lock()
	inside := l.sight.insideEvent()
	l.mu.Unlock()
	// The other direction is to read no more of what the client sends.
	_ = l.server.Close()
	_ = l.client.SetReadDeadline(time.Now())
	l.proxy.cut(l.client, inside)
}

// end closes both ends as one of them did.
func (l *link) end() {
	l.mu.Lock()
	over := l.over
	l.over = true
	l.mu.Unlock()
	if !over {
		_ = l.server.Close()
		_ = l.client.Close()
	}
}
