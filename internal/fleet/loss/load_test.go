package loss_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos/checker"
	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/internal/chaos/workload"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// underLoad does harm while producers and followers of every sort are at work,
// and lets a checker prove guarantees 1 to 6 from what they saw. What is lost, if
// anything may be, has to have been told.
func (r *rig) underLoad(seed uint64, may checker.Options, harm func()) {
	r.Helper()
	rec := history.NewRecorder(nil)
	over := make(chan struct{})
	ran := make(chan error, 1)
	go func() {
		var doors []workload.Door
		for _, addr := range r.addrs {
			doors = append(doors, workload.Door{Name: addr, Addr: addr})
		}
		ran <- workload.Run(r.Context(), workload.Options{
			Recorder: rec, Doors: doors, Seed: seed, Lanes: 5, LongLanes: 1, Stop: over, Healed: over,
			Pace: 20 * time.Millisecond,
		})
	}()
	harm()
	close(over)
	if err := <-ran; err != nil {
		r.Error(err)
	}
	v := checker.Check(rec.Events(), may)
	for i := range v.Violations {
		r.Error(&v.Violations[i])
	}
	r.Logf("%d streams, %d records, %d calls, %d followers, %d gaps, %d lost", v.Streams, v.Records, v.Calls, v.Followers, v.Gaps, v.Lost)
}

// A Redis that keeps all on disk is killed and paused again and again, also for
// longer than servers take a silent connection for one. Nothing is lost or lands
// twice, and nobody hangs.
func TestOutages(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	redis := keep[*fleet.Redis](t)(fleet.StartRedis(ctx, t.TempDir(), fleet.RedisOptions{
		AppendOnly: true, Directives: []string{"appendfsync always"},
	}))
	r := newRig(t, redis.URL()+"?write_timeout=300ms")
	r.underLoad(1, checker.Options{}, func() {
		for _, stop := range []time.Duration{500 * time.Millisecond, 3 * time.Second} {
			pause(ctx, 500*time.Millisecond)
			before := redis.PID()
			must(t, redis.Kill())
			pause(ctx, 300*time.Millisecond)
			must(t, redis.Start(ctx))
			if redis.PID() == before {
				t.Fatal("Redis was not killed")
			}
			pause(ctx, 500*time.Millisecond)
			accepted := connections(t, redis)
			must(t, redis.Pause())
			pause(ctx, stop)
			must(t, redis.Resume())
			pause(ctx, 500*time.Millisecond)
			if n := connections(t, redis) - accepted; stop > time.Second && n < len(r.addrs)+1 {
				t.Errorf("nobody gave up a connection: %d are new", n)
			}
		}
	})
}

// connections returns how many connections a Redis has accepted.
func connections(t *testing.T, r *fleet.Redis) int {
	t.Helper()
	text, err := r.Do(t.Context(), "INFO", "stats")
	must(t, err)
	_, rest, _ := strings.Cut(text, "total_connections_received:")
	digits, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	must(t, err)
	return n
}
