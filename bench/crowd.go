package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/child"
	"github.com/freshet-stream/freshet/bench/internal/load"
)

// A crowd are producers, and followers of what they append.
type crowd struct {
	// process is appended to. It is the crowd's own if alone.
	process   *child.Process
	alone     bool
	followers *load.Followers
	producers []*load.Producer
	// each is how many followers get each record.
	each int64
	// want is how many records followers have to have got.
	want int64
}

// gather starts a process with a number of streams, and for each of them some
// followers over SSE and some producers.
func gather(ctx context.Context, c *config, s contender, streams, followers, producers int) (*crowd, error) {
	p, err := c.start(ctx, s)
	if err != nil {
		return nil, err
	}
	g, err := c.seat(s, p, "bench", streams, producers, []*child.Process{p}, followers)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	g.alone = true
	return g, nil
}

// seat makes streams with names under a prefix, and gives to each of them some
// producers at one process, and some followers over SSE at each of some that
// have the same streams.
func (c *config) seat(s contender, to *child.Process, under string, streams, producers int, from []*child.Process, followers int) (_ *crowd, err error) {
	g := &crowd{process: to, each: int64(followers * len(from))}
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	follow := load.Follow
	if s.timed {
		follow = load.FollowTimed
	}
	if g.followers, err = follow(); err != nil {
		return nil, err
	}
	addr := to.Addr
	if err := load.Create(addr, "/v1/stream/quiet", nil); err != nil {
		return nil, err
	}
	names := make([]string, streams)
	for i := range names {
		names[i] = fmt.Sprintf("%s/%d", under, i)
		if err := load.Create(addr, "/v1/stream/"+names[i], nil); err != nil {
			return nil, err
		}
	}
	// Who connects has some seconds to send a request, so this comes last.
	for _, name := range names {
		path := "/v1/stream/" + name
		for _, p := range from {
			for range followers {
				if err := g.followers.Add(p.Addr, load.Get(p.Addr, path), "200", nil); err != nil {
					return nil, err
				}
			}
		}
		for range producers {
			p, err := s.producer(addr, name, c.payload())
			if err != nil {
				return nil, err
			}
			g.producers = append(g.producers, p)
		}
	}
	return g, nil
}

// producer returns one that appends to a stream.
func (s contender) producer(addr, name string, record []byte) (p *load.Producer, err error) {
	path := "/v1/stream/" + name
	switch {
	case s.socket:
		p, err = load.Socket(addr, "/v1/stream/quiet", "?append="+name, record)
	case s.together > 0:
		p, err = load.Stream(addr, path, record, s.together)
	default:
		p, err = load.Post(addr, path, record)
	}
	if err == nil && s.timed {
		err = p.Stamp()
	}
	return p, err
}

// A round is what a crowd did in one repetition.
type round struct {
	// appended counts the records, delivered those that followers got, and
	// writes those of the server.
	appended, delivered, writes int64
	// cpu is what the process took that is appended to, and elapsed the time
	// until all was done.
	cpu, elapsed time.Duration
}

// run lets the producers send for d, at an interval unless that is zero, and
// waits until the followers have got everything.
func (g *crowd) run(ctx context.Context, every, d time.Duration) (done round, err error) {
	chunks := g.followers.Chunks()
	done.cpu, done.elapsed, err = spent(g.process, func() error {
		done.appended, err = load.Run(ctx, g.producers, every, d)
		if err != nil {
			return err
		}
		return g.settle(ctx, done.appended)
	})
	done.delivered = done.appended * g.each
	done.writes = g.followers.Chunks() - chunks
	return done, err
}

// settle waits until followers have got records that were appended.
func (g *crowd) settle(ctx context.Context, appended int64) error {
	g.want += appended * g.each
	if g.each == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return g.followers.Await(ctx, g.want)
}

func (g *crowd) close() {
	for _, p := range g.producers {
		p.Close()
	}
	if g.followers != nil {
		g.followers.Close()
	}
	if g.alone {
		_ = g.process.Close()
	}
}
