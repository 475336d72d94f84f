package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// sweepers is how many streams are swept at a time, to share fsyncs.
const sweepers = 64

// Sweep implements [freshet.Store].
func (s *Store) Sweep(ctx context.Context, n int) (done int, err error) {
	for done < n && err == nil {
		var due []deadline
		if due, err = s.due(ctx, min(n-done, 4*sweepers)); len(due) == 0 {
			break
		}
		var did int
		did, err = s.sweep(ctx, due)
		done += did
	}
	return done, err
}

// A deadline is an entry of the index that Sweep works through.
type deadline struct {
	at   time.Time
	inc  uint64
	name string
}

// due returns at most n deadlines that have come, the earliest first.
func (s *Store) due(ctx context.Context, n int) (due []deadline, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.cache.end()
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{keyDeadline},
		UpperBound: deadlineKey(s.now().Add(time.Millisecond), 0),
	})
	if err != nil {
		return nil, fmt.Errorf("read deadlines: %w", err)
	}
	for valid := it.First(); valid && len(due) < n; valid = it.Next() {
		at, inc, ok := splitDeadlineKey(it.Key())
		name, err := it.ValueAndErr()
		if err != nil || !ok {
			return nil, errors.Join(fmt.Errorf("read deadlines: %w", errDamaged), err, it.Close())
		}
		due = append(due, deadline{at, inc, string(name)})
	}
	return due, it.Close()
}

// sweep looks at streams whose deadline was listed, and returns with how many
// there was something to do.
func (s *Store) sweep(ctx context.Context, due []deadline) (int, error) {
	var (
		wg    sync.WaitGroup
		did   atomic.Int64
		errs  = make([]error, len(due))
		slots = make(chan struct{}, sweepers)
	)
	for i, d := range due {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var worked bool
			worked, errs[i] = s.sweepOne(ctx, d)
			if worked && errs[i] == nil {
				did.Add(1)
			}
		})
	}
	wg.Wait()
	return int(did.Load()), errors.Join(errs...)
}

func (s *Store) sweepOne(ctx context.Context, d deadline) (worked bool, err error) {
	err = s.change(ctx, d.name, func(st *stream, now time.Time) (*write, error) {
		if st.inc != d.inc || !st.head.listed.Equal(d.at) {
			return nil, nil // another sweep was quicker
		}
		switch info := &st.state.Info; {
		case st.head.gone:
			return st.clear(func() {})
		case info.Expired(now):
			worked = true
			return st.clear(func() { s.followers.Tell(st.name, freshet.Hint{}) })
		case info.Overdue(now):
			worked = true
			return st.interrupt(now)
		case info.Aged(now):
			worked = true
			return st.age(now)
		}
		return st.postpone()
	})
	return worked, err
}

// interrupt closes a stream whose lease has run out.
func (st *stream) interrupt(now time.Time) (*write, error) {
	change := st.state.Judge(freshet.Interrupt(), now)
	w, err := st.writeChange(change, batchHint(st.state.Info.Tail, change))
	if err != nil {
		return nil, err
	}
	return st.relisted(w)
}

// postpone moves a stream that was listed too soon to its true deadline.
func (st *stream) postpone() (*write, error) {
	return st.relisted(&write{batch: st.store.db.NewBatch(), lazy: true, done: func() {}})
}

// relisted adds to a write that the stream is listed at its true deadline.
func (st *stream) relisted(w *write) (*write, error) {
	err := errors.Join(st.relist(w.batch, listedAt(st.state.Info.Deadline())), st.setHead(w.batch))
	if err != nil {
		st.loaded = false
		return nil, errors.Join(err, w.batch.Close())
	}
	return w, nil
}
