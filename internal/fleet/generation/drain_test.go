package generation_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// A server that is told to end lets its answers end within the grace, and its
// callers have all of them. What takes longer is interrupted, for its callers and
// for those of the other server.
func TestDrain(t *testing.T) {
	for _, grace := range []time.Duration{time.Second, time.Minute} {
		t.Run(grace.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fleet.RedisOptions{})
			for range 2 {
				r.process("--drain-grace", grace.String(), "--drain-window", "100ms")
			}
			const had = 6
			var callers []*answer
			for path := range prompts {
				for i := range r.urls {
					a := r.post(i, path, question(path, "tokens=20 stall=6"), "Idempotency-Key", "k")
					if err := a.upTo(had); err != nil {
						t.Fatal(path, err)
					}
					callers = append(callers, a)
				}
			}
			ended := make(chan error, 1)
			go func() { ended <- r.processes[0].Terminate(r.ctx) }()
			log, err := "", error(nil)
			for !strings.Contains(log, "msg=draining") {
				if log, err = r.processes[0].Log(); err != nil || r.ctx.Err() != nil {
					t.Fatal(err, r.ctx.Err())
				}
				time.Sleep(5 * time.Millisecond)
			}
			reason := freshet.Interrupted
			if grace == time.Minute {
				reason = freshet.Completed
				r.origin.Resume()
			}
			var all sync.WaitGroup
			for _, a := range callers {
				all.Go(func() {
					if err := a.toEnd(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if err := <-ended; err != nil {
				t.Errorf("the server ended by %v", err)
			}
			r.origin.Resume()
			for i, a := range callers {
				path := a.Request.URL.Path
				switch want := r.direct(path, question(path, "tokens=20 stall=6")); {
				case reason == freshet.Completed && a.told() != want:
					t.Errorf("%s, server %d: got %s, want %s", path, i%2, a.told(), want)
				case reason == freshet.Interrupted && (!tellsInterrupted(path, a.last()) || len(a.blocks) != had+1 || !strings.HasPrefix(want, told(a.blocks[:had]...))):
					t.Errorf("%s, server %d: got %s", path, i%2, a.told())
				}
				if closed := r.closure(a.stream()); closed.Reason != reason {
					t.Errorf("%s: closed as %s", path, closed.Reason)
				}
			}
		})
	}
}
