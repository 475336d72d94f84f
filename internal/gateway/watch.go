package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

// again is after how long something is tried again that the store did not let be.
const again = time.Second

// keepLease says that the owner is there, for as long as the exchange goes on.
func (gen *generation) keepLease(ctx context.Context) {
	for {
		stop, err := gen.g.opts.Hub.KeepLease(ctx, gen.name, gen.g.opts.Lease)
		if err == nil {
			<-ctx.Done()
			stop()
			return
		}
		if errors.Is(err, freshet.ErrNotFound) || !pause(ctx) {
			return
		}
	}
}

// watch aborts the exchange when the stream ends by another's hand: to stop a
// generation, from whatever server, is to close its stream.
func (gen *generation) watch(ctx context.Context) {
	for {
		over, err := gen.follow(ctx)
		switch {
		case over:
			if !gen.told.Load() {
				gen.abort(errStopped)
			}
			return
		case ctx.Err() == nil && !errors.Is(err, freshet.ErrShutdown):
			gen.g.opts.Logger.Warn("follow generation", "stream", gen.name, "error", err)
		}
		if errors.Is(err, freshet.ErrShutdown) || !pause(ctx) {
			return
		}
	}
}

// follow reports whether the stream has ended. An error means that this could not
// be found out.
func (gen *generation) follow(ctx context.Context) (over bool, err error) {
	f, err := gen.g.opts.Hub.Follow(ctx, gen.name, hub.FollowOptions{Cursor: freshet.Cursor{Now: true}, Apart: true, End: true})
	if err != nil {
		return errors.Is(err, freshet.ErrNotFound), err
	}
	defer f.Close()
	for {
		batch, err := f.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case errors.Is(err, freshet.ErrShutdown):
			return false, err
		case err != nil, batch.Closed != nil:
			gen.closed = batch.Closed
			return true, nil
		}
		batch.Release()
	}
}

// pause waits a little, or reports that ctx has ended.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(again):
		return true
	case <-ctx.Done():
		return false
	}
}
