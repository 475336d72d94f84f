// Package memstore keeps streams in the memory of this process: for tests, and
// for streams that may be lost. Committed means there: an append is visible to
// every reader of the same [Store] when the call returns, and gone when the
// process ends.
package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/wake"
)

// Options configure a [Store]. The zero value works.
type Options struct {
	// Now tells the time. Nil is [time.Now].
	Now func() time.Time
}

// A Store is a [freshet.Store] in memory. Its size is bounded by nothing but
// the retention of its streams.
type Store struct {
	now       func() time.Time
	followers wake.Registry
	due       deadlines

	// mu is taken before any stream's lock.
	mu      sync.RWMutex
	closed  bool
	streams map[string]*stream
	names   []string // the keys of streams, sorted
}

var _ freshet.Store = (*Store)(nil)

// New returns an empty store. Whoever has it closes it.
func New(opts Options) *Store {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Store{now: opts.Now, streams: map[string]*stream{}}
}

// Create implements [freshet.Store].
func (s *Store) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return freshet.Info{}, false, err
	}
	now := s.now()
	old := s.streams[name]
	if old != nil {
		if info, creator, ok := old.created(now); ok {
			return info, creator == c.Nonce, nil
		}
	}
	state, change, err := freshet.NewState(name, c, now)
	if err != nil {
		return freshet.Info{}, false, err
	}
	if old != nil {
		s.drop(old)
	}
	st := &stream{store: s, name: name, state: state}
	st.mu.Lock()
	defer st.mu.Unlock()
	s.streams[name] = st
	at, _ := slices.BinarySearch(s.names, name)
	s.names = slices.Insert(s.names, at, name)
	if err := st.apply(change); err != nil {
		return freshet.Info{}, false, err
	}
	s.followers.Tell(name, freshet.Hint{})
	return st.state.Info, true, nil
}

// Append implements [freshet.Store].
func (s *Store) Append(ctx context.Context, name string, call freshet.Call) ([]freshet.Result, error) {
	st, err := s.lock(ctx, name)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	return st.append(call, s.now())
}

// Read implements [freshet.Store].
func (s *Store) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	st, err := s.lock(ctx, name)
	if err != nil {
		return freshet.Page{}, err
	}
	defer st.mu.Unlock()
	return st.read(from, limit)
}

// Info implements [freshet.Store].
func (s *Store) Info(ctx context.Context, name string) (freshet.Info, error) {
	st, err := s.lock(ctx, name)
	if err != nil {
		return freshet.Info{}, err
	}
	defer st.mu.Unlock()
	return st.state.Info, nil
}

// Renew implements [freshet.Store].
func (s *Store) Renew(ctx context.Context, name string, r freshet.Renewal) error {
	st, err := s.lock(ctx, name)
	if err != nil {
		return err
	}
	defer st.mu.Unlock()
	r.Apply(&st.state.Info, s.now())
	st.schedule()
	return nil
}

// Delete implements [freshet.Store].
func (s *Store) Delete(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	st := s.streams[name]
	if st == nil || st.expired(s.now()) {
		return freshet.ErrNotFound
	}
	s.drop(st)
	return nil
}

// Follow implements [freshet.Store]. The hints of appends carry the batch, and
// arrive in order.
func (s *Store) Follow(ctx context.Context, name string, wake func(freshet.Hint)) (stop func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	return s.followers.Follow(name, wake), nil
}

// Close implements [freshet.Store]. What the store held is gone.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.streams, s.names = nil, nil
	return nil
}

// lock returns the stream, locked, if it exists and has not expired.
func (s *Store) lock(ctx context.Context, name string) (*stream, error) {
	s.mu.RLock()
	err, st := s.usable(ctx), s.streams[name]
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, freshet.ErrNotFound
	}
	st.mu.Lock()
	if st.gone || st.state.Info.Expired(s.now()) {
		st.mu.Unlock()
		return nil, freshet.ErrNotFound
	}
	return st, nil
}

// usable reports why a call cannot be served. The caller holds s.mu.
func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return freshet.ErrUnavailable.With("the store is closed")
	}
	return ctx.Err()
}

// drop removes a stream. The caller holds s.mu, and no stream's lock.
func (s *Store) drop(st *stream) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.gone = true
	st.records, st.spans = nil, nil // the deadlines may hold on to st for long
	delete(s.streams, st.name)
	if at, ok := slices.BinarySearch(s.names, st.name); ok {
		s.names = slices.Delete(s.names, at, at+1)
	}
	s.followers.Tell(st.name, freshet.Hint{})
}
