package redisstore

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/storetest"
)

// startPair starts a Redis and one that replicates it.
func startPair(t storetest.TB, dir string) (primary, replica *fleet.Redis) {
	t.Helper()
	ctx := context.Background()
	primary, err := fleet.StartRedis(ctx, dir, fleet.RedisOptions{Name: "primary", Directives: []string{"repl-diskless-sync-delay 0"}})
	if err != nil {
		t.Fatalf("start primary: %v", err)
	}
	t.Cleanup(func() { _ = primary.Close() })
	host, port, _ := strings.Cut(primary.Addr(), ":")
	replica, err = fleet.StartRedis(ctx, dir, fleet.RedisOptions{Name: "replica", Directives: []string{"replicaof " + host + " " + port}})
	if err != nil {
		t.Fatalf("start replica: %v", err)
	}
	t.Cleanup(func() { _ = replica.Close() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		info, err := primary.Do(ctx, "INFO", "replication")
		if err == nil && strings.Contains(info, "state=online") {
			return primary, replica
		}
		if time.Now().After(deadline) {
			t.Fatalf("the replica is not online: %v\n%s", err, info)
		}
	}
}

// Guarantee 3: with replicas nothing is seen or acknowledged that they have not
// got.
func TestReplicas(t *testing.T) {
	primary, _ := startPair(t, t.TempDir())
	storetest.Run(t, storetest.Subject{
		New: func(t storetest.TB, clock *storetest.Clock) func() freshet.Store {
			prefix := newPrefix()
			return func() freshet.Store {
				return open(t, primary.URL()+"?replicas=1", Options{Prefix: prefix, Now: clock.Now})
			}
		},
		Fleet: true,
		Scale: 10,
		Stall: func(t storetest.TB, clock *storetest.Clock) storetest.Stall {
			return stall(t, clock, t.(interface{ TempDir() string }).TempDir())
		},
	})
}

// stall pauses the replica of a pair of its own.
func stall(t storetest.TB, clock *storetest.Clock, dir string) storetest.Stall {
	t.Helper()
	primary, replica := startPair(t, dir)
	var held atomic.Bool
	return storetest.Stall{
		Store: open(t, primary.URL()+"?replicas=1&replica_timeout=1m", Options{Now: clock.Now}),
		Hold: func() {
			if err := replica.Pause(); err != nil {
				t.Fatalf("pause replica: %v", err)
			}
			held.Store(true)
		},
		Release: func() {
			if held.CompareAndSwap(true, false) {
				if err := replica.Resume(); err != nil {
					t.Errorf("resume replica: %v", err)
				}
			}
		},
		Held: func() int {
			info, err := primary.Do(context.Background(), "INFO", "clients")
			if err != nil || strings.Contains(info, "blocked_clients:0") {
				return 0
			}
			return 1
		},
	}
}

// A server that died between the change and its commit leaves it pending. The
// next call to the stream commits it first, also that of a server which waits for
// no replicas.
func TestPendingIsCommittedByTheNext(t *testing.T) {
	primary, replica := startPair(t, t.TempDir())
	for name, parameters := range map[string]string{"with replicas": "?replicas=1&replica_timeout=20s", "without": ""} {
		t.Run(name, func(t *testing.T) {
			prefix := newPrefix()
			waiting := open(t, primary.URL()+"?replicas=1&replica_timeout=20s", Options{Prefix: prefix})
			defer waiting.Close()
			quick := open(t, primary.URL()+"?replicas=1&replica_timeout=50ms", Options{Prefix: prefix})
			defer quick.Close()
			next := open(t, primary.URL()+parameters, Options{Prefix: prefix})
			defer next.Close()
			appendOne := func(s *Store, data string) error {
				call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: []byte(data)}}}}}
				_, err := s.Append(t.Context(), "s", call)
				return err
			}
			if _, _, err := waiting.Create(t.Context(), "s", freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
				t.Fatal(err)
			}
			if err := replica.Pause(); err != nil {
				t.Fatal(err)
			}
			if err := appendOne(quick, "left"); !errors.Is(err, freshet.ErrUncertain) {
				t.Fatalf("append while the replica stands still: %v", err)
			}
			if info, err := quick.Info(t.Context(), "s"); err != nil || info.Tail.Seq != 0 {
				t.Fatalf("what the replica has not got can be seen: %v, %v", info.Tail, err)
			}
			if err := replica.Resume(); err != nil {
				t.Fatal(err)
			}
			if err := appendOne(next, "next"); err != nil {
				t.Fatalf("the next append: %v", err)
			}
			page, err := quick.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
			if err != nil || len(page.Records) != 2 || string(page.Records[0].Data) != "left" {
				t.Fatalf("the stream has %+v, %v", page.Records, err)
			}
		})
	}
}
