package client

import (
	"context"
	"errors"
	"io"
	"time"
)

// A watch ends a connection on which nothing arrives. It is armed at first.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
}

func newWatch(ctx context.Context, limit time.Duration) *watch {
	w := &watch{limit: limit}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(limit, func() { w.cancel(errIdle) })
	return w
}

// arm begins to watch, or notes that something has arrived.
func (w *watch) arm() { w.timer.Reset(w.limit) }

// disarm ends the watching while nobody reads.
func (w *watch) disarm() { w.timer.Stop() }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(errClosed)
}

// explain returns the cause for which the connection was ended, if it was.
func (w *watch) explain(err error) error {
	if errors.Is(context.Cause(w.ctx), errIdle) {
		return errIdle
	}
	return err
}

// reader returns r with each read noted.
func (w *watch) reader(r io.Reader) io.Reader { return &watched{r, w} }

type watched struct {
	io.Reader
	watch *watch
}

func (r *watched) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.watch.arm()
	}
	return n, err
}
