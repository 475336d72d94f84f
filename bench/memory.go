package main

import (
	"context"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
	"github.com/freshet-stream/freshet/bench/internal/load"
)

func aboutMemory(c *config) string {
	return fmt.Sprintf("%d idle followers of one stream, each has got one record", c.idle)
}

// An audience is a way to follow.
type audience struct {
	contender
	// request begins a connection, and is answered with status; then is sent
	// after that.
	request func(addr, path string) []byte
	status  string
	then    []byte
}

func audiences() []audience {
	socket := func(protocol string) func(addr, path string) []byte {
		return func(addr, path string) []byte { return load.Upgrade(addr, path, protocol) }
	}
	return []audience{
		{contender{title: "net/http hub, SSE", subject: "nethttp"}, load.Get, "200", nil},
		{contender{title: "freshet, SSE", subject: "freshet"}, load.Get, "200", nil},
		{contender{title: "freshet, WebSocket", subject: "freshet"}, socket(""), "101", nil},
		{
			contender{title: "freshet, freshet.v1.json", subject: "freshet"}, socket("freshet.v1.json"), "101",
			load.Message([]byte(`{"op":"follow","id":1}`)),
		},
	}
}

// runMemory measures by how much a process grows when followers come that then
// have nothing to do.
func runMemory(ctx context.Context, c *config, r *result) error {
	all := audiences()
	for range c.idleCount {
		for _, a := range all {
			before, after, err := c.grow(ctx, a)
			if err != nil {
				return fmt.Errorf("%s: %w", a.title, err)
			}
			each := func(before, after int64) float64 { return float64(after-before) / 1000 / float64(c.idle) }
			r.add(a.title, "resident", "KB", each(before.RSS, after.RSS))
			r.add(a.title, "heap", "KB", each(before.Heap, after.Heap))
			r.add(a.title, "stacks", "KB", each(before.Stack, after.Stack))
		}
	}
	for _, a := range all[1:] {
		r.compare(a.title, "resident", all[0].title, "resident")
	}
	return nil
}

// grow lets an audience come to a new process and returns what that uses before
// and after.
func (c *config) grow(ctx context.Context, a audience) (before, after child.Usage, err error) {
	p, err := c.start(ctx, a.contender)
	if err != nil {
		return before, after, err
	}
	defer p.Close()
	followers, err := load.Follow()
	if err != nil {
		return before, after, err
	}
	defer followers.Close()
	const path = "/v1/stream/bench/0"
	if err := load.Create(p.Addr, path, nil); err != nil {
		return before, after, err
	}
	if before, err = p.Settle(); err != nil {
		return before, after, err
	}
	for range c.idle {
		if err := followers.Add(p.Addr, a.request(p.Addr, path), a.status, a.then); err != nil {
			return before, after, err
		}
	}
	// The operations of the last are on their way.
	time.Sleep(100 * time.Millisecond)
	producer, err := load.Post(p.Addr, path, c.payload())
	if err != nil {
		return before, after, err
	}
	defer producer.Close()
	if err := producer.Send(); err != nil {
		return before, after, err
	}
	if err := followers.Await(ctx, int64(c.idle)); err != nil {
		return before, after, err
	}
	time.Sleep(200 * time.Millisecond)
	if after, err = p.Settle(); err != nil {
		return before, after, err
	}
	return before, after, c.profile(a.contender, "memory", p.Heap)
}
