package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A line is how one actor reaches the fleet. It notices connections on which
// nothing comes any more. If it belongs to a reader it counts signs of life, which
// are what arrives, what does not connect, and silence, and breaks when there were too many
// without news.
type line struct {
	http *http.Client
	idle time.Duration
	// settled says whether signs of life count, patience how many there may be. A
	// line without settled never breaks.
	settled  func() bool
	patience int64
	signs    atomic.Int64

	// doors, if there are any, replace the address that is asked for.
	mu    sync.Mutex
	doors []Door
	rng   *rand.Rand
}

func newLine(o *Options) *line {
	l := &line{idle: o.Idle, patience: int64(o.Patience)}
	l.http = &http.Client{
		Transport:     &http.Transport{DialContext: l.dial, MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return l
}

// scatter lets each connection lead to some door, whatever address is asked for.
func (l *line) scatter(rng *rand.Rand, doors []Door) { l.doors, l.rng = doors, rng }

// news says that something has happened.
func (l *line) news() { l.signs.Store(0) }

// silence is how many signs of life the lack of any, until a connection counts as
// lost, stands for.
const silence = 6

// sign counts signs of life.
func (l *line) sign(n int64) {
	if l.settled == nil || !l.settled() {
		l.signs.Store(0)
		return
	}
	l.signs.Add(n)
}

// bored reports whether there were too many.
func (l *line) bored() bool { return l.signs.Load() > l.patience }

// close ends the connections that are not in use.
func (l *line) close() { l.http.CloseIdleConnections() }

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if l.bored() {
		return nil, errGaveUp
	}
	d := net.Dialer{Timeout: l.idle}
	c, err := d.DialContext(ctx, network, l.choose(addr))
	if err != nil {
		l.sign(1)
		return nil, err
	}
	return &watchedConn{c, l}, nil
}

func (l *line) choose(addr string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.doors) == 0 {
		return addr
	}
	return pick(l.rng, l.doors...).Addr
}

// A watchedConn is a connection on which something has to come every now and
// then.
type watchedConn struct {
	net.Conn
	line *line
}

func (c *watchedConn) Read(p []byte) (int, error) {
	if c.line.bored() {
		return 0, errGaveUp
	}
	if err := c.SetReadDeadline(time.Now().Add(c.line.idle)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.line.sign(silence)
	} else {
		c.line.sign(1)
	}
	return n, err
}

// rest waits, unless the context ends before.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
