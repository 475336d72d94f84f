package hub

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Trap: replay longer than any buffer. Guarantee 2.
func TestReplayLongerThanTheWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHubWith(t, Options{Store: newStore(), WindowBytes: 1000, PageBytes: 50})
		create(t, h, "s")
		all := numbered(500)
		appendText(t, h, "s", all...)
		follower := follow(t, h, "s", FollowOptions{})
		wantText(t, follower, all...)
		wantQuiet(t, follower, time.Minute)
	})
}

// Trap: live records during replay.
func TestLiveRecordsDuringReplay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		h := newHubWith(t, Options{Store: store, WindowBytes: 1000, PageBytes: 50})
		other := newHub(t, store)
		create(t, h, "s")
		all := numbered(400)
		appendText(t, h, "s", all[:200]...)
		f := follow(t, h, "s", FollowOptions{})
		var wg sync.WaitGroup
		for i := range 200 {
			hub := []*Hub{h, other}[i%2]
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				appendText(t, hub, "s", all[200+i])
			})
		}
		var got []string
		for len(got) < len(all) {
			b := next(t, f, soon)
			got = append(got, texts(&b)...)
			time.Sleep(3 * time.Millisecond)
		}
		for i := range got {
			// Those of the two servers may come in any order of them.
			if i < 200 && got[i] != all[i] {
				t.Fatalf("record %d is %q, want %q", i, got[i], all[i])
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, all) {
			t.Errorf("got %d records, or others than were appended", len(got))
		}
		wg.Wait()
	})
}

// Trap: teardown during replay.
func TestTeardownDuringReplay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHubWith(t, Options{Store: newStore(), WindowBytes: 1000, PageBytes: 50})
		create(t, h, "s")
		appendText(t, h, "s", numbered(500)...)
		f := follow(t, h, "s", FollowOptions{})
		next(t, f, soon)
		f.Close()
		f.Close()
		if n := h.Stats().Followers; n != 0 {
			t.Errorf("%d followers are left", n)
		}
	})
}

// Trap: two drops before the first record, on the empty stream. Guarantee 2.
func TestTwoDropsBeforeTheFirstRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		a, b := newHub(t, store), newHub(t, store)
		begin := create(t, a, "s").Tail
		at := freshet.Offset{}
		for _, h := range []*Hub{a, b} {
			f := follow(t, h, "s", from(at))
			wantQuiet(t, f, time.Second)
			at, _ = f.At()
			if at != begin {
				t.Fatalf("at %v, want the beginning, %v", at, begin)
			}
			f.Close()
		}
		appendText(t, b, "s", "one", "two")
		wantText(t, follow(t, a, "s", from(at)), "one", "two")
	})
}

// Trap: boundary ids. Guarantee 2.
func TestEveryOffsetIsABoundaryToResumeAt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		all := numbered(40)
		for _, opts := range []Options{{Store: store}, {Store: store, WindowBytes: 2000, PageBytes: 30}, {Store: store, WindowBytes: 1}} {
			h := newHubWith(t, opts)
			if _, err := h.Info(t.Context(), "s"); err != nil {
				create(t, h, "s")
				for i := 0; i < len(all); i += 4 {
					appendText(t, h, "s", all[i:i+4]...)
				}
				closeStream(t, h, "s")
			}
			page, _ := store.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
			for i, r := range page.Records {
				f := follow(t, h, "s", from(r.Offset))
				if rest := all[i+1:]; len(rest) > 0 {
					last := wantText(t, f, rest...)
					if last.Closed == nil {
						t.Errorf("from %v: the end did not come with the last record", r.Offset)
					}
				} else if b := next(t, f, soon); b.Closed == nil || b.Len() != 0 {
					t.Errorf("from the tail: %q, closed %v, want the end alone", texts(&b), b.Closed)
				}
				wantEOF(t, f)
				f.Close()
			}
		}
	})
}

// Guarantee 2: now is where the store's tail is, even if the window does not
// know of it yet.
func TestNowIsTheTailWhenTheRequestIsServed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		lagging := &tap{Store: store}
		lagging.onHint = lagging.loseHints
		a, b := newHub(t, store), newHub(t, lagging)
		create(t, a, "s")
		follow(t, b, "s", FollowOptions{})
		appendText(t, a, "s", "before")
		if lagging.hints.Load() == 0 {
			t.Fatal("no hint was lost")
		}
		f := follow(t, b, "s", FollowOptions{Cursor: freshet.Cursor{Now: true}})
		appendText(t, a, "s", "after")
		wantText(t, f, "after")
	})
}

// Guarantee 2: a follower that another server has served is ahead of this one's
// window and goes on from the store.
func TestFollowerAheadOfTheWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		lagging := &tap{Store: store}
		lagging.onHint = lagging.loseHints
		a, b := newHub(t, store), newHub(t, lagging)
		create(t, a, "s")
		early := follow(t, b, "s", FollowOptions{})
		at := appendText(t, a, "s", "one").Tail
		f := follow(t, b, "s", from(at))
		appendText(t, a, "s", "two")
		wantText(t, f, "two")
		wantText(t, early, "one", "two")
		before := lagging.looks.Load()
		wantQuiet(t, f, time.Minute)
		if n := lagging.looks.Load() - before; n > 10 {
			t.Errorf("%d looks at the store in a minute of silence", n)
		}
	})
}

// A window that was left behind is filled again, so that not every follower has
// to read from the store; one that was left far behind is not.
func TestFollowersOfABurstShareItsReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore(), onHint: bareHints}
		h := newHubWith(t, Options{Store: store, PageBytes: 100})
		other := newHub(t, store.Store)
		create(t, h, "s")
		var followers []*Follower
		for range 50 {
			followers = append(followers, follow(t, h, "s", FollowOptions{}))
		}
		all := numbered(100)
		before := store.looks.Load()
		appendText(t, other, "s", all...)
		synctest.Wait()
		for _, f := range followers {
			wantText(t, f, all...)
		}
		if n := store.looks.Load() - before; n > 10 {
			t.Errorf("%d looks at the store for 7 pages and 50 followers", n)
		}
	})
}
