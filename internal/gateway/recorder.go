package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

const (
	// waitingMost is how many events wait to be recorded; beyond that the upstream
	// waits.
	waitingMost = 256
	// joinedBytes is from which size on events leave, although more are waiting.
	joinedBytes = 256 << 10
	// headTime is for how long the head of an answer may wait for its first event,
	// to be recorded with it. Nobody is kept waiting: callers get both at once.
	headTime = 2 * time.Millisecond
	// recordTime is for how long recording is tried while the store is away.
	recordTime = 10 * time.Second
	// waitMost is how long at most the next try waits: the store may be back just
	// before the time is over.
	waitMost = 500 * time.Millisecond
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
	hub     *hub.Hub
	name    string
	entries chan entry
	// done is closed when nothing more is recorded, and err says why if that is
	// not the close.
	done chan struct{}
	err  error
	seq  uint64
	// closed is how the stream was closed, if that was learnt here.
	closed *freshet.Closure
}

// startRecorder returns a recorder of a stream. It ends when the stream is closed,
// by it or by others, or when ctx does.
func startRecorder(ctx context.Context, h *hub.Hub, name string) *recorder {
	r := &recorder{hub: h, name: name, entries: make(chan entry, waitingMost), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = r.run(ctx)
	}()
	return r
}

// record lets something be appended. It waits if too much is waiting, and reports
// whether something can still be appended.
func (r *recorder) record(e entry) bool {
	select {
	case r.entries <- e:
		return true
	case <-r.done:
		return false
	}
}

// failure returns why a recorder that is done could not go on, nil if it need not:
// the stream has ended, or it was told to.
func (r *recorder) failure() error {
	if isOver(r.err) || errors.Is(r.err, context.Canceled) {
		return nil
	}
	return r.err
}

func (r *recorder) run(ctx context.Context) error {
	for {
		var a freshet.Append
		select {
		case e := <-r.entries:
			e.addTo(&a)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		r.join(&a)
		if err := r.append(ctx, a); err != nil {
			return err
		}
		if a.Close != nil {
			return nil
		}
	}
}

func (e *entry) addTo(a *freshet.Append) (size int) {
	if e.record != nil {
		a.Records = append(a.Records, *e.record)
		size = e.record.Size()
	}
	if e.meta != nil {
		a.Meta = e.meta
	}
	a.Close = e.close
	return size
}

// join adds what else is waiting.
func (r *recorder) join(a *freshet.Append) {
	if len(a.Records) == 0 && a.Close == nil {
		wait := time.NewTimer(headTime)
		defer wait.Stop()
		select {
		case e := <-r.entries:
			e.addTo(a)
		case <-wait.C:
			return
		}
	}
	for size := 0; size < joinedBytes && a.Close == nil; {
		select {
		case e := <-r.entries:
			size += e.addTo(a)
		default:
			return
		}
	}
}

// append appends exactly once, trying again for a while if that may help.
func (r *recorder) append(ctx context.Context, a freshet.Append) error {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	a.Producer = &freshet.Producer{ID: producerID, Seq: r.seq}
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, waitMost) {
		result, err := r.hub.Append(ctx, r.name, a)
		r.closed = result.Closed
		switch {
		case err == nil:
			r.seq++
			return nil
		case !passes(err):
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("record %q: %w", r.name, err)
		}
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
