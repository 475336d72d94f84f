package websocket

import "sync"

// Bounds of what waits to be appended for one connection. Beyond them the
// connection is not read.
const (
	queueJobs  = 64
	queueBytes = 1 << 20
)

// A queue does jobs one after the other, in a goroutine that is there while
// there are any. Its methods may be called concurrently.
type queue struct {
	// start runs a function in a goroutine.
	start func(func())

	mu      sync.Mutex
	jobs    []job
	bytes   int
	running bool
	// room is closed when a job is done, done when all are. They are nil if
	// nobody waits.
	room, done chan struct{}
}

type job struct {
	do   func()
	size int
}

// push adds a job that holds size bytes, waiting for room.
func (q *queue) push(size int, do func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) >= queueJobs || len(q.jobs) > 0 && q.bytes+size > queueBytes {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		<-room
		q.mu.Lock()
	}
	q.jobs = append(q.jobs, job{do, size})
	q.bytes += size
	if !q.running {
		q.running = true
		q.start(q.run)
	}
}

// run does jobs until there are none.
func (q *queue) run() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) > 0 {
		next := q.jobs[0]
		q.mu.Unlock()
		next.do()
		q.mu.Lock()
		q.jobs = q.jobs[1:]
		q.bytes -= next.size
		wake(&q.room)
	}
	q.jobs = nil
	q.running = false
	wake(&q.done)
}

func wake(waiting *chan struct{}) {
	if *waiting != nil {
		close(*waiting)
		*waiting = nil
	}
}

// idle returns a channel that is closed once there is no job.
func (q *queue) idle() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.done == nil {
		q.done = make(chan struct{})
	}
	done := q.done
	if !q.running {
		wake(&q.done)
	}
	return done
}
