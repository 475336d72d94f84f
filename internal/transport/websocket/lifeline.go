package websocket

import (
	"errors"
	"os"
	"time"
)

// errResting says that there is nothing to read for now: reading goes on in
// conn.rest.
var errResting = errors.New("nothing to read")

// A lifeline reads from a connection and notices that the peer is gone, or that
// the connection is to end.
type lifeline struct {
	c *conn
	// since is when waiting for the peer began; zero is not yet.
	since time.Time
	// armed is until when reading waits.
	armed time.Time

	// stays says that the peer sends often enough for a goroutine to stay.
	stays bool
	// rested says that conn.rest has read, and what came of it.
	rested  bool
	n       int
	readErr error
}

// Read reads what has come. Besides those of the connection, the error is
// errStopped, errSilent or errResting.
func (l *lifeline) Read(p []byte) (int, error) {
	c := l.c
	for {
		if !l.rested {
			if ready, err := l.prepare(); !ready {
				return 0, err
			}
			l.n, l.readErr = c.nc.Read(p)
		}
		l.rested = false
		switch n, err := l.n, l.readErr; {
		case n > 0:
			l.since = time.Time{}
			return n, nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return 0, err
		case c.ctx.Err() != nil:
			return 0, errSilent
		case c.ending.Load() != nil:
			return 0, errStopped
		case time.Since(l.since) >= c.t.opts.Timeout:
			return 0, errSilent
		}
		if err := c.out.ping(); err != nil {
			return 0, err
		}
	}
}

// prepare sees to it that reading does not wait for too long. It reports whether
// reading is to be done here and now.
func (l *lifeline) prepare() (bool, error) {
	c := l.c
	if c.ctx.Err() != nil {
		return true, nil
	}
	now := time.Now()
	if l.since.IsZero() {
		l.since = now
	}
	l.arm(now, l.since.Add(c.t.opts.Timeout))
	switch {
	// After arm, which may have undone what stop did.
	case c.ending.Load() != nil:
		return false, errStopped
	case !l.stays && c.in.resting():
		return false, errResting
	}
	return true, nil
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
