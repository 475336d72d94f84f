package subject

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/pebblestore"
	"github.com/freshet-stream/freshet/redisstore"
	"github.com/freshet-stream/freshet/server"
)

// openFreshet opens the server as the command serve does, but without the page.
func openFreshet(spec Spec) (*Subject, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := openStore(spec, log)
	if err != nil {
		return nil, err
	}
	opts := server.Options{Store: store, Logger: log, Loopback: true}
	if spec.Upstream != "" {
		opts.Upstreams = []server.Upstream{{Name: "origin", Base: "http://" + spec.Upstream + "/v1"}}
	}
	fs, err := server.New(opts)
	if err != nil {
		return nil, err
	}
	l, err := listenLoopback()
	if err != nil {
		return nil, err
	}
	hs := serveHTTP(listen.Problems(l), fs)
	return &Subject{Addr: l.Addr().String(), Close: func() error {
		fs.Close()
		return errors.Join(hs.Close(), store.Close())
	}}, nil
}

func openStore(spec Spec, log *slog.Logger) (freshet.Store, error) {
	switch {
	case spec.Redis != "":
		return redisstore.Open(context.Background(), spec.Redis, redisstore.Options{Logger: log})
	case spec.Dir != "":
		return pebblestore.Open(filepath.Join(spec.Dir, "freshet"), pebblestore.Options{Logger: log})
	}
	return memstore.New(memstore.Options{}), nil
}
