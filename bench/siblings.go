package main

import (
	"context"
	"errors"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
)

// Siblings are servers that share a Redis: that of the engine is appended to,
// the others are followed.
type siblings struct {
	*engine
	others []*child.Process
}

func (c *config) openSiblings(ctx context.Context, others int) (*siblings, error) {
	e, err := c.openEngine(ctx, redisEverysec)
	if err != nil {
		return nil, err
	}
	s := &siblings{engine: e}
	for range others {
		p, err := c.start(ctx, e.contender)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.others = append(s.others, p)
	}
	return s, nil
}

func (s *siblings) close() (err error) {
	for _, p := range s.others {
		err = errors.Join(err, p.Close())
	}
	return errors.Join(err, s.engine.close())
}

// A trip is a round of a crowd whose records go through Redis.
type trip struct {
	round
	// redis is what that did, and others the CPU time of the other servers.
	redis  expense
	others time.Duration
	// delays are how long the records were on their way.
	delays []time.Duration
}

// run lets a crowd run.
func (s *siblings) run(ctx context.Context, g *crowd, every, d time.Duration) (t trip, err error) {
	g.followers.Delays()
	before, err := s.usage()
	if err != nil {
		return t, err
	}
	t.redis, err = s.redis.spent(ctx, func() error {
		t.round, err = g.run(ctx, every, d)
		return err
	})
	if err != nil {
		return t, err
	}
	after, err := s.usage()
	t.others = after - before
	t.delays = g.followers.Delays()
	return t, err
}

// usage returns the CPU time of the other servers so far.
func (s *siblings) usage() (cpu time.Duration, err error) {
	for _, p := range s.others {
		u, err := p.Usage()
		if err != nil {
			return 0, err
		}
		cpu += u.CPU
	}
	return cpu, nil
}
