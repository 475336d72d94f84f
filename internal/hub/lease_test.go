package hub

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

func closure(t *testing.T, h *Hub, name string) *freshet.Closure {
	t.Helper()
	return lookUp(t, h, name).Closed
}

// Trap: producer death mid-stream. A lease that is kept does not run out, and
// one that is no longer kept does, which every follower learns.
func TestKeepLease(t *testing.T) {
	for name, term := range map[string]time.Duration{"its own": 0, "another": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := &tap{Store: newStore()}
				h := newHub(t, store)
				create(t, h, "s")
				if _, err := h.Append(t.Context(), "s", freshet.Append{Lease: 10 * time.Second}); err != nil {
					t.Fatal(err)
				}
				f := follow(t, h, "s", FollowOptions{})
				stop, err := h.KeepLease(t.Context(), "s", term)
				if err != nil {
					t.Fatal(err)
				}
				wantQuiet(t, f, 10*time.Minute)
				stop()
				wantQuiet(t, f, 5*time.Second)
				b := next(t, f, term+20*time.Second)
				if b.Closed == nil || b.Closed.Reason != freshet.Interrupted {
					t.Errorf("the stream is closed: %+v", b.Closed)
				}
			})
		})
	}
}

// A stream that has no lease gets none from being written to.
func TestKeepLeaseOfAStreamWithout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		create(t, h, "s")
		stop, err := h.KeepLease(t.Context(), "s", 0)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		time.Sleep(time.Hour)
		if c := closure(t, h, "s"); c != nil {
			t.Errorf("the stream is closed: %+v", c)
		}
		if _, err := h.KeepLease(t.Context(), "missing", 0); !errors.Is(err, freshet.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

// A deleted stream is not asked for over and over.
func TestKeepLeaseEndsWithTheStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		create(t, h, "s")
		stop, err := h.KeepLease(t.Context(), "s", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		if err := h.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		createAs(t, h, "s", freshet.Spec{KeepOpen: time.Hour})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		info, err := h.Info(t.Context(), "s")
		if err != nil || !info.Lease.IsZero() {
			t.Errorf("the next stream of that name has a lease until %v, %v", info.Lease, err)
		}
	})
}
