package hub

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Trap: close with the last append. Guarantee 5: it is told to every reader,
// the late ones included, once and with its reason.
func TestCloseWithTheLastAppend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		a, b := newHub(t, store), newHub(t, &tap{Store: store, onHint: bareHints})
		create(t, a, "s")
		appendText(t, a, "s", "one")
		live := []*Follower{follow(t, a, "s", FollowOptions{}), follow(t, b, "s", FollowOptions{})}
		for _, f := range live {
			wantText(t, f, "one")
		}
		last := text("two", "three")
		last.Close = &freshet.Closing{Reason: freshet.Cancelled, Detail: []byte("enough")}
		end, err := b.Append(t.Context(), "s", last)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range live {
			wantEnd(t, f, wantText(t, f, "two", "three"), end.Tail)
		}
		for _, h := range []*Hub{a, b, newHubWith(t, Options{Store: store, WindowBytes: 1, PageBytes: 1})} {
			f := follow(t, h, "s", FollowOptions{})
			wantEnd(t, f, wantText(t, f, "one", "two", "three"), end.Tail)
			// Trap: a drop between the last record and the end.
			f = follow(t, h, "s", from(end.Tail))
			wantEnd(t, f, next(t, f, soon), end.Tail)
			if info, ok := f.Info(); !ok || info.Closed == nil || info.Tail != end.Tail {
				t.Errorf("info %+v of a closed stream", info)
			}
		}
	})
}

func wantEnd(t *testing.T, f *Follower, last Batch, tail freshet.Offset) {
	t.Helper()
	if c := last.Closed; c == nil || c.Reason != freshet.Cancelled || string(c.Detail) != "enough" || last.Offset != tail {
		t.Errorf("closed %+v at %v", c, last.Offset)
	}
	wantEOF(t, f)
	wantEOF(t, f)
}

// Who waits for the end is told of that alone, wherever it begins and on whatever
// server.
func TestFollowersOfTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		a, b := newHub(t, store), newHub(t, &tap{Store: store, onHint: bareHints})
		create(t, a, "s")
		begin := appendText(t, a, "s", "one")
		appendText(t, a, "s", "two")
		var waiting []*Follower
		for _, h := range []*Hub{a, b, newHubWith(t, Options{Store: store, WindowBytes: 1, PageBytes: 1})} {
			for _, cursor := range []freshet.Cursor{{}, {Now: true}, {Offset: begin.Tail}} {
				waiting = append(waiting, follow(t, h, "s", FollowOptions{Cursor: cursor, End: true}))
			}
		}
		for range 3 {
			appendText(t, b, "s", "more")
			for _, f := range waiting {
				wantQuiet(t, f, time.Minute)
			}
		}
		last := text("last")
		last.Close = &freshet.Closing{Reason: freshet.Cancelled, Detail: []byte("enough")}
		end, err := a.Append(t.Context(), "s", last)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range append(waiting, follow(t, a, "s", FollowOptions{End: true})) {
			got := next(t, f, soon)
			if got.Len() != 0 {
				t.Errorf("got %d records with the end", got.Len())
			}
			wantEnd(t, f, got, end.Tail)
		}
	})
}

// One whose stream goes away learns that as everybody does.
func TestFollowersOfTheEndOfAStreamThatGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		create(t, h, "s")
		appendText(t, h, "s", "one")
		f := follow(t, h, "s", FollowOptions{End: true})
		wantQuiet(t, f, time.Minute)
		if err := h.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		_, err := f.Next(t.Context())
		var gap *freshet.GapError
		if !errors.As(err, &gap) || gap.Why != freshet.GapDeleted {
			t.Errorf("error %v, want the gap %q", err, freshet.GapDeleted)
		}
	})
}

// Trap: the empty stream.
func TestEmptyStreamThatCloses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		create(t, h, "s")
		f := follow(t, h, "s", FollowOptions{})
		wantQuiet(t, f, time.Minute)
		closeStream(t, h, "s")
		closeStream(t, h, "s")
		if b := next(t, f, time.Millisecond); b.Closed == nil || b.Len() != 0 {
			t.Errorf("got %+v, want the end", b)
		}
		wantEOF(t, f)
		if _, err := h.Append(t.Context(), "s", text("x")); !errors.Is(err, freshet.ErrClosed) {
			t.Errorf("append after the end: %v", err)
		}
	})
}

// Heartbeats come at their interval, whatever happens between, and keep their
// place.
func TestIdleBatches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		create(t, h, "s")
		at := appendText(t, h, "s", "one").Tail
		f := follow(t, h, "s", FollowOptions{Idle: 15 * time.Second})
		wantText(t, f, "one")
		start := time.Now()
		for range 8 { // Trap: two minutes of silence.
			if b := next(t, f, time.Minute); !b.Idle || b.Len() != 0 || b.Offset != at {
				t.Errorf("got %+v, want a heartbeat", b)
			}
		}
		if took := time.Since(start); took < 2*time.Minute || took > 2*time.Minute+8*tick {
			t.Errorf("8 heartbeats took %v", took)
		}
	})
}

// Close ends whatever is under way, and leaves nothing.
func TestCloseWhileEverythingIsInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore(), onAppend: slow}
		h := newHubWith(t, Options{Store: store, QueueAppends: 3})
		var wg sync.WaitGroup
		for i := range 10 {
			name := fmt.Sprint("s", i)
			create(t, h, name)
			for range 3 {
				f := follow(t, h, name, FollowOptions{})
				wg.Go(func() {
					for {
						if _, err := f.Next(t.Context()); err != nil {
							if !errors.Is(err, freshet.ErrShutdown) {
								t.Errorf("next: %v", err)
							}
							f.Close()
							return
						}
					}
				})
				wg.Go(func() {
					for {
						if _, err := h.Append(t.Context(), name, text("x", "y")); err != nil {
							if !errors.Is(err, freshet.ErrShutdown) {
								t.Errorf("append: %v", err)
							}
							return
						}
					}
				})
			}
		}
		waiting := follow(t, h, "none", FollowOptions{Wait: true})
		time.Sleep(105 * time.Millisecond)
		h.Close()
		wg.Wait()
		if _, err := waiting.Next(t.Context()); !errors.Is(err, freshet.ErrShutdown) {
			t.Errorf("next of one that waited: %v", err)
		}
		waiting.Close()
		if _, err := h.Follow(t.Context(), "s0", FollowOptions{}); !errors.Is(err, freshet.ErrShutdown) {
			t.Errorf("follow: %v", err)
		}
		if _, err := h.Append(t.Context(), "s0", text("x")); !errors.Is(err, freshet.ErrShutdown) {
			t.Errorf("append: %v", err)
		}
		if _, _, err := h.Create(t.Context(), "new", freshet.Creation{}); !errors.Is(err, freshet.ErrShutdown) {
			t.Errorf("create: %v", err)
		}
		h.Close()
		synctest.Wait()
		if s := h.Stats(); s != (Stats{}) {
			t.Errorf("%+v is left", s)
		}
		if n := store.following.Load(); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}
