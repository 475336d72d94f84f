package memstore

import (
	"container/heap"
	"sync"
	"time"
)

// deadlines are times at which streams are to be looked at, the earliest first.
// A stream may be listed more than once.
type deadlines struct {
	mu   sync.Mutex
	heap deadlineHeap
}

type deadline struct {
	at     time.Time
	stream *stream
}

func (d *deadlines) push(at time.Time, st *stream) {
	d.mu.Lock()
	defer d.mu.Unlock()
	heap.Push(&d.heap, deadline{at, st})
}

// pop takes out the earliest deadline if it is not after the time now.
func (d *deadlines) pop(now time.Time) (due deadline, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.heap) == 0 || d.heap[0].at.After(now) {
		return deadline{}, false
	}
	return heap.Pop(&d.heap).(deadline), true
}

// deadlineHeap implements [heap.Interface].
type deadlineHeap []deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h deadlineHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *deadlineHeap) Push(x any)        { *h = append(*h, x.(deadline)) }
func (h *deadlineHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = deadline{}
	*h = old[:len(old)-1]
	return last
}
