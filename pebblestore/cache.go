package pebblestore

import (
	"container/list"
	"sync"

	"github.com/freshet-stream/freshet"
)

// A cache has the streams that calls are working with, and some idle ones so
// that their state need not be read again. It also counts the calls that are
// under way. Its methods may be called concurrently.
type cache struct {
	mu      sync.Mutex
	streams map[string]*stream
	idle    list.List // of *stream, the last used first
	max     int       // bounds idle
	calls   int
	closed  bool
	done    chan struct{} // closed when closed is set and no calls are left
}

func newCache(max int) cache {
	return cache{streams: map[string]*stream{}, max: max, done: make(chan struct{})}
}

// acquire returns the stream of a name and keeps it in the cache until release.
func (c *cache) acquire(s *Store, name string) (*stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.start(); err != nil {
		return nil, err
	}
	st := c.streams[name]
	if st == nil {
		st = newStream(s, name)
		c.streams[name] = st
	}
	if st.idle != nil {
		c.idle.Remove(st.idle)
		st.idle = nil
	}
	st.users++
	return st, nil
}

// release ends a call that began with acquire.
func (c *cache) release(st *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st.users--; st.users == 0 {
		if seen := st.seen.Load(); seen == nil || seen.inc == 0 {
			delete(c.streams, st.name)
		} else {
			st.idle = c.idle.PushFront(st)
		}
		if c.idle.Len() > c.max {
			oldest := c.idle.Remove(c.idle.Back()).(*stream)
			delete(c.streams, oldest.name)
		}
	}
	c.finish()
}

// peek returns what is published of a stream if it is in the cache. If it is
// not, what the database has of it is durable.
func (c *cache) peek(name string) *sight {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.streams[name]; st != nil {
		return st.seen.Load()
	}
	return nil
}

func (c *cache) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start()
}

func (c *cache) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish()
}

// close lets no further calls begin. It returns a channel that is closed when
// those under way have ended.
func (c *cache) close() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.calls == 0 {
		close(c.done)
	}
	return c.done
}

func (c *cache) start() error {
	if c.closed {
		return freshet.ErrUnavailable.With("the store is closed")
	}
	c.calls++
	return nil
}

func (c *cache) finish() {
	if c.calls--; c.calls == 0 && c.closed {
		close(c.done)
	}
}
