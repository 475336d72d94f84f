// Package pebblestore keeps streams in a directory of one server, in a Pebble
// database.
//
// Committed means there: written to the write-ahead log and fsynced. Appends of
// concurrent streams share an fsync. Nothing is visible to any reader before
// it is durable, although Pebble would show it: every stream has a published
// info, replaced when a commit has returned, and all methods that read look no
// further than that.
//
// # When the disk fails
//
// After a failed fsync, or a log that cannot be written since the disk is full,
// nobody can know what is on the disk. The store then does not go on: see
// [Options].OnFatal. Started again, it has everything that was acknowledged.
//
// # Keys
//
//	v                          format and the next free incarnation number
//	n NAME 00 1                spec of the stream: written once
//	n NAME 00 2                head: all else that is small, with each call
//	n NAME 00 3                meta
//	i INCARNATION a SEQ        which appends a call wrote, under the number of
//	                           its last record, if the stream bounds them
//	i INCARNATION p PRODUCER   state of a producer
//	i INCARNATION r SEQ        a block of records, under the number of its last
//	d TIME INCARNATION         the stream that Sweep looks at then
//
// Names have no control characters, so that the 00 ends them and keeps them in
// order. Each creation takes a new incarnation number, so that deleting is one
// range, and no record can ever be taken for another stream's.
package pebblestore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/wake"
)

// A Store is a [freshet.Store] in a directory. Its methods may be called
// concurrently.
type Store struct {
	db         *pebble.DB
	lock       *pebble.Lock
	dir        string
	now        func() time.Time
	log        *slog.Logger
	fatal      *fatality
	durable    *pebble.WriteOptions
	incs       incarnations
	followers  wake.Registry
	cache      cache
	committers *committers

	closing sync.Once
}

var _ freshet.Store = (*Store)(nil)

// Info implements [freshet.Store].
func (s *Store) Info(ctx context.Context, name string) (freshet.Info, error) {
	st, err := s.acquire(ctx, name)
	if err != nil {
		return freshet.Info{}, err
	}
	defer s.cache.release(st)
	seen, err := st.view(ctx)
	if err != nil {
		return freshet.Info{}, err
	}
	if !seen.exists(s.now()) {
		return freshet.Info{}, freshet.ErrNotFound
	}
	return seen.info, nil
}

// Follow implements [freshet.Store]. The hints of appends carry the batch, and
// arrive in order.
func (s *Store) Follow(ctx context.Context, name string, wake func(freshet.Hint)) (stop func(), err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.cache.end()
	return s.followers.Follow(name, wake), nil
}

// Close waits for the calls that are under way and closes the database. After
// a fatal error it only lets go of what it can without touching the database.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		idle := s.cache.close()
		select {
		case <-idle:
			s.committers.close()
		case <-s.fatal.happened:
			err = s.fatal.cause()
			return
		}
		err = errors.Join(s.db.Close(), s.lock.Close())
	})
	return err
}

// begin lets a call start that needs no stream. If it may, the caller ends it
// with s.cache.end.
func (s *Store) begin(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.cache.begin()
}

// acquire returns the stream of a name, which need not exist, for a call that
// ends with s.cache.release.
func (s *Store) acquire(ctx context.Context, name string) (*stream, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	return s.cache.acquire(s, name)
}

func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.fatal.cause()
}
