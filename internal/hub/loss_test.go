package hub

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Trap: unknown, future, foreign and former-incarnation ids. Guarantee 6.
func TestCursorsThatCannotBeServed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		h := newHub(t, store)
		create(t, h, "other")
		foreign := appendText(t, h, "other", "x", "y").Tail
		former := create(t, h, "s").Tail
		formerTail := appendText(t, h, "s", "a", "b").Tail
		if err := h.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		oldest := create(t, h, "s").Tail
		tail := appendText(t, h, "s", "one", "two", "three").Tail

		cold := newHubWith(t, Options{Store: store, WindowBytes: 1})
		for _, c := range []struct {
			name string
			at   freshet.Offset
			why  string
		}{
			{"future", freshet.Offset{Seq: tail.Seq + 1, Mark: tail.Mark}, freshet.GapAhead},
			{"unknown", freshet.Offset{Seq: tail.Seq, Mark: tail.Mark + 1}, freshet.GapDiverged},
			{"foreign", foreign, freshet.GapDiverged},
			{"former beginning", former, freshet.GapDiverged},
			{"former", formerTail, freshet.GapDiverged},
		} {
			for _, h := range []*Hub{h, cold} {
				f := follow(t, h, "s", from(c.at))
				if at, gap := f.At(); at != oldest || gap == nil || gap.Why != c.why {
					t.Errorf("%s: at %v, gap %+v", c.name, at, gap)
				}
				wantGap(t, f, c.why, c.at, oldest)
				wantText(t, f, "one", "two", "three")
				f.Close()
			}
		}
		if _, err := h.Follow(t.Context(), "none", from(tail)); !errors.Is(err, freshet.ErrNotFound) {
			t.Errorf("follow what does not exist: %v", err)
		}
	})
}

// Trap: a lost tail whose numbers are given out again. Whoever was shown part
// of it gets a gap and goes on where history forked; others notice nothing.
func TestLostTail(t *testing.T) {
	for _, again := range []int{0, 1, 2, 3, 5} { // records whose numbers are given out again
		bubble(t, func(t *testing.T) {
			store := &lossy{}
			h := newHub(t, store)
			oldest := create(t, h, "s").Tail
			var at []freshet.Offset
			for _, s := range numbered(5) {
				at = append(at, appendText(t, h, "s", s).Tail)
			}
			fork := at[4]
			store.replicate()
			shown := follow(t, h, "s", from(fork))
			before := follow(t, h, "s", from(at[2]))
			atFork := follow(t, h, "s", from(fork))
			part := appendText(t, h, "s", "lost 1").Tail
			appendText(t, h, "s", "lost 2")
			lost := appendText(t, h, "s", "lost 3").Tail
			wantText(t, shown, "lost 1", "lost 2", "lost 3")

			store.failOver()
			other := newHub(t, store)
			fresh := numbered(5 + again)[5:]
			for _, s := range fresh {
				appendText(t, other, "s", s)
			}
			time.Sleep(20 * time.Second)

			why := freshet.GapAhead
			if again >= 3 {
				why = freshet.GapDiverged
			}
			wantGap(t, shown, why, lost, fork)
			wantText(t, before, append([]string{"000004", "000005"}, fresh...)...)
			if again > 0 {
				wantText(t, shown, fresh...)
				wantText(t, atFork, fresh...)
			}
			wantQuiet(t, shown, time.Minute)

			// One that was shown part and comes back, here and elsewhere.
			why = freshet.GapAhead
			if again >= 1 {
				why = freshet.GapDiverged
			}
			wantGap(t, follow(t, h, "s", from(part)), why, part, fork)
			wantGap(t, follow(t, other, "s", from(part)), why, part, oldest)
		})
	}
}

// An end that the store has lost with its tail is lost; what comes then is told
// to those who have not been told the end, and to those who say that they have it
// is told as a gap.
func TestLostEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &lossy{}
		h := newHub(t, store)
		create(t, h, "s")
		at := appendText(t, h, "s", "one").Tail
		store.replicate()
		told := follow(t, h, "s", from(at))
		closeStream(t, h, "s")
		if b := next(t, told, soon); b.Closed == nil {
			t.Fatal("the end was not told")
		}
		store.failOver()
		f := follow(t, newHub(t, store), "s", from(at))
		wantQuiet(t, f, time.Minute)
		ended := FollowOptions{Cursor: freshet.Cursor{Offset: at, Ended: true}}
		doubting := []*Follower{follow(t, h, "s", ended), follow(t, newHub(t, store), "s", ended)}
		for _, f := range doubting {
			wantGap(t, f, freshet.GapAhead, at, at)
			wantQuiet(t, f, time.Minute)
		}
		tail := appendText(t, h, "s", "two").Tail
		wantText(t, f, "two")
		wantText(t, follow(t, h, "s", from(at)), "two")
		for _, f := range doubting {
			wantText(t, f, "two")
		}
		closeStream(t, h, "s")
		late := follow(t, h, "s", ended)
		wantGap(t, late, freshet.GapAhead, at, at)
		wantText(t, late, "two")
		ended.Cursor.Offset = tail
		if b := next(t, follow(t, h, "s", ended), soon); b.Gap != nil || b.Closed == nil {
			t.Errorf("of an end that is one was told %+v", b)
		}
	})
}

// Who was told the end of a stream without records over a transport that gives no
// position with it has missed nothing, and is told of no gap.
func TestEndOfNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &lossy{})
		create(t, h, "s")
		ended := FollowOptions{Cursor: freshet.Cursor{Ended: true}}
		open := follow(t, h, "s", ended)
		wantGap(t, open, freshet.GapAhead, freshet.Offset{}, lookUp(t, h, "s").Tail)
		closeStream(t, h, "s")
		if b := next(t, follow(t, h, "s", ended), soon); b.Gap != nil || b.Closed == nil {
			t.Errorf("of an end that is one was told %+v", b)
		}
		create(t, h, "t")
		appendText(t, h, "t", "one")
		closeStream(t, h, "t")
		f := follow(t, h, "t", ended)
		wantGap(t, f, freshet.GapAhead, freshet.Offset{}, lookUp(t, h, "t").Oldest)
		wantText(t, f, "one")
	})
}

// Guarantee 6: a stream that goes while it is followed.
func TestDeletionWhileFollowed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		lagging := &tap{Store: store}
		lagging.onHint = lagging.loseHints
		a, b := newHub(t, store), newHub(t, lagging)
		create(t, a, "s")
		appendText(t, a, "s", "one")
		here, there := follow(t, a, "s", FollowOptions{}), follow(t, b, "s", FollowOptions{})
		wantText(t, here, "one")
		wantText(t, there, "one")
		if err := a.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		wantGone(t, here, freshet.GapDeleted, time.Millisecond)
		wantGone(t, there, freshet.GapDeleted, soon)
		wantGone(t, there, freshet.GapDeleted, time.Millisecond)
		// Whoever comes after the deletion was answered does not see the stream.
		if _, err := a.Follow(t.Context(), "s", FollowOptions{}); !errors.Is(err, freshet.ErrNotFound) {
			t.Errorf("follow after the deletion: %v", err)
		}
		if _, err := a.Append(t.Context(), "s", text("x")); !errors.Is(err, freshet.ErrNotFound) {
			t.Errorf("append after the deletion: %v", err)
		}
	})
}

// A follower that was given records still has to say what they are when their
// stream goes: text that is taken for bytes would arrive as base64.
func TestContentTypeOutlivesTheStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		create(t, h, "s")
		slow, quick := follow(t, h, "s", FollowOptions{}), follow(t, h, "s", FollowOptions{})
		appendText(t, h, "s", "one")
		if b := next(t, slow, time.Millisecond); b.Len() != 1 {
			t.Fatalf("got %q", texts(&b))
		}
		wantText(t, quick, "one")
		if err := h.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		wantGone(t, quick, freshet.GapDeleted, time.Millisecond)
		if info, ok := slow.Info(); !ok || info.Spec.ContentType != "text/plain" {
			t.Errorf("the content type is %q, %v", info.Spec.ContentType, ok)
		}
	})
}

// What is done here is known here, even if the store gets to tell nothing.
func TestCreationAndDeletionWithoutHints(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onHint = store.loseHints
		h := newHub(t, store)
		f := follow(t, h, "s", FollowOptions{Wait: true})
		wantQuiet(t, f, time.Minute)
		create(t, h, "s")
		appendText(t, h, "s", "one")
		if b := next(t, f, time.Millisecond); b.Len() != 1 {
			t.Errorf("got %+v", b)
		}
		wantQuiet(t, f, time.Minute)
		if err := h.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		wantGone(t, f, freshet.GapDeleted, time.Millisecond)
	})
}

// A stream whose news all came in hints has not expired when it is deleted.
func TestDeletionOfAnActiveStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		createAs(t, h, "s", freshet.Spec{TTL: 10 * time.Second})
		f := follow(t, h, "s", FollowOptions{})
		for range 100 {
			appendText(t, h, "s", "x")
			wantText(t, f, "x")
			time.Sleep(500 * time.Millisecond)
		}
		if err := h.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		wantGone(t, f, freshet.GapDeleted, time.Millisecond)
	})
}

func TestExpiryWhileFollowed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		createAs(t, h, "s", freshet.Spec{Expires: time.Now().Add(time.Minute)})
		f := follow(t, h, "s", FollowOptions{})
		wantQuiet(t, f, 59*time.Second)
		wantGone(t, f, freshet.GapExpired, time.Second+h.opts.Sweep+tick)
	})
}

// Guarantee 6: one that is deleted and created again between two looks.
func TestReCreationWhileFollowed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onHint = store.loseHints
		h, other := newHub(t, store), newHub(t, store.Store)
		create(t, h, "s")
		tail := appendText(t, h, "s", "one", "two").Tail
		f := follow(t, h, "s", FollowOptions{})
		wantText(t, f, "one", "two")
		if err := other.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		oldest := create(t, other, "s").Tail
		appendText(t, other, "s", "new one", "new two", "new three")
		wantGap(t, f, freshet.GapDiverged, tail, oldest)
		wantText(t, f, "new one", "new two", "new three")
	})
}

// A stream that is deleted, and created again a while later, is another one;
// a follower of the hub's idle topic sees the new one at once.
func TestReCreationAfterDeletion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		for range 100 {
			create(t, h, "s")
			appendText(t, h, "s", "one")
			f := follow(t, h, "s", FollowOptions{})
			wantText(t, f, "one")
			f.Close()
			if err := h.Delete(t.Context(), "s"); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Follow(t.Context(), "s", FollowOptions{}); !errors.Is(err, freshet.ErrNotFound) {
				t.Fatalf("follow after the deletion: %v", err)
			}
		}
	})
}

// A stream may be waited for, from any server. Trap: the empty stream.
func TestWaitForCreation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		a, b := newHub(t, store), newHub(t, store)
		plain := follow(t, a, "s", FollowOptions{Wait: true, Idle: 15 * time.Second})
		now := follow(t, b, "s", FollowOptions{Wait: true, Cursor: freshet.Cursor{Now: true}})
		strange := freshet.Offset{Seq: 7, Mark: 7}
		lost := follow(t, b, "s", FollowOptions{Wait: true, Cursor: freshet.Cursor{Offset: strange}})
		if b := next(t, plain, time.Minute); !b.Idle {
			t.Errorf("got %+v, want a heartbeat", b)
		}
		if _, ok := plain.Info(); ok {
			t.Error("there is info of a stream that does not exist")
		}
		wantQuiet(t, now, time.Minute)
		oldest := create(t, b, "s").Tail
		synctest.Wait()
		appendText(t, b, "s", "one")
		wantText(t, plain, "one")
		wantText(t, now, "one")
		wantGap(t, lost, freshet.GapAhead, strange, oldest)
		wantText(t, lost, "one")
		if info, ok := plain.Info(); !ok || info.Tail.Seq != 1 {
			t.Errorf("info %+v, %v", info, ok)
		}
	})
}
