package pebblestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// List implements [freshet.Store].
func (s *Store) List(ctx context.Context, prefix, after string, n int) (infos []freshet.Info, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.cache.end()
	lower, upper := prefixBounds(prefix, after)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, fmt.Errorf("list streams: %w", err)
	}
	defer func() {
		if err = errors.Join(err, it.Close()); err != nil {
			infos, err = nil, fmt.Errorf("list streams: %w", err)
		}
	}()
	now := s.now()
	for valid := it.First(); valid && len(infos) < n; valid = it.Valid() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		seen, err := s.listed(it)
		if err != nil {
			return nil, err
		}
		if seen.exists(now) {
			infos = append(infos, seen.info)
		}
	}
	return infos, nil
}

// listed returns what is published of the stream that the iterator stands on,
// and moves it to the next. What the iterator has may not be durable yet; then
// the stream is in the cache.
func (s *Store) listed(it *pebble.Iterator) (*sight, error) {
	name, _, ok := splitNameKey(it.Key())
	if !ok {
		return nil, errDamaged
	}
	seen := &sight{}
	key := append([]byte(nil), name...)
	inc, h, state, err := readStream(it, key)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", key, err)
	}
	if published := s.cache.peek(string(key)); published != nil {
		return published, nil
	}
	if !h.gone {
		seen.inc, seen.info = inc, state.Info
	}
	return seen, nil
}
