package main

import (
	"context"
	"fmt"
	"time"
)

func aboutFanout(c *config) string {
	return fmt.Sprintf("one event of %d bytes to %d SSE followers, %d events/s", c.record, c.followers, c.rate)
}

func aboutBacklog(c *config) string {
	return fmt.Sprintf("the same, from %d producers as fast as they can", c.producers)
}

// runFanout measures what it costs to hand on an event that comes alone.
func runFanout(ctx context.Context, c *config, r *result) error {
	sides := []contender{
		{title: "bare write(2) loop", subject: "bare"},
		{title: "net/http hub", subject: "nethttp"},
		{title: "freshet, memory", subject: "freshet"},
	}
	return runCrowds(ctx, c, r, sides, 1, time.Second/time.Duration(c.rate))
}

// runBacklog measures what it costs to hand on events when there are always
// several.
func runBacklog(ctx context.Context, c *config, r *result) error {
	sides := []contender{
		{title: "bare write(2) each", subject: "bare"},
		{title: "freshet, memory", subject: "freshet"},
	}
	return runCrowds(ctx, c, r, sides, c.producers, 0)
}

// runCrowds measures the CPU time per delivery of each side by turns, the first
// being what the others are compared with.
func runCrowds(ctx context.Context, c *config, r *result, sides []contender, producers int, every time.Duration) error {
	crowds := make([]*crowd, len(sides))
	for i, s := range sides {
		var err error
		if crowds[i], err = gather(ctx, c, s, 1, c.followers, producers); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		defer crowds[i].close()
		if _, err = crowds[i].run(ctx, every, c.time/4); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		if err := c.profile(s, r.Name, crowds[i].process.Profile); err != nil {
			return err
		}
	}
	for range c.count {
		for i, s := range sides {
			done, err := crowds[i].run(ctx, every, c.time)
			if err != nil {
				return fmt.Errorf("%s: %w", s.title, err)
			}
			r.add(s.title, "CPU per delivery", "µs", micros(done.cpu, done.delivered))
			r.add(s.title, "records per write", "", float64(done.delivered)/float64(max(done.writes, 1)))
		}
	}
	for _, s := range sides[1:] {
		r.compare(s.title, "CPU per delivery", sides[0].title, "CPU per delivery")
	}
	return nil
}
