package demo

import (
	"encoding/json"
	"sync"
)

// queueBytes bounds what waits for a page that reads slowly.
const queueBytes = 256 << 10

// messageBytes is what a message counts for besides the bytes it carries.
const messageBytes = 64

// A message tells a page what happened to a connection that it watches: one of
// the things below.
type message struct {
	Tap string `json:"tap"`
	// At is when, in milliseconds since 1970.
	At int64 `json:"at"`
	// Open: the connection was made.
	Open *opening `json:"open,omitempty"`
	// Bytes were written, as base64.
	Bytes []byte `json:"bytes,omitempty"`
	// Dropped is how many bytes are missing here, since the page was too slow.
	Dropped int `json:"dropped,omitempty"`
	// End: the connection is over, by "reset" if it was cut, else "closed".
	End string `json:"end,omitempty"`
}

// An opening is the request that made a connection.
type opening struct {
	Server      string `json:"server,omitempty"`
	Protocol    string `json:"protocol"`
	Path        string `json:"path"`
	WebSocket   bool   `json:"webSocket,omitempty"`
	LastEventID string `json:"lastEventId,omitempty"`
}

// A watcher is what waits to be sent to one page.
type watcher struct {
	// ready has room for one token, which is there while something waits.
	ready chan struct{}

	mu    sync.Mutex
	queue []message
	bytes int
}

func newWatcher() *watcher { return &watcher{ready: make(chan struct{}, 1)} }

// offer never waits: what the queue has no room for is counted in a message
// that says so. An empty queue has room for anything.
func (w *watcher) offer(m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	size := messageBytes + len(m.Bytes)
	if len(w.queue) > 0 && w.bytes+size > queueBytes {
		w.drop(m)
		return
	}
	w.queue = append(w.queue, m)
	w.bytes += size
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// drop counts the bytes of m. There is one such message per tap at the queue's
// end, so that the queue grows no further.
func (w *watcher) drop(m message) {
	for i := len(w.queue) - 1; i >= 0 && w.queue[i].Dropped > 0; i-- {
		if w.queue[i].Tap == m.Tap {
			w.queue[i].Dropped += len(m.Bytes)
			return
		}
	}
	if len(m.Bytes) > 0 {
		w.queue = append(w.queue, message{Tap: m.Tap, At: m.At, Dropped: len(m.Bytes)})
	}
}

// take returns what waits, each message as JSON.
func (w *watcher) take() ([][]byte, error) {
	w.mu.Lock()
	queue := w.queue
	w.queue, w.bytes = nil, 0
	w.mu.Unlock()
	encoded := make([][]byte, len(queue))
	for i := range queue {
		var err error
		if encoded[i], err = json.Marshal(&queue[i]); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}
