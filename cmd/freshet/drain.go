package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/freshet-stream/freshet/server"
)

// lastAnswers is for how long, at the end of a drain, answers that are under way
// may take.
const lastAnswers = 5 * time.Second

// drain ends the server so that clients notice only that they connect again.
func (c *ServeCmd) drain(hs *http.Server, fs *server.Server, log *slog.Logger) error {
	fs.Unready()
	if c.DrainDelay > 0 {
		log.Info("not ready any more, still listening", "drain-delay", c.DrainDelay)
		time.Sleep(c.DrainDelay)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- hs.Shutdown(ctx) }()
	err := fs.Drain(context.Background())
	fs.Close()
	late := time.AfterFunc(lastAnswers, cancel)
	defer late.Stop()
	if errors.Is(<-answered, context.Canceled) {
		log.Warn("some requests are not answered", "waited", lastAnswers)
		return errors.Join(err, hs.Close())
	}
	return err
}

// orNone returns a flag as [server.Options] have it, where zero is the default.
func orNone(d time.Duration) time.Duration {
	if d <= 0 {
		return -1
	}
	return d
}
