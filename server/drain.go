package server

import (
	"context"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/internal/drain"
)

// progressEvery is how often a drain says how far it is.
const progressEvery = 5 * time.Second

// Unready lets /readyz answer 503, so that load balancers send what is new to
// other servers, and asks clients to open other connections: answers carry
// Connection: close, over HTTP/2 a GOAWAY. What comes all the same is served. It
// cannot be taken back.
func (s *Server) Unready() { s.ready.over.Store(true) }

// Drain ends what clients would wait for, so that nobody loses anything:
//
//   - Followers, which resume on another server, are ended one after the other,
//     spread over [Options].DrainWindow or in less time if they are few: over SSE
//     their response breaks off, over WebSocket they are closed with 1012, a
//     long-poll is answered as when its time is over. A follower that still comes
//     is served and gets its turn: an EventSource would take a refusal for the end.
//   - So are request bodies that are appended while they arrive: their sender is
//     told, by a 503, how much of the body has landed.
//   - What nobody could take up elsewhere, such as a generation, goes on until it
//     is done, or [Options].DrainGrace is over: then its stream is closed as
//     interrupted.
//
// If ctx ends everything ends at once, and the error is the context's cause. Drain
// implies Unready. Call Unready, wait until the load balancers have noticed, call
// [http.Server.Shutdown], which stops listening and waits for the answers that are
// due, and Drain beside it; then Close.
func (s *Server) Drain(ctx context.Context) error {
	s.Unready()
	began := time.Now()
	s.report("draining", began)
	reported := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(reported)
		s.reportUntil(done, began)
	}()
	var work sync.WaitGroup
	interrupted := false
	work.Go(func() {
		grace, cancel := context.WithTimeout(ctx, s.opts.DrainGrace)
		defer cancel()
		interrupted = s.work.Drain(grace)
	})
	err := s.exchanges.Drain(ctx, s.opts.DrainWindow)
	work.Wait()
	close(done)
	<-reported
	if interrupted {
		s.opts.Logger.Warn("the grace was over: what was being generated is interrupted")
	}
	s.report("drained", began)
	return err
}

// reportUntil says now and then how far the drain is.
func (s *Server) reportUntil(done <-chan struct{}, began time.Time) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			s.report("draining", began)
		}
	}
}

func (s *Server) report(what string, began time.Time) {
	s.opts.Logger.Info(what,
		"followers", s.exchanges.Followers(), "uploads", s.exchanges.Count(drain.Upload), "generations", s.work.Len(),
		"took", time.Since(began).Round(time.Millisecond))
}
