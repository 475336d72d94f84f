package redisstore

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/storetest"
	"go.uber.org/goleak"
)

// shared is the Redis of those tests that do it no harm. Each works under a
// prefix of its own.
var shared *fleet.Redis

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "redisstore")
		if err == nil {
			defer os.RemoveAll(dir)
			shared, err = fleet.StartRedis(context.Background(), dir, fleet.RedisOptions{})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		code := m.Run()
		if err := shared.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if code == 0 {
			if err := goleak.Find(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return code
	}())
}

var prefixCount atomic.Int64

// newPrefix returns one that no other test has.
func newPrefix() string { return fmt.Sprintf("t%d", prefixCount.Add(1)) }

func open(t storetest.TB, url string, opts Options) *Store {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	s, err := Open(context.Background(), url, opts)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	return s
}

type testWriter struct{ storetest.TB }

func (w testWriter) Write(line []byte) (int, error) {
	w.Logf("%s", strings.TrimSpace(string(line)))
	return len(line), nil
}

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		New: func(t storetest.TB, clock *storetest.Clock) func() freshet.Store {
			prefix := newPrefix()
			return func() freshet.Store {
				return open(t, shared.URL(), Options{Prefix: prefix, Now: clock.Now})
			}
		},
		Fleet: true,
	})
}
