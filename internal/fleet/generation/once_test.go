package generation_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// Two servers get the same keyed question at the same instant, a thousand times:
// one upstream call each time, and both answer with it.
func TestOneCallForAKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, fleet.RedisOptions{})
	for range 2 {
		r.serve()
	}
	body := question(chat, "tokens=2")
	want := r.direct(chat, body)
	before := r.origin.Counts().Requests
	const times, lanes = 1000, 8
	var all sync.WaitGroup
	for lane := range lanes {
		all.Go(func() {
			for n := lane; n < times; n += lanes {
				var both sync.WaitGroup
				let := make(chan struct{})
				for i := range r.urls {
					both.Go(func() {
						<-let
						a, err := r.ask("POST", r.urls[i]+chat, body, "Idempotency-Key", fmt.Sprint("key ", n))
						if err == nil {
							err = a.toEnd()
						}
						if err != nil || a.told() != want {
							t.Errorf("key %d, server %d: %v", n, i, err)
						}
					})
				}
				close(let)
				both.Wait()
			}
		})
	}
	all.Wait()
	if n := r.origin.Counts().Requests - before; n != times {
		t.Errorf("the upstream was asked %d times for %d keys", n, times)
	}
}
