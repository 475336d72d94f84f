package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
	"github.com/freshet-stream/freshet/bench/internal/load"
	"github.com/freshet-stream/freshet/bench/internal/stat"
)

// idleRate is how many records a second come where nearly nothing happens, and
// idleRounds how often that is repeated.
const (
	idleRate   = 10
	idleRounds = 12
)

func aboutDelay(*config) string {
	return fmt.Sprintf("from the begin of a POST until the stream's SSE reader has the record; 1 stream, %d records a second, nothing else", idleRate)
}

// runDelay measures how long a record is on its way that waits for no other. The
// sides take turns record by record.
func runDelay(ctx context.Context, c *config, r *result) error {
	const hub = "net/http hub"
	sides := []contender{
		{title: hub, subject: "nethttp", timed: true},
		{title: "freshet, memory", subject: "freshet", timed: true},
		{title: "freshet, pebble", subject: "freshet", onDisk: true, timed: true},
	}
	var crowds []*crowd
	for _, s := range sides {
		g, err := gather(ctx, c, s, 1, 1, 1)
		if err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		defer g.close()
		crowds = append(crowds, g)
	}
	p, err := c.openSiblings(ctx, 1)
	if err != nil {
		return err
	}
	defer p.close()
	for i, from := range []*child.Process{p.process, p.others[0]} {
		side := p.contender
		side.title, side.timed = []string{"freshet, redis", "freshet, redis, read at another server"}[i], true
		g, err := c.seat(side, p.process, fmt.Sprint("delay", i), 1, 1, []*child.Process{from}, 1)
		if err != nil {
			return fmt.Errorf("%s: %w", side.title, err)
		}
		defer g.close()
		sides, crowds = append(sides, side), append(crowds, g)
	}
	if err := idle(ctx, crowds, c.time/2); err != nil {
		return err
	}
	for _, g := range crowds {
		g.followers.Delays()
	}
	all := make([]stat.Sample, len(sides))
	did, err := p.redis.spent(ctx, func() error {
		for range idleRounds {
			if err := idle(ctx, crowds, c.time); err != nil {
				return err
			}
			for i, s := range sides {
				delays := stat.Millis(crowds[i].followers.Delays())
				r.add(s.title, "delay", "ms", delays.Median())
				all[i] = append(all[i], delays...)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, s := range sides {
		r.add(s.title, "delay, p99", "ms", all[i].Quantile(0.99))
	}
	r.add("2 servers with Redis", "commands that append nothing", "/s", float64(did.asked-did.changes)/(idleRounds*c.time).Seconds())
	for _, s := range sides[1:] {
		r.compare(s.title, "delay", hub, "delay")
	}
	return nil
}

// idle lets each crowd send at the idle rate for d, one after the other in each
// interval, and waits until all have everything.
func idle(ctx context.Context, crowds []*crowd, d time.Duration) error {
	const every = time.Second / idleRate
	errs := make([]error, len(crowds))
	var running sync.WaitGroup
	for i, g := range crowds {
		running.Go(func() {
			time.Sleep(every * time.Duration(i) / time.Duration(len(crowds)))
			sent, err := load.Run(ctx, g.producers, every, d)
			errs[i] = errors.Join(err, g.settle(ctx, sent))
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
