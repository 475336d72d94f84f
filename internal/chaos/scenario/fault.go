package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet/internal/faultproxy"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// A Kind is a sort of fault.
type Kind string

// The kinds of faults. Those to processes and those to connections are done by
// one hand each; CutAfterBytes is done by the proxies all the time.
const (
	KillServer    Kind = "server killed"
	DrainServer   Kind = "server terminated"
	PauseServer   Kind = "server paused"
	KillRedis     Kind = "redis killed"
	PauseRedis    Kind = "redis paused"
	KillBalancer  Kind = "haproxy killed"
	PauseBalancer Kind = "haproxy paused"

	CutClients   Kind = "clients cut"
	StallClients Kind = "clients half-open"
	DelayClients Kind = "clients delayed"
	CutRedis     Kind = "redis links cut"
	StallRedis   Kind = "redis links half-open"
	DelayRedis   Kind = "redis links delayed"

	CutAfterBytes Kind = "connections cut after some bytes"
)

// Kinds are those that every scenario promises.
func Kinds() []Kind { return append(append(toProcesses(), toConnections()...), CutAfterBytes) }

func toProcesses() []Kind {
	return []Kind{KillServer, DrainServer, PauseServer, KillRedis, PauseRedis, KillBalancer, PauseBalancer}
}

func toConnections() []Kind {
	return []Kind{CutClients, StallClients, DelayClients, CutRedis, StallRedis, DelayRedis}
}

// do does a fault and mends it. It returns how often it happened: a fault to
// connections happens once for each that it met.
func (h *hand) do(ctx context.Context, kind Kind) (int, error) {
	switch kind {
	case KillServer:
		return h.kill(ctx, pick(h, h.fleet.Servers).Process)
	case KillRedis:
		return h.kill(ctx, h.fleet.Redis.Process)
	case KillBalancer:
		return h.kill(ctx, h.fleet.Balancer.Process)
	case DrainServer:
		return h.drain(ctx, pick(h, h.fleet.Servers).Process)
	case PauseServer:
		return h.pause(ctx, pick(h, h.fleet.Servers).Process, 8*time.Second)
	case PauseRedis:
		return h.pause(ctx, h.fleet.Redis.Process, 4*time.Second)
	case PauseBalancer:
		return h.pause(ctx, h.fleet.Balancer.Process, 4*time.Second)
	case CutClients:
		return pick(h, h.fleet.Fronts).CutAll(), nil
	case StallClients:
		return pick(h, h.fleet.Fronts).Stall(), nil
	case DelayClients:
		return h.delay(ctx, pick(h, h.fleet.Fronts))
	case CutRedis:
		return pick(h, h.fleet.Links).CutAll(), nil
	case StallRedis:
		return pick(h, h.fleet.Links).Stall(), nil
	case DelayRedis:
		return h.delay(ctx, pick(h, h.fleet.Links))
	}
	return 0, fmt.Errorf("there is no fault %q", kind)
}

// kill kills a process, and starts it again a moment later.
func (h *hand) kill(ctx context.Context, p *fleet.Process) (int, error) {
	before := p.PID()
	if err := p.Kill(); err != nil {
		return 0, fmt.Errorf("kill %s: %w", p.Name(), err)
	}
	h.wait(ctx, 2*time.Second)
	return h.again(p, before)
}

// mostDrain is for how long a server may take to end, far beyond what it is told.
const mostDrain = 2 * time.Minute

// drain asks a process to end, waits until it has, and starts it again.
func (h *hand) drain(ctx context.Context, p *fleet.Process) (int, error) {
	before := p.PID()
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), mostDrain)
	defer cancel()
	if err := p.Terminate(draining); err != nil {
		return 0, fmt.Errorf("terminate %s: %w", p.Name(), err)
	}
	h.wait(ctx, time.Second)
	return h.again(p, before)
}

// starts is how often a process is started that ends at once, as a server does
// that loses its connection to Redis before it serves. A supervisor would do so.
const starts = 20

// again starts a process that was ended. The context is none, since what a hand
// has broken it mends.
func (h *hand) again(p *fleet.Process, before int) (int, error) {
	if p.Running() {
		return 0, fmt.Errorf("%s runs after it was ended", p.Name())
	}
	var err error
	for range starts {
		var ended *fleet.EndedError
		if err = p.Start(context.Background()); !errors.As(err, &ended) {
			break
		}
	}
	if err != nil {
		return 0, fmt.Errorf("start again: %w", err)
	}
	if p.PID() == before {
		return 0, fmt.Errorf("%s was not started anew", p.Name())
	}
	return 1, nil
}

// pause stops a process where it is, for most at most.
func (h *hand) pause(ctx context.Context, p *fleet.Process, most time.Duration) (int, error) {
	if err := p.Pause(); err != nil {
		return 0, err
	}
	h.wait(ctx, most)
	if err := p.Resume(); err != nil {
		return 0, fmt.Errorf("resume %s: %w", p.Name(), err)
	}
	return 1, nil
}

// delay lets a proxy be slow for a while.
func (h *hand) delay(ctx context.Context, p *faultproxy.Proxy) (int, error) {
	before := p.Counts().Delayed
	p.Delay(time.Duration(20+h.rng.IntN(400)) * time.Millisecond)
	h.wait(ctx, 3*time.Second)
	p.Delay(0)
	return p.Counts().Delayed - before, nil
}
