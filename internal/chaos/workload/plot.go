package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

// A plot is what producers do with a stream that exists. It returns when they do
// nothing more.
type plot struct {
	name string
	// lease is that of the stream, 0 for none.
	lease time.Duration
	play  func(s *scene, ctx context.Context)
}

// plots returns those with some names, or all there are. In each, the producers
// know of each other only what the fleet tells them.
func plots(names []string) []plot {
	all := []plot{
		{"solo", 0, (*scene).solo},
		{"duet", 0, (*scene).duet},
		{"fenced", 0, (*scene).fenced},
		{"orphan", 2 * time.Second, (*scene).orphan},
		{"cancelled", 0, (*scene).cancelled},
		{"deleted", 0, (*scene).deleted},
		{"recreated", 0, (*scene).recreated},
		{"unnamed", 0, (*scene).unnamed},
	}
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(p plot) bool { return !slices.Contains(names, p.name) })
}

// A scene is a stream with those who play on it.
type scene struct {
	*stream
	rng *rand.Rand
	// calls is about how many appends each producer makes.
	calls int
}

// cast returns a producer that appends in some way, named as part of an epoch.
func (s *scene) cast(id string, epoch uint64) *producer {
	rng := s.opts.random(s.name + id + string(rune('0'+epoch)))
	p := &producer{
		stream: s.stream, name: id + string(rune('0'+epoch)), rng: rng, line: newLine(s.opts),
		named: true, next: freshet.Producer{ID: id, Epoch: epoch}, most: pick(rng, 0, 0, 50, 2000),
	}
	ways := []string{"post", "websocket", "client"}
	if s.format != textLines {
		ways = append(ways, "streamed")
	}
	switch pick(rng, ways...) {
	case "websocket":
		p.sender = &operator{line: p.line}
	case "streamed":
		p.sender = &streamer{p.line, rng, s.opts.Pace / 2}
	case "client":
		p.line.scatter(rand.New(rand.NewPCG(rng.Uint64(), 0)), s.opts.Doors)
		l, err := newLibrary(s.opts, p.line)
		if err != nil {
			s.complain(err)
		}
		p.sender = l
	default:
		p.sender = &poster{p.line}
	}
	return p
}

// leave ends the producer's connections.
func (p *producer) leave() {
	p.sender.close()
	p.line.close()
}

// check complains of an end that is none of the plot's.
func (s *scene) check(err error) {
	if err != nil && !errors.Is(err, errRefused) && !errors.Is(err, errGivenUp) && !errors.Is(err, context.Canceled) {
		s.complain(err)
	}
}

// solo is one producer, which closes the stream with its last append.
func (s *scene) solo(ctx context.Context) {
	p := s.cast("a", 0)
	defer p.leave()
	err := p.produce(ctx, s.calls)
	if err == nil {
		err = p.finish(ctx, pick(s.rng, freshet.Completed, freshet.Failed))
	}
	s.check(err)
}

// duet is two producers at once, of which one closes the stream when both are
// done.
func (s *scene) duet(ctx context.Context) {
	a, b := s.cast("a", 0), s.cast("b", 0)
	defer a.leave()
	defer b.leave()
	var both sync.WaitGroup
	both.Go(func() { s.check(b.produce(ctx, s.calls)) })
	s.check(a.produce(ctx, s.calls))
	both.Wait()
	s.check(a.finish(ctx, freshet.Completed))
}

// fenced is a producer whose successor takes over while it goes on.
func (s *scene) fenced(ctx context.Context) {
	old, successor := s.cast("a", 0), s.cast("a", 1)
	defer old.leave()
	defer successor.leave()
	var both sync.WaitGroup
	both.Go(func() {
		s.check(old.produce(ctx, 4*s.calls))
		s.reachHalf()
	})
	s.await(ctx, s.half)
	err := successor.produce(ctx, s.calls)
	if err == nil {
		err = successor.finish(ctx, freshet.Failed)
	}
	s.check(err)
	both.Wait()
}

// orphan is a producer that disappears, so that the lease runs out.
func (s *scene) orphan(ctx context.Context) {
	p := s.cast("a", 0)
	defer p.leave()
	s.check(p.produce(ctx, s.calls))
	s.awaitClose(ctx, p.line)
}

// cancelled is a producer that is stopped by somebody else.
func (s *scene) cancelled(ctx context.Context) {
	p, closer := s.cast("a", 0), s.cast("z", 0)
	defer p.leave()
	defer closer.leave()
	var both sync.WaitGroup
	both.Go(func() {
		s.check(p.produce(ctx, 4*s.calls))
		s.reachHalf()
	})
	s.await(ctx, s.half)
	s.check(closer.append(ctx, 0, freshet.Cancelled))
	both.Wait()
}

// deleted is a stream that is deleted while it is written.
func (s *scene) deleted(ctx context.Context) {
	p := s.cast("a", 0)
	defer p.leave()
	var both sync.WaitGroup
	both.Go(func() {
		s.check(p.produce(ctx, 4*s.calls))
		s.reachHalf()
	})
	s.await(ctx, s.half)
	s.check(s.delete(ctx, p.line, s.rng))
	both.Wait()
}

// recreated is a stream that is deleted and created again under its name.
func (s *scene) recreated(ctx context.Context) {
	a, b := s.cast("a", 0), s.cast("b", 0)
	defer a.leave()
	defer b.leave()
	s.check(a.produce(ctx, s.calls))
	s.again.Store(true)
	s.check(s.remove(ctx, a.line, s.rng))
	s.check(s.put(ctx, a.line, s.rng))
	err := b.produce(ctx, s.calls)
	if err == nil {
		err = b.finish(ctx, freshet.Completed)
	}
	s.check(err)
}

// unnamed is a producer that cannot repeat what may have landed.
func (s *scene) unnamed(ctx context.Context) {
	p, closer := s.cast("a", 0), s.cast("z", 0)
	defer p.leave()
	defer closer.leave()
	p.sender.close()
	p.sender, p.named = &poster{p.line}, false
	s.check(p.produce(ctx, s.calls))
	s.check(closer.append(ctx, 0, freshet.Completed))
}

// await waits for the plot to come so far.
func (s *scene) await(ctx context.Context, until <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-until:
	}
}

// awaitClose waits until some server says that the stream is closed.
func (s *scene) awaitClose(ctx context.Context, l *line) {
	for failures := 0; failures <= 5*s.opts.Patience && ctx.Err() == nil; {
		if isClosed(s.opts.Healed) {
			failures++
		}
		if s.isClosed(ctx, l) {
			return
		}
		_ = rest(ctx, 100*time.Millisecond)
	}
}

func (s *scene) isClosed(ctx context.Context, l *line) bool {
	ctx, cancel := context.WithTimeout(ctx, l.idle)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, pick(s.rng, s.opts.Doors...).url(s.name), nil)
	if err != nil {
		return false
	}
	resp, err := l.http.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.Header.Get("Stream-Closed") == "true"
}
