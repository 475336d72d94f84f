package hub

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Trap: the final wake-up lost. Section 5 of the design: a second after the
// last activity the store is compared, then ever more rarely up to 15 s.
func TestLostWakeUpIsMadeUpForWithinASecond(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onHint = store.loseHints
		h, other := newHub(t, store), newHub(t, store.Store)
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		for _, s := range numbered(3) {
			appendText(t, other, "s", s)
			wantText(t, f, s)
		}
		if _, err := other.Append(t.Context(), "s", freshet.Append{Close: &freshet.Closing{}}); err != nil {
			t.Fatal(err)
		}
		if b := next(t, f, soon); b.Closed == nil {
			t.Error("the end was not told")
		}
		if n := store.hints.Load(); n != 4 {
			t.Fatalf("%d hints were lost, want 4", n)
		}
	})
}

// The same when the checks had backed off long before, which they do.
func TestChecksBackOffAndStartAnewWithActivity(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lose := false
		store := &tap{Store: newStore()}
		store.onHint = func(h freshet.Hint, deliver func(freshet.Hint)) {
			if !lose {
				deliver(h)
			}
		}
		h, other := newHub(t, store), newHub(t, store.Store)
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		looks := func(d time.Duration) int64 {
			before := store.looks.Load()
			wantQuiet(t, f, d)
			return store.looks.Load() - before
		}
		// After about 1, 2.5, 5.5, 11.5, 23.5, 38 and 53 s, or up to a quarter less.
		if n := looks(time.Minute); n < 6 || n > 9 {
			t.Errorf("%d looks in the first minute of silence, want about 7", n)
		}
		if n := looks(10 * time.Minute); n < 39 || n > 55 {
			t.Errorf("%d looks in the next 10 minutes, want about 45", n)
		}
		appendText(t, other, "s", "heard")
		wantText(t, f, "heard")
		lose = true
		appendText(t, other, "s", "missed")
		wantText(t, f, "missed")
	})
}

// An active stream is not looked at: what it brings is what it has.
func TestActiveStreamIsLookedAtRarely(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		h := newHub(t, store)
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		synctest.Wait()
		before := store.looks.Load()
		for _, s := range numbered(1000) {
			appendText(t, h, "s", s)
			wantText(t, f, s)
			time.Sleep(100 * time.Millisecond)
		}
		if n := store.looks.Load() - before; n > 0 {
			t.Errorf("%d looks while hints came", n)
		}
	})
}

// Trap: hints that are lost, doubled, delayed and reordered, with and without
// what they carry. Guarantees 1 and 2.
func TestUnreliableHints(t *testing.T) {
	for seed := range uint64(10) {
		bubble(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			var mu sync.Mutex
			var late sync.WaitGroup
			store := &tap{Store: newStore()}
			store.onHint = func(h freshet.Hint, deliver func(freshet.Hint)) {
				mu.Lock()
				defer mu.Unlock()
				if rng.IntN(4) == 0 {
					h = freshet.Hint{}
				}
				for range rng.IntN(3) {
					delay := time.Duration(rng.IntN(200)) * time.Millisecond
					late.Go(func() {
						time.Sleep(delay)
						deliver(h)
					})
				}
			}
			h, other := newHubWith(t, Options{Store: store, WindowBytes: 2000}), newHub(t, store.Store)
			create(t, h, "s")
			f := follow(t, h, "s", FollowOptions{})
			all := numbered(200)
			var wg sync.WaitGroup
			wg.Go(func() {
				for i, s := range all {
					appendText(t, []*Hub{h, other}[i%2], "s", s)
					time.Sleep(time.Duration(i%7) * 10 * time.Millisecond)
				}
			})
			var got []string
			for len(got) < len(all) {
				b := next(t, f, 5*time.Second)
				got = append(got, texts(&b)...)
			}
			for i := range got {
				if got[i] != all[i] {
					t.Fatalf("seed %d: record %d is %q", seed, i, got[i])
				}
			}
			wg.Wait()
			late.Wait()
		})
	}
}

// Hints that come faster than the store can be looked at, and tell nothing, do
// not keep followers waiting, and do not have the store looked at by more than
// one at a time.
func TestStormOfHints(t *testing.T) {
	bubble(t, func(t *testing.T) {
		looking := 0
		store := &tap{Store: newStore(), onHint: bareHints}
		store.onRead = func(freshet.Offset, freshet.Limit, *freshet.Page) error {
			if looking++; looking > 1 {
				t.Error("two looks at once")
			}
			time.Sleep(50 * time.Millisecond)
			looking--
			return nil
		}
		h, other := newHub(t, store), newHub(t, store.Store)
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					appendText(t, other, "s", "x")
				}
			}
		})
		for range 20 {
			next(t, f, 101*time.Millisecond)
		}
		close(stop)
		wg.Wait()
	})
}

// Trap: a subscription acknowledged late. What happens before it holds is seen
// when it does.
func TestSubscriptionAcknowledgedLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onFollow = func() { time.Sleep(time.Minute) }
		h, other := newHub(t, store), newHub(t, store.Store)
		create(t, h, "s")
		appendText(t, other, "s", "before")
		var wg sync.WaitGroup
		wg.Go(func() {
			f := follow(t, h, "s", FollowOptions{})
			wantText(t, f, "before", "meanwhile", "here")
			appendText(t, other, "s", "after")
			wantText(t, f, "after")
		})
		time.Sleep(30 * time.Second)
		appendText(t, other, "s", "meanwhile")
		appendText(t, h, "s", "here")
		wg.Wait()
	})
}

// Trap: the engine restarts. Followers hold out and go on; new ones are told
// that it cannot be reached, not that the stream does not exist.
func TestStoreOutage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onHint = store.loseHints
		h, other := newHubWith(t, Options{Store: store, WindowBytes: 1}), newHub(t, store.Store)
		create(t, h, "s")
		appendText(t, other, "s", "one")
		f := follow(t, h, "s", FollowOptions{})
		wantText(t, f, "one")

		store.down.Store(true)
		appendText(t, other, "s", "two")
		before := store.looks.Load()
		wantQuiet(t, f, 10*time.Minute)
		// Four while they back off, and then one in 15 s or up to a quarter less.
		const most = 4 + int64(10*time.Minute/(checkMost*3/4)) + 1
		if n := store.looks.Load() - before; n == 0 || n > most {
			t.Errorf("%d looks in an outage of 10 minutes", n)
		}
		for _, name := range []string{"new", "absent"} {
			if _, err := h.Follow(t.Context(), name, FollowOptions{Wait: true}); !errors.Is(err, freshet.ErrUnavailable) {
				t.Errorf("follow during the outage: %v", err)
			}
		}
		if _, err := h.Append(t.Context(), "s", text("x")); !errors.Is(err, freshet.ErrUnavailable) {
			t.Errorf("append during the outage: %v", err)
		}

		store.down.Store(false)
		if b := next(t, f, checkMost+tick); texts(&b)[0] != "two" {
			t.Errorf("got %q after the outage", texts(&b))
		}
		appendText(t, other, "s", "three")
		wantText(t, f, "three")
	})
}

// The same for a subscription that could not be made at first.
func TestOutageWhileWaitingForAStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		h, other := newHub(t, store), newHub(t, store.Store)
		f := follow(t, h, "s", FollowOptions{Wait: true})
		store.down.Store(true)
		create(t, other, "s")
		appendText(t, other, "s", "one")
		wantQuiet(t, f, time.Minute)
		store.down.Store(false)
		if b := next(t, f, checkMost+tick); texts(&b)[0] != "one" {
			t.Errorf("got %q after the outage", texts(&b))
		}
	})
}

// A look that takes long neither holds back what hints bring meanwhile nor
// brings back what they have brought. Guarantees 1 and 2.
func TestHintsOvertakeALook(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var slowly atomic.Bool
		store := &tap{Store: newStore()}
		store.onRead = func(freshet.Offset, freshet.Limit, *freshet.Page) error {
			if slowly.Load() {
				time.Sleep(time.Minute)
			}
			return nil
		}
		h, other := newHub(t, store), newHub(t, store.Store)
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		slowly.Store(true)
		time.Sleep(soon)
		f.topic.mu.Lock()
		looking := f.topic.looking
		f.topic.mu.Unlock()
		if !looking {
			t.Fatal("no look is under way")
		}
		for _, s := range numbered(200) { // during the look, and after it
			appendText(t, other, "s", s)
			if b := next(t, f, time.Millisecond); b.Len() != 1 || texts(&b)[0] != s {
				t.Fatalf("got %q, want %q", texts(&b), s)
			}
			time.Sleep(time.Second)
		}
	})
}

// A look that finds a fork in a window which has been extended since is made
// again, and one that is older than the window changes nothing.
func TestLooksThatComeTooLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		at := appendText(t, h, "s", "one").Tail
		start := appendText(t, h, "s", "two").Tail
		tail := appendText(t, h, "s", "three").Tail
		f.topic.mu.Lock()
		f.topic.install(start, sight{from: at, Page: freshet.Page{Info: freshet.Info{Tail: at}}})
		if f.topic.wanted == f.topic.started || f.topic.win.tail != tail {
			t.Errorf("the window was cut at %v", f.topic.win.tail)
		}
		// What a look saw that is older than the window is not added again.
		f.topic.wanted = f.topic.started
		two := freshet.Record{Offset: start, Data: []byte("two")}
		f.topic.install(at, sight{from: at, Page: freshet.Page{Info: freshet.Info{Tail: start}, Records: []freshet.Record{two}}})
		if f.topic.wanted > f.topic.started || f.topic.win.tail != tail || f.topic.info.Tail != tail {
			t.Errorf("the window ends at %v", f.topic.win.tail)
		}
		f.topic.mu.Unlock()
		wantText(t, f, "one", "two", "three")
	})
}

// Whoever leaves before the subscription holds leaves none behind.
func TestLeavingBeforeTheSubscriptionHolds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onFollow = func() { time.Sleep(time.Minute) }
		h := newHub(t, store)
		create(t, h, "s")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.Follow(ctx, "s", FollowOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("follow: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if s, n := h.Stats(), store.following.Load(); s != (Stats{}) || n != 0 {
			t.Errorf("%+v and %d subscriptions are left", s, n)
		}
	})
}

// A follower whose own reads fail while nothing else changes tries again.
func TestReadOfAFollowerFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fails := 0
		var at freshet.Offset
		store := &tap{Store: newStore()}
		store.onRead = func(from freshet.Offset, _ freshet.Limit, _ *freshet.Page) error {
			if from == at && fails < 3 && !at.IsBeginning() {
				fails++
				return errDown
			}
			return nil
		}
		h := newHubWith(t, Options{Store: store, PageBytes: 6, WindowBytes: 1})
		create(t, h, "s")
		appendText(t, h, "s", "one")
		tail := appendText(t, h, "s", "two").Tail
		appendText(t, h, "s", "three")
		f := follow(t, h, "s", FollowOptions{})
		at = tail
		if b := next(t, f, soon); b.Len() != 2 {
			t.Fatalf("got %q", texts(&b))
		}
		if b := next(t, f, 3*storeRetry+4*tick); texts(&b)[0] != "three" || fails != 3 {
			t.Errorf("got %q after %d failures", texts(&b), fails)
		}
	})
}

// After a look has failed the checks start anew, however long they had backed
// off before.
func TestShortOutageIsShortForFollowers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore(), onHint: bareHints}
		h, other := newHub(t, store), newHub(t, store.Store)
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		wantQuiet(t, f, 10*time.Minute+10*time.Second)
		store.down.Store(true)
		appendText(t, other, "s", "one")
		synctest.Wait()
		store.down.Store(false)
		wantText(t, f, "one")
	})
}

// Attached followers count as reading.
func TestFollowersKeepASlidingTTLFromRunningOut(t *testing.T) {
	for _, ttl := range []time.Duration{time.Second, 10 * time.Second, time.Hour} {
		bubble(t, func(t *testing.T) {
			h := newHubWith(t, Options{Store: newStore(), Sweep: 250 * time.Millisecond})
			createAs(t, h, "s", freshet.Spec{TTL: ttl})
			f := follow(t, h, "s", FollowOptions{})
			wantQuiet(t, f, 20*ttl)
			f.Close()
			time.Sleep(ttl + time.Second)
			if _, err := h.Info(t.Context(), "s"); !errors.Is(err, freshet.ErrNotFound) {
				t.Errorf("TTL %v: without a follower: error %v, want not found", ttl, err)
			}
		})
	}
}
