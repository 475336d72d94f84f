package main

import (
	"context"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/load"
)

func aboutTokens(c *config) string {
	return fmt.Sprintf("LLM tokens: %d streams with one SSE reader each, a record of %d bytes a token, one POST, WebSocket message or chunk of a streaming body each", c.streams, c.record)
}

// fits is the part of the planned tokens that must come for a rate to be one
// that the server keeps up with. leastRate is where looking for it ends.
const (
	fits      = 0.9
	leastRate = 5
)

// runTokens measures the whole way of a token: appended by its producer, handed
// to its reader.
func runTokens(ctx context.Context, c *config, r *result) error {
	const posted, streamed = "freshet, pebble", "freshet, pebble, streaming"
	sides := []contender{
		{title: "net/http hub", subject: "nethttp"},
		{title: "freshet, memory", subject: "freshet"},
		{title: "freshet, memory, WebSocket", subject: "freshet", socket: true},
		{title: posted, subject: "freshet", onDisk: true},
		{title: streamed, subject: "freshet", onDisk: true, together: 1},
	}
	crowds := make([]*crowd, len(sides))
	for i, s := range sides {
		var err error
		if crowds[i], err = gather(ctx, c, s, c.streams, 1, 1); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		defer crowds[i].close()
		if s.together > 0 {
			if err = crowds[i].all((*load.Producer).Begin); err != nil {
				return fmt.Errorf("%s: %w", s.title, err)
			}
		}
	}
	rate, err := c.fit(ctx, crowds)
	if err != nil {
		return err
	}
	r.About += fmt.Sprintf(", %d a second and stream", rate)
	for i, s := range sides {
		if err := c.profile(s, r.Name, crowds[i].process.Profile); err != nil {
			return err
		}
	}
	for range c.count {
		for i, s := range sides {
			done, err := crowds[i].run(ctx, time.Second/time.Duration(rate), c.time)
			if err != nil {
				return fmt.Errorf("%s: %w", s.title, err)
			}
			r.add(s.title, "CPU per token", "µs", micros(done.cpu, done.appended))
			r.add(s.title, "tokens", "/s", float64(done.appended)/c.time.Seconds())
		}
	}
	for _, s := range sides[1:] {
		r.compare(s.title, "CPU per token", sides[0].title, "CPU per token")
	}
	r.compare(streamed, "CPU per token", posted, "CPU per token")
	return nil
}

// fit returns the rate that was asked for, or a half of it, a quarter and so on
// if not all of the crowds keep up.
func (c *config) fit(ctx context.Context, crowds []*crowd) (rate int, err error) {
	for rate = c.tokens; rate > leastRate; rate /= 2 {
		d := c.time / 2
		kept := true
		for _, g := range crowds {
			done, err := g.run(ctx, time.Second/time.Duration(rate), d)
			if err != nil {
				return 0, err
			}
			planned := float64(rate*len(g.producers)) * d.Seconds()
			if float64(done.appended) < fits*planned {
				kept = false
				break
			}
		}
		if kept {
			break
		}
	}
	return max(rate, 1), nil
}
