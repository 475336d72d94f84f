package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

const (
	// waitingMost and joinedBytes are how many events, and from which size on, wait
	// to be recorded; beyond that the upstream waits.
	waitingMost = 256
	joinedBytes = 256 << 10
	// headTime is for how long the head of an answer may wait for its first event,
	// to be recorded with it. Nobody is kept waiting: callers get both at once.
	headTime = 2 * time.Millisecond
	// recordTime is for how long recording is tried while the store is away.
	recordTime = 10 * time.Second
	// waitLeast is how long the first next try waits, and waitMost how long at most
	// a later one does: the store may be back just before the time is over.
	waitLeast = 20 * time.Millisecond
	waitMost  = 500 * time.Millisecond
)

// producerID is the name under which an owner appends, so that it can repeat.
const producerID = "gateway"

// An entry is something that happens to the stream of a generation.
type entry struct {
	record *freshet.Record
	meta   []byte
	close  *freshet.Closing
}

// A recorder appends what happens to a stream, in order. What comes while it
// appends goes in the next append together.
type recorder struct {
	name string
	to   hub.Appender
	// done is closed when nothing more is recorded, and err says why if that is
	// not the close.
	done chan struct{}
	err  error
	// closed is how the stream was closed, if that was learnt here.
	closed *freshet.Closure
	// leave ends the wait for the context, and failed is called if recording fails.
	leave  func() bool
	failed func()

	mu sync.Mutex
	// next is what waits, of so many entries and bytes.
	next           freshet.Append
	entries, bytes int
	room           sync.Cond
	// flight is what is being appended, if flying, since it departed.
	flight   freshet.Append
	flying   bool
	departed time.Time
	seq      uint64
	// wait is how long the next try waits, and missed why there is one.
	wait   time.Duration
	missed error
	// patience ends with the time for the flight, and head and again let something
	// depart. They are nil before they are needed.
	patience, head, again *time.Timer
	over                  bool
}

// startRecorder returns a recorder of a stream. It ends when the stream is closed,
// by it or by others, or when ctx does. If it cannot go on it calls failed, which
// must not wait.
func startRecorder(ctx context.Context, h *hub.Hub, name string, failed func()) *recorder {
	r := &recorder{name: name, failed: failed, done: make(chan struct{})}
	r.room.L = &r.mu
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave = context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.finish(context.Cause(ctx))
	})
	var err error
	if r.to, err = h.Appender(name); err != nil {
		r.finish(err)
	}
	return r
}

// record lets something be appended. It waits if too much is waiting, and reports
// whether something can still be appended.
func (r *recorder) record(e entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.over && (r.entries >= waitingMost || r.bytes >= joinedBytes) {
		r.room.Wait()
	}
	if r.over {
		return false
	}
	r.entries++
	r.bytes += e.addTo(&r.next)
	switch {
	case r.flying:
	case e.record == nil && e.close == nil && r.entries == 1:
		r.head = time.AfterFunc(headTime, r.departAlone)
	default:
		r.depart()
	}
	return !r.over
}

func (e *entry) addTo(a *freshet.Append) (size int) {
	if e.record != nil {
		a.Records = append(a.Records, *e.record)
		size = e.record.Size()
	}
	if e.meta != nil {
		a.Meta = e.meta
	}
	if e.close != nil {
		a.Close = e.close
	}
	return size
}

// failure returns why a recorder that is done could not go on, nil if it need not:
// the stream has ended, or it was told to.
func (r *recorder) failure() error {
	if isOver(r.err) || errors.Is(r.err, context.Canceled) {
		return nil
	}
	return r.err
}

// departAlone lets a head depart for which no event has come.
func (r *recorder) departAlone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over && !r.flying && r.entries > 0 {
		r.depart()
	}
}

// depart appends what waits. The lock is held.
func (r *recorder) depart() {
	r.flight, r.flying, r.departed = r.next, true, time.Now()
	r.flight.Producer = &freshet.Producer{ID: producerID, Seq: r.seq}
	r.next, r.entries, r.bytes = freshet.Append{}, 0, 0
	r.room.Broadcast()
	r.wait, r.missed = waitLeast, nil
	if r.patience == nil {
		r.patience = time.AfterFunc(recordTime, r.giveUp)
	} else {
		r.patience.Reset(recordTime)
	}
	r.try()
}

// try lets the flight leave for the store. The lock is held.
func (r *recorder) try() {
	if err := r.to.Submit(r.flight, r.land); err != nil {
		r.fail(err)
	}
}

// land takes what came of a try.
func (r *recorder) land(result freshet.Result, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.closed = result.Closed
	switch {
	case err != nil:
		r.fail(err)
	case r.flight.Close != nil:
		r.finish(nil)
	default:
		r.seq++
		r.patience.Stop()
		r.flight, r.flying = freshet.Append{}, false
		if r.entries > 0 {
			r.depart()
		}
	}
}

// fail tries again later, if that may help. The lock is held.
func (r *recorder) fail(err error) {
	if !passes(err) {
		r.finish(err)
		return
	}
	r.missed = err
	r.again = time.AfterFunc(r.wait, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.over {
			r.try()
		}
	})
	r.wait = min(2*r.wait, waitMost)
}

// giveUp ends the recording if the time for the flight is over. The try may land
// yet: what it holds is a part of the answer.
func (r *recorder) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over && r.flying && time.Since(r.departed) >= recordTime {
		r.finish(fmt.Errorf("record %q: %w", r.name, errors.Join(r.missed, context.DeadlineExceeded)))
	}
}

// finish ends the recording, unless it has ended. The lock is held.
func (r *recorder) finish(err error) {
	if r.over {
		return
	}
	r.over, r.err = true, err
	r.leave()
	for _, t := range []*time.Timer{r.patience, r.head, r.again} {
		if t != nil {
			t.Stop()
		}
	}
	if r.to != (hub.Appender{}) {
		r.to.Close()
	}
	r.room.Broadcast()
	close(r.done)
	if r.failure() != nil {
		r.failed()
	}
}

// isOver reports whether a stream has ended by another's hand.
func isOver(err error) bool {
	return errors.Is(err, freshet.ErrClosed) || errors.Is(err, freshet.ErrNotFound)
}

// passes reports whether what the store, or the way to it, has failed with may be
// over soon.
func passes(err error) bool {
	var coded *freshet.Error
	if !errors.As(err, &coded) {
		return true
	}
	return errors.Is(coded, freshet.ErrUncertain) || errors.Is(coded, freshet.ErrUnavailable) || errors.Is(coded, freshet.ErrOverloaded)
}
