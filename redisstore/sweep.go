package redisstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/redis/rueidis"
)

// Sweep implements [freshet.Store]. Any number of servers may sweep at a time:
// each piece of work is checked again in the step that does it.
func (s *Store) Sweep(ctx context.Context, n int) (done int, err error) {
	for done < n {
		names, err := s.due(ctx, n-done)
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
// partitions alike.
func (s *Store) due(ctx context.Context, n int) (names []string, err error) {
	args := []string{s.time(), strconv.Itoa(n)}
	first := rand.IntN(partitions)
	commands := make(rueidis.Commands, partitions)
	for i := range commands {
		k := s.indexes((first + i) % partitions)
		commands[i] = s.scripts.due.command(s.client, []string{k.deadlines}, args)
	}
	results := s.client.DoMulti(ctx, commands...)
	for i, result := range results {
		if answer, ok := rueidis.IsRedisErr(result.Error()); ok && answer.IsNoScript() {
			k := s.indexes((first + i) % partitions)
			result = s.scripts.due.do(ctx, s.client, []string{k.deadlines}, args)
		}
		some, err := result.AsStrSlice()
		if err != nil {
			return nil, s.readFault(ctx, err)
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
