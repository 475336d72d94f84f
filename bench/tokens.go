package main

import (
	"context"
	"fmt"
	"time"
)

func aboutTokens(c *config) string {
	return fmt.Sprintf("LLM tokens: %d streams with one SSE reader each, a record of %d bytes a token, one POST or WebSocket message each", c.streams, c.record)
}

// mostBusy is how much of its core the dearest side may need, so that tokens
// come when they are meant to.
const mostBusy = 0.7

// runTokens measures the whole way of a token: appended by its producer, handed
// to its reader.
func runTokens(ctx context.Context, c *config, r *result) error {
	sides := []contender{
		{title: "net/http hub", subject: "nethttp"},
		{title: "freshet, memory", subject: "freshet"},
		{title: "freshet, memory, WebSocket", subject: "freshet", socket: true},
		{title: "freshet, pebble", subject: "freshet", onDisk: true},
	}
	crowds := make([]*crowd, len(sides))
	rate := float64(c.tokens)
	for i, s := range sides {
		var err error
		if crowds[i], err = gather(ctx, c, s, c.streams, 1, 1); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		defer crowds[i].close()
		// What a token costs at a low rate is the most that it costs.
		probe, err := crowds[i].run(ctx, time.Second/10, c.time/2)
		if err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		rate = min(rate, mostBusy*1e6/micros(probe.cpu, probe.appended)/float64(c.streams))
		if err := c.profile(s, r.Name, crowds[i].process.Profile); err != nil {
			return err
		}
	}
	r.About += fmt.Sprintf(", %.0f a second and stream", rate)
	every := time.Duration(float64(time.Second) / rate)
	for range c.count {
		for i, s := range sides {
			done, err := crowds[i].run(ctx, every, c.time)
			if err != nil {
				return fmt.Errorf("%s: %w", s.title, err)
			}
			r.add(s.title, "CPU per token", "µs", micros(done.cpu, done.appended))
		}
	}
	for _, s := range sides[1:] {
		r.compare(s.title, "CPU per token", sides[0].title, "CPU per token")
	}
	return nil
}
