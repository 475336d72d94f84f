package wake

import (
	"sync"
	"testing"

	"github.com/freshet-stream/freshet"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTellReachesTheFollowersOfOneName(t *testing.T) {
	var r Registry
	got := map[string]int{}
	for _, name := range []string{"a", "a", "b"} {
		defer r.Follow(name, func(freshet.Hint) { got[name]++ })()
	}
	r.Tell("a", freshet.Hint{})
	r.Tell("c", freshet.Hint{})
	if got["a"] != 2 || got["b"] != 0 {
		t.Fatalf("told %v, want both followers of a alone", got)
	}
}

func TestNoWakeAfterStop(t *testing.T) {
	var r Registry
	var wg sync.WaitGroup
	for range 100 {
		var stopped bool // written and read under the follower's lock alone
		stop := r.Follow("a", func(freshet.Hint) {
			if stopped {
				t.Error("woken after stop had returned")
			}
		})
		wg.Go(func() { r.Tell("a", freshet.Hint{}) })
		stop()
		stopped = true
		stop()
	}
	wg.Wait()
	if len(r.followers) != 0 {
		t.Fatalf("%d names are left without followers", len(r.followers))
	}
}
