package redisstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
)

// Sweep implements [freshet.Store]. Any number of servers may sweep at a time:
// each piece of work is checked again in the step that does it.
func (s *Store) Sweep(ctx context.Context, n int) (done int, err error) {
	for done < n {
		var names []string
		err := s.insist(ctx, func() (again bool, err error) {
			if names, err = s.due(ctx, n-done); err != nil {
				again, err = judgeReadFault(err)
			}
			return again, err
		})
		if err != nil {
			return done, fmt.Errorf("look for streams to sweep: %w", err)
		}
		if len(names) == 0 {
			break
		}
		for _, name := range names {
			did, err := s.sweep(ctx, name)
			if err != nil {
				return done, fmt.Errorf("sweep %q: %w", name, err)
			}
			done += did
		}
	}
	return done, nil
}

// due returns at most n streams with which something has to be done, from all
// partitions alike. Only a Cluster is asked partition by partition.
func (s *Store) due(ctx context.Context, n int) (names []string, err error) {
	first := rand.IntN(partitions)
	deadlines := make([]string, partitions)
	for i := range deadlines {
		deadlines[i] = s.indexes((first + i) % partitions).deadlines
	}
	together := partitions
	if s.client.Mode() == rueidis.ClientModeCluster {
		together = 1
	}
	args := []string{s.time(), strconv.Itoa(n)}
	groups := slices.Collect(slices.Chunk(deadlines, together))
	commands := make(rueidis.Commands, len(groups))
	for i, keys := range groups {
		commands[i] = s.scripts.due.command(s.client, keys, args)
	}
	for i, result := range s.client.DoMulti(ctx, commands...) {
		if answer, ok := rueidis.IsRedisErr(result.Error()); ok && answer.IsNoScript() {
			result = s.scripts.due.do(ctx, s.client, groups[i], args)
		}
		some, err := result.AsStrSlice()
		if err != nil {
			return nil, err
		}
		names = append(names, some[:min(len(some), n-len(names))]...)
		if len(names) == n {
			break
		}
	}
	return names, nil
}

// sweep does what has come due with a stream, and returns how much that was.
func (s *Store) sweep(ctx context.Context, name string) (did int, err error) {
	k := s.keys(name)
	args := []string{s.time(), name, k.channel, newNonce(), flag(s.opts.Replicas > 0)}
	err = s.connected(ctx, func(c doer) error {
		r, err := s.step(ctx, c, s.scripts.sweep, k.all(), args...)
		if err != nil {
			return err
		}
		did = int(r.int())
		if len(r.rest) == 0 {
			return r.err
		}
		return s.commit(ctx, c, k, name, r.word())
	})
	return did, err
}
