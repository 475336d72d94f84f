package loss_test

import (
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

// A Redis that keeps all on disk is killed and paused again and again. Nothing is
// lost, and nobody hangs.
func TestOutages(t *testing.T) {
	t.Parallel()
	redis := keep[*fleet.Redis](t)(fleet.StartRedis(t.Context(), t.TempDir(), fleet.RedisOptions{
		AppendOnly: true, Directives: []string{"appendfsync always"},
	}))
	r := newRig(t, redis.URL())
	r.underLoad(1, checker.Options{}, func() {
		for range 3 {
			pause(t.Context(), 500*time.Millisecond)
			before := redis.PID()
			must(t, redis.Kill())
			pause(t.Context(), 300*time.Millisecond)
			must(t, redis.Start(t.Context()))
			if redis.PID() == before {
				t.Fatal("Redis was not killed")
			}
			pause(t.Context(), 500*time.Millisecond)
			must(t, redis.Pause())
			pause(t.Context(), time.Second)
			must(t, redis.Resume())
		}
	})
}
