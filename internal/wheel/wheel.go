// Package wheel tells many waiters of the same moment with one timer.
//
// Followers, of which a server has many thousands, all wait for something to
// happen or for the time of their next heartbeat. A timer each would cost more
// than the follower itself; here all whose time falls into one tick share a
// channel and a timer.
package wheel

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Wheel hands out moments that are multiples of its tick. Its methods may be
// called concurrently.
type Wheel struct {
	tick  time.Duration
	start time.Time
	last  atomic.Pointer[slot]

	mu    sync.Mutex
	slots map[int64]*slot
}

type slot struct {
	number int64
	due    chan struct{}
	do     []func()
}

// New returns a wheel with the given tick, by up to which a moment may be late.
func New(tick time.Duration) *Wheel {
	return &Wheel{tick: tick, start: time.Now(), slots: map[int64]*slot{}}
}

// After returns a channel that is closed once d has passed.
func (w *Wheel) After(d time.Duration) <-chan struct{} {
	number := w.number(d)
	if s := w.last.Load(); s != nil && s.number == number {
		return s.due
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.slot(number)
	w.last.Store(s)
	return s.due
}

// Do calls f in a goroutine that it shares with others once d has passed; f
// must not block.
func (w *Wheel) Do(d time.Duration, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.slot(w.number(d))
	s.do = append(s.do, f)
}

func (w *Wheel) number(d time.Duration) int64 {
	return int64((time.Since(w.start)+max(d, 0))/w.tick) + 1
}

func (w *Wheel) slot(number int64) *slot {
	if s, ok := w.slots[number]; ok {
		return s
	}
	s := &slot{number: number, due: make(chan struct{})}
	w.slots[number] = s
	at := w.start.Add(time.Duration(number) * w.tick)
	time.AfterFunc(time.Until(at), func() {
		w.mu.Lock()
		delete(w.slots, number)
		w.mu.Unlock()
		close(s.due)
		for _, f := range s.do {
			f()
		}
	})
	return s
}
