package main

import (
	"context"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/load"
	"github.com/freshet-stream/freshet/bench/internal/stat"
)

func aboutCommands(c *config) string {
	return fmt.Sprintf("records of %d bytes through Redis, appended at one server and followed by one SSE reader a stream at another; each record a POST, or a chunk of a request that does not end", c.record)
}

// pace is how many records a second and stream come from producers that do not
// send as fast as they can.
const pace = 100

// A course is how records go through Redis in a row of commands.
type course struct {
	title string
	// every is zero for as fast as producers can.
	every    time.Duration
	streams  int
	together int
}

func courses() (all []course) {
	for _, every := range []time.Duration{time.Second / pace, 0} {
		for _, n := range []int{1, 10, 100} {
			for together, how := range []string{"POST", "chunk"} {
				speed := "full speed"
				if every > 0 {
					speed = fmt.Sprintf("%d/s", pace)
				}
				all = append(all, course{title: speed + ", " + streams(n) + ", " + how, every: every, streams: n, together: together})
			}
		}
	}
	return all
}

// runCommands measures how many commands Redis gets for each record, what they
// cost, and how long a record is on its way.
func runCommands(ctx context.Context, c *config, r *result) error {
	p, err := c.openSiblings(ctx, 1)
	if err != nil {
		return err
	}
	defer p.close()
	if err := c.profile(p.contender, r.Name, p.process.Profile); err != nil {
		return err
	}
	all := courses()
	for i := range c.storeCount {
		for k, s := range all {
			t, err := s.run(ctx, c, p, fmt.Sprintf("%d/%d", i, k))
			if err != nil {
				return fmt.Errorf("%s: %w", s.title, err)
			}
			r.addTrip(s.title, t)
		}
	}
	r.table = commandsTable(r, all)
	return nil
}

// run lets producers and followers come, try, and go again, so that nobody looks
// after their streams while others are measured.
func (s course) run(ctx context.Context, c *config, p *siblings, under string) (t trip, err error) {
	side := p.contender
	side.together = s.together
	// Without pace chunks wait in the buffers of sockets, which says nothing.
	side.timed = s.every > 0 || s.together == 0
	g, err := c.seat(side, p.process, under, s.streams, 1, p.others, 1)
	if err != nil {
		return t, err
	}
	defer g.close()
	if s.together > 0 {
		if err := g.all((*load.Producer).Begin); err != nil {
			return t, err
		}
	}
	if _, err = g.run(ctx, s.every, c.time/8); err != nil {
		return t, err
	}
	return p.run(ctx, g, s.every, c.time/2)
}

func (r *result) addTrip(side string, t trip) {
	n := t.appended
	r.add(side, "records", "/s", t.rate())
	r.add(side, "appending commands per record", "", per(t.redis.changes, n))
	r.add(side, "commands per record", "", per(t.redis.asked, n))
	r.add(side, "calls in Redis per record", "", per(t.redis.calls, n))
	r.add(side, "CPU of Redis", "µs", micros(t.redis.cpu, n))
	r.add(side, "CPU where appended", "µs", micros(t.cpu, n))
	r.add(side, "CPU where followed", "µs", micros(t.others, n))
	if delays := stat.Millis(t.delays); len(delays) > 0 {
		r.add(side, "delay", "ms", delays.Median())
		r.add(side, "delay, p99", "ms", delays.Quantile(0.99))
	}
}

func commandsTable(r *result, all []course) *table {
	t := &table{}
	t.add("", "records", "appending commands a record", "all commands", "calls, scripts' included", "CPU a record: Redis", "server appended to", "server followed", "delay: median", "p99")
	for _, s := range all {
		t.add(s.title, r.cell(s.title, "records"),
			r.cell(s.title, "appending commands per record"), r.cell(s.title, "commands per record"), r.cell(s.title, "calls in Redis per record"),
			r.cell(s.title, "CPU of Redis"), r.cell(s.title, "CPU where appended"), r.cell(s.title, "CPU where followed"),
			r.cell(s.title, "delay"), r.cell(s.title, "delay, p99"))
	}
	return t
}
