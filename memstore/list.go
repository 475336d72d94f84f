package memstore

import (
	"context"
	"slices"
	"strings"

	"github.com/freshet-stream/freshet"
)

// List implements [freshet.Store].
func (s *Store) List(ctx context.Context, prefix, after string, n int) ([]freshet.Info, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	at, found := slices.BinarySearch(s.names, max(prefix, after))
	if found && after >= prefix {
		at++
	}
	now := s.now()
	var infos []freshet.Info
	for _, name := range s.names[at:] {
		if len(infos) >= n || !strings.HasPrefix(name, prefix) {
			break
		}
		if info, _, ok := s.streams[name].created(now); ok {
			infos = append(infos, info)
		}
	}
	return infos, nil
}
