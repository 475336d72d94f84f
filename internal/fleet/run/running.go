package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/internal/fleet"
)

const servers = 3

// restartWait is after which time a process that has ended is started again,
// long enough to see that it is missing.
const restartWait = 5 * time.Second

type options struct {
	port          int
	setup, server string
}

// running is the fleet.
type running struct {
	dir string
	out *output

	balancer *fleet.Balancer
	servers  []*fleet.Server
	redis    *fleet.Redis
}

// start starts all of it. What runs when it fails is for close.
func (f *running) start(ctx context.Context, o options) (err error) {
	f.out.say("", "building freshet …\n")
	binary, err := fleet.Build(ctx, f.dir, fleet.BuildOptions{})
	if err != nil {
		return err
	}
	f.redis, err = fleet.StartRedis(ctx, f.dir, fleet.RedisOptions{AppendOnly: true})
	if err != nil {
		return err
	}
	var addrs []string
	for i := range servers {
		name := fmt.Sprint("server-", i+1)
		s, err := fleet.StartServer(ctx, f.dir, fleet.ServerOptions{
			Binary: binary, Store: f.redis.URL(), Name: name,
			Args: append([]string{"--name", name}, strings.Fields(o.server)...),
		})
		if err != nil {
			return err
		}
		f.servers = append(f.servers, s)
		addrs = append(addrs, s.Addr())
	}
	f.balancer, err = fleet.StartBalancer(ctx, f.dir, fleet.BalancerOptions{Program: "haproxy", Setup: o.setup, Servers: addrs, Port: o.port})
	return err
}

// processes returns what runs, the front first.
func (f *running) processes() (all []*fleet.Process) {
	if f.balancer != nil {
		all = append(all, f.balancer.Process)
	}
	for _, s := range f.servers {
		all = append(all, s.Process)
	}
	if f.redis != nil {
		all = append(all, f.redis.Process)
	}
	return all
}

// supervise shows what the processes write, and starts them again when they have
// ended, until ctx ends.
func (f *running) supervise(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	for _, p := range f.processes() {
		work.Go(func() { f.out.follow(ctx, p.Name(), p.LogPath()) })
		work.Go(func() { f.keep(ctx, p) })
	}
}

// keep starts a process again whenever it has ended.
func (f *running) keep(ctx context.Context, p *fleet.Process) {
	for {
		err := p.Wait(ctx)
		if ctx.Err() != nil {
			return
		}
		f.out.say(p.Name(), fmt.Sprintf("ended (%v); it is started again in %v\n", err, restartWait))
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartWait):
		}
		if err := p.Start(ctx); err != nil {
			f.out.say(p.Name(), err.Error()+"\n")
			continue
		}
		f.out.say(p.Name(), fmt.Sprintf("runs again, with pid %d\n", p.PID()))
	}
}

// close ends all of it at once, since nothing of it is kept.
func (f *running) close() error {
	var errs []error
	for _, p := range f.processes() {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
