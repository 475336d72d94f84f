package main

import (
	"context"
	"errors"
	"strings"

	"github.com/freshet-stream/freshet/bench/internal/child"
)

// The engines with a Redis, by when that syncs its append-only file.
const (
	redisEverysec = "redis, everysec"
	redisAlways   = "redis, always"
)

// An engine is a server with a store of its own.
type engine struct {
	contender
	process *child.Process
	crowds  map[shape]*crowd
}

// openEngine starts a server whose store is memory, pebble, or a Redis that is
// started for it.
func (c *config) openEngine(ctx context.Context, title string) (*engine, error) {
	return c.open(ctx, contender{title: title, subject: "freshet"})
}

// open starts a server with the store that its title names.
func (c *config) open(ctx context.Context, s contender) (*engine, error) {
	e := &engine{contender: s, crowds: map[shape]*crowd{}}
	var err error
	if sync, ok := strings.CutPrefix(s.title, "redis, "); ok {
		if e.redis, err = c.startRedis(ctx, sync); err != nil {
			return nil, err
		}
	}
	e.onDisk = s.title == "pebble"
	if e.process, err = c.start(ctx, e.contender); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// close ends the producers, the server and the store.
func (e *engine) close() (err error) {
	for _, g := range e.crowds {
		g.close()
	}
	if e.process != nil {
		err = e.process.Close()
	}
	if e.redis != nil {
		err = errors.Join(err, e.redis.Close())
	}
	return err
}
