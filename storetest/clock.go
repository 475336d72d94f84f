package storetest

import (
	"sync"
	"time"
)

// A Clock is the time that a store under test is told. It stands still unless
// it is moved, or is the real one if the store cannot be told.
type Clock struct {
	mu   sync.Mutex
	now  time.Time
	real bool
}

func newClock(real bool) *Clock {
	return &Clock{now: time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC), real: real}
}

// Now returns the time. It may be called concurrently.
func (c *Clock) Now() time.Time {
	if c.real {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets d pass.
func (c *Clock) Advance(d time.Duration) {
	if c.real {
		time.Sleep(d)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// unit is a time that is long compared with a call, and bearable to wait for.
func (c *Clock) unit() time.Duration {
	if c.real {
		return 400 * time.Millisecond
	}
	return time.Minute
}
