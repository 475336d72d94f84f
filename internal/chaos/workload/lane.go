package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/client"
)

// Run runs the workload until it is stopped, everybody has come to the end, and
// the store was read. What guarantees were broken the history tells; the error is
// that the workload itself could not go on.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	lanes := make([]*lane, o.Lanes)
	var running sync.WaitGroup
	for i := range lanes {
		lanes[i] = &lane{opts: &o, number: i, rng: o.random(fmt.Sprint("lane", i))}
		running.Go(func() { lanes[i].run(ctx) })
	}
	running.Wait()
	var problems []error
	for _, l := range lanes {
		problems = append(problems, l.conclude(ctx))
	}
	return errors.Join(append(problems, context.Cause(ctx))...)
}

// A lane is one stream after the other.
type lane struct {
	opts    *Options
	number  int
	rng     *rand.Rand
	streams []*stream
}

func (l *lane) run(ctx context.Context) {
	all := plots(l.opts.Plots)
	if len(all) == 0 {
		return
	}
	for n := 0; !l.opts.stopped() && ctx.Err() == nil && (l.opts.Streams == 0 || n < l.opts.Streams); n++ {
		// Each lane begins elsewhere and comes to every plot.
		p := all[(l.number+n)%len(all)]
		s := l.opts.newStream(fmt.Sprintf("%s/%d-%d", p.name, l.number, n), pick(l.rng, textLines, jsonValue, events))
		s.lease = p.lease
		calls := 4 + l.rng.IntN(40)
		if l.number < l.opts.LongLanes {
			calls *= 10
		}
		s.halfAt = int64(calls / 2)
		l.streams = append(l.streams, s)
		l.play(ctx, s, &scene{stream: s, rng: l.rng, calls: calls}, p)
	}
}

// play lets a stream be written and read until all have come to its end.
func (l *lane) play(ctx context.Context, s *stream, sc *scene, p plot) {
	var readers sync.WaitGroup
	defer readers.Wait()
	l.invite(ctx, s, &readers)
	own := newLine(l.opts)
	defer own.close()
	if err := s.create(ctx, own, l.rng); err != nil {
		s.complain(err)
	} else {
		p.play(sc, ctx)
	}
	s.reachHalf()
	close(s.over)
	if s.deleted.Load() {
		l.keepGone(ctx, s, own, &readers)
	}
}

// keepGone deletes the stream again while somebody reads: a request to create it
// that was stuck somewhere may have met its absence.
func (l *lane) keepGone(ctx context.Context, s *stream, own *line, readers *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		readers.Wait()
		close(done)
	}()
	for !isClosed(done) && ctx.Err() == nil {
		_, _ = s.ask(ctx, own, pick(l.rng, l.opts.Doors...), http.MethodDelete, nil)
		select {
		case <-done:
		case <-time.After(500 * time.Millisecond):
		}
	}
	<-done
}

// invite starts the readers of a stream, each when its time has come.
func (l *lane) invite(ctx context.Context, s *stream, readers *sync.WaitGroup) {
	join := func(name string, when <-chan struct{}, read func(rng *rand.Rand)) {
		rng := l.opts.random(s.name + name)
		readers.Go(func() {
			select {
			case <-ctx.Done():
				return
			case <-when:
			case <-s.over: // it may never have been created
			}
			read(rng)
		})
	}
	raw := func(name string, when <-chan struct{}, over ...string) {
		join(name, when, func(rng *rand.Rand) { s.newReader(name, rng).read(ctx, over...) })
	}
	early := make(chan struct{})
	close(early)
	raw("early", early, pick(l.rng, viaSSE, viaWebSocket))
	raw("sse", pick(l.rng, s.created, s.half), viaSSE)
	raw("other", pick(l.rng, s.created, s.half), pick(l.rng, viaWebSocket, viaLive, viaLongPoll))
	raw("hopper", s.created, viaSSE, viaWebSocket, viaLive, viaLongPoll)
	raw("late", s.over, viaSSE, viaWebSocket, viaLive, viaLongPoll)
	via := pick(l.rng, client.SSE, client.WebSocket, client.LongPoll)
	join("client", pick(l.rng, s.created, s.half, s.over), func(rng *rand.Rand) { s.readClient(ctx, "client", rng, via) })
	together := []*stream{s}
	if n := len(l.streams); n > 1 {
		together = append(together, l.streams[n-2])
	}
	set := fmt.Sprintf("set-%d", len(l.streams))
	join(set, pick(l.rng, s.created, s.half), func(rng *rand.Rand) { l.opts.newSetReader(set, rng, together...).read(ctx) })
}

// conclude reads what the store has of the lane's streams.
func (l *lane) conclude(ctx context.Context) error {
	own := newLine(l.opts)
	defer own.close()
	var problems []error
	for _, s := range l.streams {
		problems = append(problems, s.problems...)
		problems = append(problems, s.final(ctx, own, l.rng))
	}
	return errors.Join(problems...)
}
