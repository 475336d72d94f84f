package generation_test

import (
	"sync"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// Redis is restarted, and paused, for a few seconds in mid-answer. Callers on both
// servers have the whole answer, and the store has it once.
func TestRedisAwayInMidAnswer(t *testing.T) {
	for what, harm := range map[string][2]func(*rig) error{
		"restart": {func(r *rig) error { return r.redis.Kill() }, func(r *rig) error { return r.redis.Start(r.ctx) }},
		"pause":   {func(r *rig) error { return r.redis.Pause() }, func(r *rig) error { return r.redis.Resume() }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fleet.RedisOptions{AppendOnly: true, Directives: []string{"appendfsync always"}})
			for range 2 {
				r.serve()
			}
			const prompt = "tokens=200 pace=60"
			var callers []*answer
			want := map[string]*answer{}
			for path := range prompts {
				body := question(path, prompt)
				want[path] = r.must("POST", r.upstream+path, body)
				for i := range r.urls {
					callers = append(callers, r.post(i, path, body, "Idempotency-Key", "k"))
				}
			}
			for _, a := range callers {
				if err := a.upTo(20); err != nil {
					t.Fatal(err)
				}
			}
			if err := harm[0](r); err != nil {
				t.Fatal(err)
			}
			if _, err := r.redis.Do(r.ctx, "-t", "1", "PING"); what == "restart" && err == nil {
				t.Fatal("Redis is there")
			}
			time.Sleep(2500 * time.Millisecond) // the fault itself
			if err := harm[1](r); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for _, a := range callers {
				all.Go(func() {
					if err := a.toEnd(); err != nil {
						t.Error(err)
					}
				})
			}
			for _, a := range want {
				all.Go(func() {
					if err := a.toEnd(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			for i, a := range callers {
				path := a.Request.URL.Path
				if want := want[path].told(); a.told() != want {
					t.Errorf("%s, server %d: got %s, want %s", path, i%2, a.told(), want)
				}
				if closed := r.closure(a.stream()); closed.Reason != freshet.Completed {
					t.Errorf("%s: closed as %s, %s", path, closed.Reason, closed.Detail)
				}
				page, err := r.truth.Read(r.ctx, a.stream(), freshet.Offset{}, freshet.Limit{})
				if err != nil || len(page.Records) != len(a.blocks) {
					t.Errorf("%s: %d records for %d events, %v", path, len(page.Records), len(a.blocks), err)
				}
			}
			if n := r.origin.Counts().Requests; n != 2*len(want) {
				t.Errorf("the upstream was asked %d times", n-len(want))
			}
		})
	}
}
