package pebblestore

import (
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// A write is what a call is about to do to one stream.
type write struct {
	batch *pebble.Batch
	// lazy writes may be lost in a crash.
	lazy bool
	// done lets the write be seen. It is called when it has come to its
	// strength, and the caller still has the stream's lock.
	done func()
}

// change makes one change of one stream: it takes the stream's lock, lets
// prepare say what to write at the time now, and commits that. No write is no
// change.
func (s *Store) change(ctx context.Context, name string, prepare func(st *stream, now time.Time) (*write, error)) error {
	st, err := s.acquire(ctx, name)
	if err != nil {
		return err
	}
	if err := st.lock(ctx); err != nil {
		s.cache.release(st)
		return err
	}
	var w *write
	if err = st.load(); err == nil {
		w, err = prepare(st, s.now())
	}
	if err != nil || w == nil {
		st.unlock()
		s.cache.release(st)
		return err
	}
	return s.commit(ctx, st, w)
}

// commit commits a write and gives the stream back. The caller may leave when
// its context ends; the stream stays locked until the outcome is known.
func (s *Store) commit(ctx context.Context, st *stream, w *write) error {
	if ctx.Done() == nil && s.fatal.onFatal == nil {
		return s.finish(st, w)
	}
	result := make(chan error, 1)
	s.committers.run(func() { result <- s.finish(st, w) })
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.fatal.happened:
		return freshet.ErrUncertain.With("the store failed while writing: %v", s.fatal.err)
	}
}

func (s *Store) finish(st *stream, w *write) error {
	err := s.apply(w)
	if err == nil {
		w.done()
	} else {
		st.loaded = false // what is in memory did not come to be
		err = fmt.Errorf("write stream %q: %w", st.name, err)
	}
	st.unlock()
	s.cache.release(st)
	return err
}

// apply commits a batch to the database. It does not return if the database
// cannot go on.
func (s *Store) apply(w *write) error {
	defer func() {
		// Pebble panics where it cannot make a new log.
		if p := recover(); p != nil {
			s.fatal.end(fmt.Errorf("write log: %v", p))
		}
	}()
	strength := s.durable
	if w.lazy {
		strength = pebble.NoSync
	}
	if err := s.db.Apply(w.batch, strength); err != nil {
		return err
	}
	return w.batch.Close()
}
