package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Guarantee 6: a follower that falls behind what the stream keeps and out of the
// window is told so, and goes on at the oldest record.
func TestSlowFollowerFallsBehindTheOldest(t *testing.T) {
	for name, hints := range map[string]func(freshet.Hint, func(freshet.Hint)){"told": nil, "hints without batch": bareHints} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := &tap{Store: newStore(), onHint: hints}
				h := newHubWith(t, Options{Store: store, WindowBytes: 5 * (2*6 + entryOverhead)})
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

// A burst that is larger than what the stream keeps is no loss for those who are
// there: the window still has it.
func TestABurstLargerThanWhatIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, newStore())
		createAs(t, h, "s", freshet.Spec{Retain: freshet.Retain{Records: 2}})
		f := follow(t, h, "s", FollowOptions{})
		for _, s := range numbered(50) {
			appendText(t, h, "s", s)
		}
		wantText(t, f, numbered(50)...)
		wantText(t, follow(t, h, "s", FollowOptions{}), numbered(50)[48:]...)
	})
}

// The beginning is what the stream keeps, whether the window has more or less.
func TestTheBeginningIsTheOldestKept(t *testing.T) {
	for name, retain := range map[string]freshet.Retain{
		"records": {Records: 7},
		"bytes":   {Bytes: 7 * 6},
		"either":  {Records: 100, Bytes: 7 * 6},
	} {
		for _, window := range []int{2, 5, 7, 9, 1000} {
			t.Run(fmt.Sprintf("%s, window %d", name, window), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					h := newHubWith(t, Options{Store: newStore(), WindowBytes: window * (2*6 + entryOverhead)})
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
						if got, topic := page.Info.Oldest, first.topic; topic.win.holds(topic.info.Oldest) && topic.info.Oldest != got {
							t.Fatalf("the stream begins after %v, for the hub after %v", got, topic.info.Oldest)
						}
						f := follow(t, h, "s", FollowOptions{})
						wantText(t, f, all[i+3-len(page.Records):i+3]...)
						f.Close()
					}
					appendText(t, h, "s", numbered(20)...)
					wantText(t, follow(t, h, "s", FollowOptions{}), numbered(20)...) // the last append stays
					appendText(t, h, "s", "x")
					wantText(t, follow(t, h, "s", FollowOptions{}), "x")
				})
			})
		}
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
