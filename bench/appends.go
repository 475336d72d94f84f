package main

import (
	"context"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
	"github.com/freshet-stream/freshet/bench/internal/load"
)

func aboutAppends(c *config) string {
	return fmt.Sprintf("durable appends of %d bytes: %d producers, a stream and a connection each, one POST a record", c.record, c.writers)
}

// runAppends measures how many appends become durable in a second, beside what
// the disk does one by one, and what the database does in the same process.
func runAppends(ctx context.Context, c *config, r *result) error {
	const serial, bare, served = "serial write+fdatasync", "pebble, in process", "freshet, pebble"
	alone := map[string]*child.Process{}
	for title, subject := range map[string]string{serial: "fsync", bare: "pebble"} {
		p, err := c.start(ctx, contender{subject: subject, onDisk: true})
		if err != nil {
			return err
		}
		defer p.Close()
		alone[title] = p
	}
	side := contender{title: served, subject: "freshet", onDisk: true}
	g, err := gather(ctx, c, side, c.writers, 0, 1)
	if err != nil {
		return err
	}
	defer g.close()
	if _, err := load.Run(ctx, g.producers, 0, c.time/4); err != nil {
		return err
	}
	if err := c.profile(side, r.Name, g.process.Profile); err != nil {
		return err
	}
	for range c.count {
		for _, title := range []string{serial, bare} {
			err := add(r, title, alone[title], func() (int64, error) {
				n, err := alone[title].Work(c.time)
				return int64(n), err
			})
			if err != nil {
				return err
			}
		}
		err := add(r, served, g.process, func() (int64, error) { return load.Run(ctx, g.producers, 0, c.time) })
		if err != nil {
			return err
		}
	}
	r.compare(served, "durable", serial, "durable")
	r.compare(served, "durable", bare, "durable")
	r.compare(served, "CPU per append", bare, "CPU per append")
	return nil
}

// add measures the rate and the CPU time of appends.
func add(r *result, title string, p *child.Process, f func() (int64, error)) error {
	var n int64
	cpu, elapsed, err := spent(p, func() (err error) {
		n, err = f()
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	r.add(title, "durable", "/s", float64(n)*float64(time.Second)/float64(elapsed))
	r.add(title, "CPU per append", "µs", micros(cpu, n))
	return nil
}
