package hub

import "sync/atomic"

// Stats are the sizes of what a hub holds.
type Stats struct {
	// Topics is the number of streams with a window or a pending append.
	Topics int
	// Followers is the number of cursors.
	Followers int64
	// WindowBytes is the size of all windows together, and PageBytes that of the
	// pages that are kept for a moment.
	WindowBytes, PageBytes int64
	// Waiting is how many appends wait to be sent to the store, of WaitingBytes
	// together.
	Waiting, WaitingBytes int64
}

// Stats returns what the hub holds now.
func (h *Hub) Stats() Stats {
	h.mu.RLock()
	defer h.mu.RUnlock()
	m := &h.meter
	return Stats{
		Topics: len(h.topics), Followers: h.followers.Load(),
		WindowBytes: h.windowBytes.Load(), PageBytes: h.pageBytes.Load(),
		Waiting: m.waiting.Load(), WaitingBytes: m.waitingBytes.Load(),
	}
}

// Totals are what a hub has done so far.
type Totals struct {
	// Full is how often an append had to wait for room among those that wait.
	Full int64
	// Delivered is how many records followers got.
	Delivered int64
}

// Totals returns what the hub has done until now.
func (h *Hub) Totals() Totals {
	return Totals{Full: h.meter.full.Load(), Delivered: h.meter.delivered.Load()}
}

// A meter counts what the rest of a hub does not need to know.
type meter struct{ waiting, waitingBytes, full, delivered atomic.Int64 }

func (m *meter) wait(appends, bytes int) {
	m.waiting.Add(int64(appends))
	m.waitingBytes.Add(int64(bytes))
}
