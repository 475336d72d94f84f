package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/freshet-stream/freshet"
	"github.com/redis/rueidis"
)

// List implements [freshet.Store]. It asks every partition for its next names.
func (s *Store) List(ctx context.Context, prefix, after string, n int) ([]freshet.Info, error) {
	var infos []freshet.Info
	for len(infos) < n {
		var names []string
		err := s.insist(ctx, func() (again bool, err error) {
			if names, err = s.listNames(ctx, prefix, after, n-len(infos)); err != nil {
				again, err = judgeReadFault(err)
			}
			return again, err
		})
		if err != nil {
			return nil, fmt.Errorf("list streams: %w", err)
		}
		if len(names) == 0 {
			break
		}
		found, err := s.infos(ctx, names)
		if err != nil {
			return nil, fmt.Errorf("list streams: %w", err)
		}
		infos = append(infos, found...)
		after = names[len(names)-1]
	}
	return infos, nil
}

// listNames returns the first n names of those that begin with prefix and sort
// after after, whether or not the streams have expired.
func (s *Store) listNames(ctx context.Context, prefix, after string, n int) ([]string, error) {
	low, high := "["+prefix, "["+prefix+"\xff" // no UTF-8 has that byte
	if after >= prefix {
		low = "(" + after
	}
	commands := make(rueidis.Commands, partitions)
	for p := range commands {
		commands[p] = s.client.B().Zrange().Key(s.indexes(p).names).Min(low).Max(high).Bylex().Limit(0, int64(n)).Build()
	}
	var names []string
	for _, result := range s.client.DoMulti(ctx, commands...) {
		some, err := result.AsStrSlice()
		if err != nil {
			return nil, err
		}
		names = append(names, some...)
	}
	slices.Sort(names)
	return names[:min(n, len(names))], nil
}

// infos returns what is known of those streams that exist.
func (s *Store) infos(ctx context.Context, names []string) ([]freshet.Info, error) {
	var infos []freshet.Info
	for _, name := range names {
		info, err := s.Info(ctx, name)
		switch {
		case err == nil:
			infos = append(infos, info)
		case !errors.Is(err, freshet.ErrNotFound):
			return nil, err
		}
	}
	return infos, nil
}
