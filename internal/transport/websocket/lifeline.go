package websocket

import (
	"errors"
	"os"
	"time"
)

// A lifeline reads from a connection and notices that the peer is gone, or that
// the connection is to end.
type lifeline struct {
	c *conn
	// armed is until when reading waits.
	armed time.Time
}

// Read reads what has come. Besides those of the connection, the error is
// errStopped or errSilent.
func (l *lifeline) Read(p []byte) (int, error) {
	c := l.c
	since := time.Now()
	for now := since; ; now = time.Now() {
		if c.ctx.Err() == nil {
			l.arm(now, since.Add(c.t.opts.Timeout))
			// After arm, which may have undone what stop did.
			if c.ending.Load() != nil {
				return 0, errStopped
			}
		}
		n, err := c.nc.Read(p)
		switch {
		case n > 0:
			return n, nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return 0, err
		case c.ctx.Err() != nil:
			return 0, errSilent
		case c.ending.Load() != nil:
			return 0, errStopped
		case time.Since(since) >= c.t.opts.Timeout:
			return 0, errSilent
		}
		if err := c.out.ping(); err != nil {
			return 0, err
		}
	}
}

// arm lets reading wait until last at most, and for no longer than it takes the
// answer to come to a ping that a follow sends. Where there is no follow, that is
// how pings are sent all the same. Moving the deadline is put off while it is
// nearly right.
func (l *lifeline) arm(now, last time.Time) {
	heartbeat := l.c.t.opts.Heartbeat
	by := now.Add(heartbeat + heartbeat/2)
	if by.After(last) {
		by = last
	}
	if now.Before(l.armed) && !by.Before(l.armed) && by.Sub(l.armed) < heartbeat/4 {
		return
	}
	l.armed = by
	_ = l.c.nc.SetReadDeadline(by)
}
