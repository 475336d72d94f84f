package hub

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Guarantee 6: a follower that falls behind what the stream keeps is told so,
// and goes on at the oldest record, whether it was in the window or not.
func TestSlowFollowerFallsBehindTheOldest(t *testing.T) {
	for name, hints := range map[string]func(freshet.Hint, func(freshet.Hint)){"told": nil, "hints without batch": bareHints} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := &tap{Store: newStore(), onHint: hints}
				h := newHub(t, store)
				createAs(t, h, "s", freshet.Spec{Retain: freshet.Retain{Records: 10}})
				slow, quick := follow(t, h, "s", FollowOptions{}), follow(t, h, "s", FollowOptions{})
				all := numbered(40)
				at := appendText(t, h, "s", all[:5]...).Tail
				wantText(t, slow, all[:5]...)
				wantText(t, quick, all[:5]...)
				for _, s := range all[5:] {
					appendText(t, h, "s", s)
					wantText(t, quick, s)
				}
				info, err := h.Info(t.Context(), "s")
				if err != nil || info.Tail.Seq-info.Oldest.Seq != 10 {
					t.Fatalf("the stream keeps %v to %v, %v", info.Oldest, info.Tail, err)
				}
				wantGap(t, slow, freshet.GapTrimmed, at, info.Oldest)
				wantText(t, slow, all[30:]...)
				appendText(t, h, "s", "next")
				wantText(t, slow, "next")
				wantText(t, quick, "next")
			})
		})
	}
}

// The window of a stream keeps no more than the stream, so that what is read
// does not depend on who is asked.
func TestWindowKeepsNoMoreThanTheStream(t *testing.T) {
	for name, retain := range map[string]freshet.Retain{
		"records": {Records: 7},
		"bytes":   {Bytes: 7 * 6},
		"either":  {Records: 100, Bytes: 7 * 6},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newHub(t, newStore())
				createAs(t, h, "s", freshet.Spec{Retain: retain})
				first := follow(t, h, "s", FollowOptions{})
				all := numbered(60)
				for i := 0; i < len(all); i += 3 { // appends of one record and of two
					appendText(t, h, "s", all[i])
					appendText(t, h, "s", all[i+1:i+3]...)
					page, err := h.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
					if err != nil {
						t.Fatal(err)
					}
					if base, n := first.topic.win.base, len(first.topic.win.entries); base != page.Info.Oldest || n != len(page.Records) {
						t.Fatalf("the window has %d records after %v, the stream %d after %v", n, base, len(page.Records), page.Info.Oldest)
					}
					f := follow(t, h, "s", FollowOptions{})
					wantText(t, f, all[i+3-len(page.Records):i+3]...)
					f.Close()
				}
				appendText(t, h, "s", numbered(20)...)
				wantText(t, follow(t, h, "s", FollowOptions{}), numbered(20)...) // the last append stays
			})
		})
	}
}

// A server that was deaf while the stream was trimmed past its window tells its
// followers of the gap when it can hear again.
func TestTrimmedPastTheWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onHint = store.loseHints
		far, h := newHub(t, store.Store), newHub(t, store)
		createAs(t, far, "s", freshet.Spec{Retain: freshet.Retain{Records: 3}})
		f := follow(t, h, "s", FollowOptions{})
		at := appendText(t, far, "s", "one").Tail
		wantText(t, f, "one")
		for _, s := range []string{"two", "three", "four"} {
			appendText(t, far, "s", s)
		}
		oldest := appendText(t, far, "s", "five", "six", "seven").From
		wantGap(t, f, freshet.GapTrimmed, at, oldest)
		wantText(t, f, "five", "six", "seven")
		if store.hints.Load() == 0 {
			t.Error("no hint was lost")
		}
	})
}

// Records that grow old leave the window too, and whoever was not there yet is
// told.
func TestOldRecordsLeaveTheWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHubWith(t, Options{Store: newStore(), Sweep: time.Second})
		createAs(t, h, "s", freshet.Spec{Retain: freshet.Retain{Age: time.Minute}})
		slow := follow(t, h, "s", FollowOptions{})
		at := slow.at
		for i := range 100 {
			appendText(t, h, "s", fmt.Sprint(i))
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		info, err := h.Info(t.Context(), "s")
		if err != nil || info.Oldest.Seq < 38 || info.Oldest.Seq > 43 {
			t.Fatalf("after 102 seconds the oldest is %v, %v", info.Oldest, err)
		}
		wantGap(t, slow, freshet.GapTrimmed, at, info.Oldest)
		b := next(t, follow(t, h, "s", FollowOptions{}), soon)
		if b.Record(0).Offset.Seq != info.Oldest.Seq+1 {
			t.Errorf("the beginning is %v", b.Record(0).Offset)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := h.Stats().WindowBytes; n > 0 {
			t.Errorf("%d bytes of old records are in the window", n)
		}
		appendText(t, h, "s", "new")
		wantText(t, follow(t, h, "s", FollowOptions{}), "new")
	})
}

// A window that has lost its beginning knows nothing of the oldest record.
func TestBoundingPartOfAnAppend(t *testing.T) {
	record := func(seq uint64, mark freshet.Mark) freshet.Record {
		return freshet.Record{Offset: freshet.Offset{Seq: seq, Mark: mark}, Data: []byte("12345")}
	}
	var w window
	w.extend([]freshet.Record{record(1, 1), record(2, 1), record(3, 1), record(4, 2), record(5, 3), record(6, 3)}, 5*(2*5+entryOverhead))
	if w.base.Seq != 1 || w.contents() != 25 {
		t.Fatalf("the window begins after %v and has %d bytes", w.base, w.contents())
	}
	if n := w.bound(freshet.Retain{Records: 5}); n != 0 || w.base.Seq != 1 {
		t.Errorf("the window was within the bound and begins after %v", w.base)
	}
	w.bound(freshet.Retain{Bytes: 20})
	if w.base != record(3, 1).Offset || len(w.entries) != 3 {
		t.Errorf("the window begins after %v", w.base)
	}
	w.bound(freshet.Retain{Records: 1})
	if seqs := slices.Collect(func(yield func(uint64) bool) {
		for _, e := range w.entries {
			yield(e.Offset.Seq)
		}
	}); !slices.Equal(seqs, []uint64{5, 6}) {
		t.Errorf("the window has %v", seqs)
	}
}
