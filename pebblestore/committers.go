package pebblestore

import "sync/atomic"

// idleCommitters is how many goroutines wait for the next commit.
const idleCommitters = 64

// Committers are goroutines in which commits wait for their fsync, so that
// callers can leave. They are kept for a while, since the deep stack that a
// commit needs would otherwise be grown anew for each.
type committers struct {
	jobs chan func()
	idle atomic.Int64
	stop chan struct{}
}

func newCommitters() *committers {
	return &committers{jobs: make(chan func()), stop: make(chan struct{})}
}

// run runs a job at once, in one of the goroutines or a new one.
func (c *committers) run(job func()) {
	select {
	case c.jobs <- job:
	default:
		go c.work(job)
	}
}

func (c *committers) work(job func()) {
	for {
		job()
		if c.idle.Add(1) > idleCommitters {
			c.idle.Add(-1)
			return
		}
		select {
		case job = <-c.jobs:
			c.idle.Add(-1)
		case <-c.stop:
			return
		}
	}
}

// close lets the goroutines go that are idle, or will be. run must not be
// called any more.
func (c *committers) close() { close(c.stop) }
