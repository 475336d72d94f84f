package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos/workload"
	"github.com/freshet-stream/freshet/internal/faultproxy"
	"github.com/freshet-stream/freshet/internal/fleet"
)

const servers = 3

// balancerIdle is after how much silence haproxy gives a connection up. Servers
// send a sign of life each second.
const balancerIdle = 10 * time.Second

// A Fleet is what faults are done to. Whoever started it closes it.
type Fleet struct {
	Redis    *fleet.Redis
	Servers  []*fleet.Server
	Balancer *fleet.Balancer
	// Links are before Redis, one for each server. Fronts are before each server,
	// and the last one before the balancer.
	Links, Fronts []*faultproxy.Proxy
}

// FleetOptions say which fleet to start. Dir is needed.
type FleetOptions struct {
	// Dir takes the files of all processes. It exists.
	Dir string
	// Seed makes the choices those of every run with the same one.
	Seed uint64
	// Race builds the servers with the race detector.
	Race bool
}

// Start starts a fleet. Redis syncs each write to disk before it answers, so that
// nothing that was acknowledged may be lost.
func Start(ctx context.Context, o FleetOptions) (f *Fleet, err error) {
	f = &Fleet{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	binary, err := fleet.Build(ctx, o.Dir, fleet.BuildOptions{Race: o.Race})
	if err != nil {
		return f, err
	}
	f.Redis, err = fleet.StartRedis(ctx, o.Dir, fleet.RedisOptions{AppendOnly: true, Directives: []string{"appendfsync always"}})
	if err != nil {
		return f, err
	}
	var addrs []string
	for i := range servers {
		addr, err := f.addServer(ctx, o, binary, i)
		if err != nil {
			return f, err
		}
		addrs = append(addrs, addr)
	}
	f.Balancer, err = fleet.StartBalancer(ctx, o.Dir, fleet.BalancerOptions{Program: "haproxy", Setup: "stateless", Servers: addrs, Idle: balancerIdle})
	if err != nil {
		return f, err
	}
	return f, f.addFront(f.Balancer.Addr(), o.Seed)
}

// addServer starts a server, and the proxies on both of its sides.
func (f *Fleet) addServer(ctx context.Context, o FleetOptions, binary string, i int) (string, error) {
	link, err := faultproxy.New(faultproxy.Options{Target: f.Redis.Addr(), Seed: o.Seed})
	if err != nil {
		return "", fmt.Errorf("start proxy of Redis: %w", err)
	}
	f.Links = append(f.Links, link)
	name := fmt.Sprint("server-", i+1)
	s, err := fleet.StartServer(ctx, o.Dir, fleet.ServerOptions{
		Binary: binary, Name: name, Store: "redis://" + link.Addr(),
		Args: []string{"--name", name, "--heartbeat", "1s", "--long-poll", "2s", "--log-level", "warn", "--drain-window", "1s", "--drain-grace", "2s"},
		Env:  []string{"GORACE=halt_on_error=0"},
	})
	if err != nil {
		return "", err
	}
	f.Servers = append(f.Servers, s)
	return s.Addr(), f.addFront(s.Addr(), o.Seed+uint64(i)+1)
}

// addFront adds a proxy that cuts every connection sooner or later.
func (f *Fleet) addFront(addr string, seed uint64) error {
	front, err := faultproxy.New(faultproxy.Options{Target: addr, Seed: seed, Least: 200, Most: 60 << 10, Side: faultproxy.Both})
	if err != nil {
		return fmt.Errorf("start proxy of clients: %w", err)
	}
	f.Fronts = append(f.Fronts, front)
	return nil
}

// Doors are the ways in: each server and the balancer, directly and through a
// proxy that cuts.
func (f *Fleet) Doors() []workload.Door {
	doors := []workload.Door{{Name: "haproxy", Addr: f.Balancer.Addr()}}
	for _, s := range f.Servers {
		doors = append(doors, workload.Door{Name: s.Name(), Addr: s.Addr()})
	}
	for i, p := range f.Fronts {
		doors = append(doors, workload.Door{Name: fmt.Sprint("front-", i+1), Addr: p.Addr()})
	}
	return doors
}

// Processes are all there are.
func (f *Fleet) Processes() []*fleet.Process {
	var all []*fleet.Process
	if f.Redis != nil {
		all = append(all, f.Redis.Process)
	}
	for _, s := range f.Servers {
		all = append(all, s.Process)
	}
	if f.Balancer != nil {
		all = append(all, f.Balancer.Process)
	}
	return all
}

// Crashes returns which processes have ended by themselves, and what the logs of
// the servers say of panics and data races. It is for when all is mended.
func (f *Fleet) Crashes() error {
	var errs []error
	for _, p := range f.Processes() {
		if !p.Running() {
			text, _ := p.Log()
			errs = append(errs, fmt.Errorf("%s has ended by itself: %.2000s", p.Name(), text))
		}
	}
	for _, s := range f.Servers {
		text, err := os.ReadFile(s.LogPath())
		errs = append(errs, err)
		for _, word := range []string{"DATA RACE", "panic:", "fatal error:"} {
			if i := strings.Index(string(text), word); i >= 0 {
				errs = append(errs, fmt.Errorf("%s: %.2000s", s.Name(), text[i:]))
			}
		}
	}
	return errors.Join(errs...)
}

// Close ends all of it.
func (f *Fleet) Close() error {
	var errs []error
	for _, p := range f.Processes() {
		errs = append(errs, p.Close())
	}
	for _, p := range append(f.Links, f.Fronts...) {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
