package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/load"
)

// together is how many records are in one write of a producer that has many.
const together = 64

func aboutStreaming(c *config) string {
	return fmt.Sprintf("durable records of %d bytes from producers with one request each, as fast as they can, %d a write; until all have landed", c.record, together)
}

// runStreaming measures how many records become durable in a second when
// producers do not wait for each.
func runStreaming(ctx context.Context, c *config, r *result) error {
	one := contender{title: "1 producer", subject: "freshet", onDisk: true, together: together}
	many := one
	many.title = fmt.Sprintf("%d producers", c.writers)
	streams := map[contender]int{one: 1, many: c.writers}
	crowds := map[contender]*crowd{}
	for side, n := range streams {
		g, err := gather(ctx, c, side, n, 0, 1)
		if err != nil {
			return fmt.Errorf("%s: %w", side.title, err)
		}
		defer g.close()
		crowds[side] = g
		if _, err := g.pour(ctx, c.time/8); err != nil {
			return fmt.Errorf("%s: %w", side.title, err)
		}
		if err := c.profile(side, r.Name, g.process.Profile); err != nil {
			return err
		}
	}
	for range c.count {
		for _, side := range []contender{one, many} {
			g := crowds[side]
			var n int64
			cpu, elapsed, err := spent(g.process, func() (err error) {
				n, err = g.pour(ctx, c.time)
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", side.title, err)
			}
			r.add(side.title, "durable", "/s", float64(n)*float64(time.Second)/float64(elapsed))
			r.add(side.title, "CPU per record", "µs", micros(cpu, n))
		}
	}
	return nil
}

// pour lets producers that stream send for d and waits until everything has
// landed. It returns how many records that were.
func (g *crowd) pour(ctx context.Context, d time.Duration) (int64, error) {
	if err := g.all((*load.Producer).Begin); err != nil {
		return 0, err
	}
	n, err := load.Run(ctx, g.producers, 0, d)
	return n * together, errors.Join(err, g.all((*load.Producer).Finish))
}

// all does something with all producers at once.
func (g *crowd) all(do func(*load.Producer) error) error {
	errs := make([]error, len(g.producers))
	var doing sync.WaitGroup
	for i, p := range g.producers {
		doing.Go(func() { errs[i] = do(p) })
	}
	doing.Wait()
	return errors.Join(errs...)
}
