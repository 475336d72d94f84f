package demo

import "sync"

// queueBytes bounds what waits to be appended to the stream of a tap.
const queueBytes = 256 << 10

// messageBytes is what a message counts for besides the bytes it carries.
const messageBytes = 64

// A queue is what waits to be appended to the stream of a tap.
type queue struct {
	// ready has room for one token, which is there while something waits.
	ready chan struct{}

	mu      sync.Mutex
	waiting []message
	bytes   int
	over    bool
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// offer never waits: bytes that there is no room for are counted in a message
// that says so. After an end nothing is taken any more.
func (q *queue) offer(m message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.over {
		return
	}
	q.over = m.End != ""
	room := max(0, queueBytes-q.bytes-messageBytes)
	dropped := max(0, len(m.Bytes)-room)
	m.Bytes = m.Bytes[:len(m.Bytes)-dropped]
	if dropped == 0 || len(m.Bytes) > 0 {
		q.waiting = append(q.waiting, m)
		q.bytes += messageBytes + len(m.Bytes)
	}
	q.drop(m, dropped)
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// drop counts bytes that are missing. There is one message of them at the
// queue's end, so that it grows no further.
func (q *queue) drop(m message, bytes int) {
	if bytes == 0 {
		return
	}
	if n := len(q.waiting); n > 0 && q.waiting[n-1].Dropped > 0 {
		q.waiting[n-1].Dropped += bytes
		return
	}
	q.waiting = append(q.waiting, message{Conn: m.Conn, At: m.At, Dropped: bytes})
}

// take returns what waits, and whether nothing comes after it.
func (q *queue) take() (waiting []message, last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting = q.waiting
	q.waiting, q.bytes = nil, 0
	return waiting, q.over
}
