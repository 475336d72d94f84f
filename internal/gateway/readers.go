package gateway

import (
	"context"
	"time"
)

// awaitReaders aborts the exchange once nobody has read the answer for the grace.
// Each server that has readers says so in the stream's info, again and again; what
// counts is that it does, and not what its clock or the store's says.
func (gen *generation) awaitReaders(ctx context.Context) {
	grace := gen.g.opts.Grace
	tick := time.NewTicker(max(grace/4, 1))
	defer tick.Stop()
	var said time.Time
	for last := time.Now(); time.Since(last) < grace; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		info, err := gen.g.opts.Hub.Info(ctx, gen.name)
		// While the store is away nobody can say anything.
		if err != nil || !info.Watched.Equal(said) {
			said, last = info.Watched, time.Now()
		}
	}
	gen.abort(errUnwatched)
}
