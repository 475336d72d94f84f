package main

import (
	"context"
	"fmt"
	"time"
)

func aboutStores(c *config) string {
	return fmt.Sprintf("records of %d bytes as fast as producers can who send one POST a record and wait for each answer; a second, and µs of CPU of Freshet + Redis for each", c.record)
}

// A shape is how many streams are appended to, and by how many producers each.
type shape struct{ streams, each int }

func shapes() []shape { return []shape{{1, 1}, {1, 16}, {10, 1}, {10, 16}, {100, 1}, {1000, 1}} }

func (s shape) String() string {
	text := streams(s.streams)
	if s.each > 1 {
		text += fmt.Sprintf(" × %d producers", s.each)
	}
	return text
}

func streams(n int) string {
	if n == 1 {
		return "1 stream"
	}
	return fmt.Sprintf("%d streams", n)
}

// runStores measures how many records the stores take in a second, and at what
// cost.
func runStores(ctx context.Context, c *config, r *result) error {
	var engines []*engine
	defer func() {
		for _, e := range engines {
			_ = e.close()
		}
	}()
	for _, title := range []string{"memory", "pebble", redisEverysec, redisAlways} {
		e, err := c.openEngine(ctx, title)
		if err != nil {
			return fmt.Errorf("%s: %w", title, err)
		}
		engines = append(engines, e)
		for i, s := range shapes() {
			if err := e.join(ctx, c, fmt.Sprint(i), s); err != nil {
				return fmt.Errorf("%s, %v: %w", title, s, err)
			}
		}
		if err := c.profile(e.contender, r.Name, e.process.Profile); err != nil {
			return err
		}
	}
	for range c.storeCount {
		for _, s := range shapes() {
			for _, e := range engines {
				if err := e.measure(ctx, r, s, c.time/2); err != nil {
					return fmt.Errorf("%s, %v: %w", e.title, s, err)
				}
			}
		}
	}
	r.table = storesTable(r, engines)
	return nil
}

func storesTable(r *result, engines []*engine) *table {
	t := &table{}
	head := []string{"as fast as they can"}
	for _, e := range engines {
		head = append(head, e.title)
	}
	t.add(append(head, "commands a record")...)
	for _, s := range shapes() {
		row := []string{s.String()}
		for _, e := range engines {
			side := e.side(s)
			text := r.cell(side, "records") + ", " + r.number(side, "CPU per record")
			if e.redis != nil {
				text += " + " + r.number(side, "CPU of Redis")
			}
			row = append(row, text+" µs")
		}
		t.add(append(row, r.cell(redisEverysec+", "+s.String(), "commands per record"))...)
	}
	return t
}

// join lets producers come, and try.
func (e *engine) join(ctx context.Context, c *config, under string, s shape) error {
	g, err := c.seat(e.contender, e.process, under, s.streams, s.each, nil, 0)
	if err != nil {
		return err
	}
	e.crowds[s] = g
	_, err = g.run(ctx, 0, c.time/8)
	return err
}

// measure lets the producers of a shape append for d.
func (e *engine) measure(ctx context.Context, r *result, s shape, d time.Duration) error {
	var done round
	run := func() (err error) {
		done, err = e.crowds[s].run(ctx, 0, d)
		return err
	}
	side := e.side(s)
	if e.redis == nil {
		if err := run(); err != nil {
			return err
		}
	} else {
		spent, err := e.redis.spent(ctx, run)
		if err != nil {
			return err
		}
		r.add(side, "CPU of Redis", "µs", micros(spent.cpu, done.appended))
		r.add(side, "commands per record", "", per(spent.asked, done.appended))
		r.add(side, "calls in Redis per record", "", per(spent.calls, done.appended))
	}
	r.add(side, "records", "/s", done.rate())
	r.add(side, "CPU per record", "µs", micros(done.cpu, done.appended))
	return nil
}

func (e *engine) side(s shape) string { return e.title + ", " + s.String() }

// per returns how many there are for each of n.
func per(all, n int64) float64 { return float64(all) / float64(max(n, 1)) }

// rate returns how many records a second were appended.
func (r round) rate() float64 { return float64(r.appended) * float64(time.Second) / float64(r.elapsed) }
