package redisstore

import (
	"context"
	"errors"
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
		if err == nil {
			err = restrict(shared)
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
			if err := goleak.Find(passingGoroutines()...); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return code
	}())
}

// restrict makes the user that docs/redis.md has, for the prefixes of the tests.
func restrict(r *fleet.Redis) error {
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		return err
	}
	_, rule, ok := strings.Cut(string(text), "ACL SETUSER freshet on >SECRET ~freshet:* &freshet:* ")
	if !ok {
		return errors.New("docs/redis.md has no user for the tests")
	}
	rule, _, _ = strings.Cut(rule, "\n")
	_, err = r.Do(context.Background(), append([]string{"ACL", "SETUSER", "freshet", "on", ">SECRET", "~t*:*", "&t*:*"}, strings.Fields(rule)...)...)
	return err
}

// sharedURL is the Redis with a user who may do what is documented, and no more.
func sharedURL() string { return "redis://freshet:SECRET@" + shared.Addr() }

// passingGoroutines are those by which the client lets go of a Cluster's former
// connections, seconds after that was closed.
func passingGoroutines() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient)._refresh.func2"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"),
	}
}

var prefixCount atomic.Int64

// newPrefix returns one that no other test has.
func newPrefix() string { return fmt.Sprintf("t%d", prefixCount.Add(1)) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

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
				return open(t, sharedURL(), Options{Prefix: prefix, Now: clock.Now})
			}
		},
		Fleet: true,
	})
}
