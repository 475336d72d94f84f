package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Calls say what callers ask for.
type Calls struct {
	Addr    string
	Request []byte
	// Callers is how many ask at the same time.
	Callers int
	// Tokens is how many tokens each answer has, and Gap what lies between two.
	Tokens int
	Gap    time.Duration
}

// Lasts returns how long an answer lasts.
func (c Calls) Lasts() time.Duration { return c.Gap * time.Duration(c.Tokens) }

// Callers ask for streamed answers, each for the next one when it has one, over a
// connection of its own, and read them all in one thread (epoll(7)).
type Callers struct {
	calls   Calls
	epoll   int
	callers []*caller
	byFD    map[int]*caller
	reading sync.WaitGroup
	leaving atomic.Bool
	closing atomic.Bool

	mu    sync.Mutex
	heard Heard
	fault error
}

type caller struct {
	fd     int
	answer answer
	// asks is when the first request is sent, and busy says that an answer is on
	// its way.
	asks time.Duration
	busy bool
}

// Call connects callers and lets them ask, evenly spread over the time that an
// answer lasts. The caller of Call closes them.
func Call(calls Calls) (*Callers, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	c := &Callers{calls: calls, epoll: epoll, byFD: map[int]*caller{}}
	for range calls.Callers {
		if err := c.connect(); err != nil {
			c.Close()
			return nil, err
		}
	}
	start := now()
	for i, one := range c.callers {
		one.asks = start + calls.Lasts()*time.Duration(i)/time.Duration(calls.Callers)
	}
	c.reading.Go(func() {
		if err := c.read(); err != nil {
			c.mu.Lock()
			c.fault = err
			c.mu.Unlock()
		}
	})
	return c, nil
}

func (c *Callers) connect() error {
	fd, err := connect(c.calls.Addr)
	if err != nil {
		return err
	}
	one := &caller{fd: fd}
	c.callers, c.byFD[fd] = append(c.callers, one), one
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// Heard returns what was heard since it was last called.
func (c *Callers) Heard() (Heard, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.heard
	c.heard = Heard{}
	return h, c.fault
}

// Leave lets the callers end the answers that they are having, and ask for no
// others.
func (c *Callers) Leave(ctx context.Context) error {
	c.leaving.Store(true)
	left := make(chan struct{})
	go func() {
		c.reading.Wait()
		close(left)
	}()
	select {
	case <-left:
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err := c.Heard()
	return err
}

// Close closes all connections.
func (c *Callers) Close() {
	c.closing.Store(true)
	c.reading.Wait()
	for _, one := range c.callers {
		_ = unix.Close(one.fd)
	}
	_ = unix.Close(c.epoll)
}

// read asks and reads until Close, or until the callers have left.
func (c *Callers) read() error {
	runtime.LockOSThread()
	events, buffer := make([]unix.EpollEvent, 256), make([]byte, 256<<10)
	waiting := c.callers
	for !c.closing.Load() {
		for len(waiting) > 0 && waiting[0].asks <= now() {
			if err := c.ask(waiting[0]); err != nil {
				return err
			}
			waiting = waiting[1:]
		}
		wait := 50 * time.Millisecond
		if len(waiting) > 0 {
			wait = min(wait, waiting[0].asks-now())
		}
		n, err := unix.EpollWait(c.epoll, events, max(int(wait.Milliseconds()), 0))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for answers: %w", err)
		}
		for i := range max(n, 0) {
			if err := c.readOne(c.byFD[int(events[i].Fd)], buffer); err != nil {
				return err
			}
		}
		if c.leaving.Load() && len(waiting) == 0 && !c.busy() {
			return nil
		}
	}
	return nil
}

func (c *Callers) busy() bool {
	for _, one := range c.callers {
		if one.busy {
			return true
		}
	}
	return false
}

// ask begins the next answer of a caller.
func (c *Callers) ask(one *caller) error {
	one.answer = answer{gap: c.calls.Gap, asked: now()}
	one.busy = true
	return send(one.fd, c.calls.Request)
}

// readOne reads what has come to a caller.
func (c *Callers) readOne(one *caller, buffer []byte) error {
	n, err := unix.Read(one.fd, buffer)
	at := now()
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil
	case err != nil || n == 0:
		return fmt.Errorf("a caller was cut: %w", errors.Join(err, errors.New("end of stream")))
	}
	p := buffer[:n]
	if a := &one.answer; a.tokens == 0 && a.cut == nil && !bytes.HasPrefix(p, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("a caller was answered with %.200q", p)
	}
	c.mu.Lock()
	ended := one.answer.hear(p, at, &c.heard)
	c.mu.Unlock()
	if !ended {
		return nil
	}
	one.busy = false
	if one.answer.tokens != c.calls.Tokens {
		return fmt.Errorf("an answer had %d tokens of %d", one.answer.tokens, c.calls.Tokens)
	}
	if c.leaving.Load() {
		return nil
	}
	return c.ask(one)
}
