package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Trap: a reader that stops for minutes among a thousand that do not.
// Guarantees 2 and 7.
func TestStoppedReaderAmongAThousand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		h := newHubWith(t, Options{Store: store, WindowBytes: 64 << 10})
		create(t, h, "s")
		stopped := follow(t, h, "s", FollowOptions{})
		all := numbered(2000)
		readAll := func(f *Follower) {
			n := 0
			for n < len(all) {
				b, err := f.Next(t.Context())
				if err != nil || b.Gap != nil {
					t.Errorf("after %d records: gap %v, error %v", n, b.Gap, err)
					return
				}
				for _, s := range texts(&b) {
					if s != all[n] {
						t.Errorf("record %d is %q", n, s)
						return
					}
					n++
				}
			}
		}
		var wg sync.WaitGroup
		for range 1000 {
			f := follow(t, h, "s", FollowOptions{})
			wg.Go(func() { readAll(f) })
		}
		for i := 0; i < len(all); i += 5 { // for more than three minutes
			appendText(t, h, "s", all[i:i+5]...)
			time.Sleep(500 * time.Millisecond)
			if n := h.Stats().WindowBytes; n > 64<<10 {
				t.Fatalf("the window has %d bytes", n)
			}
		}
		wg.Wait()
		if n := store.looks.Load(); n > 20 {
			t.Errorf("%d looks at the store, but nobody who reads fell out of the window", n)
		}
		if stopped.topic.win.base.Seq == 0 {
			t.Fatal("the stopped reader is still in the window")
		}
		readAll(stopped)
	})
}

// Guarantee 7: all windows together are bounded, those of silent streams make
// room for those of active ones, and nobody misses anything.
func TestAllWindowsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const bound = 100 << 10
		store := &tap{Store: newStore()}
		h := newHubWith(t, Options{Store: store, WindowBytes: 20 << 10, WindowsBytes: bound})
		record := strings.Repeat("x", 1000)
		followers := make([]*Follower, 50)
		for i := range followers {
			name := fmt.Sprint("s", i)
			create(t, h, name)
			followers[i] = follow(t, h, name, FollowOptions{})
			for range 15 {
				appendText(t, h, name, record)
				if n := h.Stats().WindowBytes; n > bound {
					t.Fatalf("the windows have %d bytes", n)
				}
			}
			time.Sleep(time.Millisecond)
		}
		for i, f := range followers {
			n := 0
			for n < 15 {
				b := next(t, f, soon)
				n += b.Len()
			}
			if n != 15 {
				t.Errorf("follower %d got %d records", i, n)
			}
		}
		before := store.looks.Load()
		active := followers[len(followers)-1]
		for range 10 {
			appendText(t, h, "s49", record)
			wantText(t, active, record)
		}
		if n := store.looks.Load() - before; n > 0 {
			t.Errorf("%d looks for an active stream, whose window has no room", n)
		}
	})
}

// A record that is larger than a window is held alone, so that not every
// follower has to read it.
func TestRecordLargerThanAWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		h := newHubWith(t, Options{Store: store, WindowBytes: 1000})
		create(t, h, "s")
		a, b := follow(t, h, "s", FollowOptions{}), follow(t, h, "s", FollowOptions{})
		synctest.Wait()
		before := store.looks.Load()
		large := strings.Repeat("x", 1<<20)
		appendText(t, h, "s", large)
		wantText(t, a, large)
		wantText(t, b, large)
		if n := store.looks.Load() - before; n > 0 {
			t.Errorf("%d looks at the store", n)
		}
		appendText(t, h, "s", "small")
		if n := h.Stats().WindowBytes; n > 1000 {
			t.Errorf("the window has %d bytes", n)
		}
		wantText(t, a, "small")
	})
}

// What a follower was given stays as it is, whatever becomes of the window.
func TestBatchesStayValid(t *testing.T) {
	at := func(seq uint64, mark freshet.Mark) freshet.Record {
		return freshet.Record{Offset: freshet.Offset{Seq: seq, Mark: mark}, Data: []byte{byte(mark)}}
	}
	var w window
	w.extend([]freshet.Record{at(1, 1), at(2, 1), at(3, 1)}, 1000)
	held := w.after(w.base, freshet.Limit{})
	w.cut(held[0].Offset)
	w.extend([]freshet.Record{at(2, 2), at(3, 2)}, 1000)
	w.extend([]freshet.Record{at(4, 2)}, 400)
	for i, e := range held {
		if e.Offset != (freshet.Offset{Seq: uint64(i) + 1, Mark: 1}) || e.Data[0] != 1 {
			t.Errorf("entry %d became %+v", i, e.Record)
		}
	}
	if w.bytes > 400 || w.tail != at(4, 2).Offset || !w.holds(at(3, 2).Offset) || w.holds(at(3, 1).Offset) {
		t.Errorf("window %+v", w)
	}
}

// A window keeps nothing of an append but what it holds of it.
func TestWindowDoesNotHoldOnToAnAppend(t *testing.T) {
	var w window
	body := make([]byte, 1<<20)
	records := []freshet.Record{{Offset: freshet.Offset{Seq: 1, Mark: 1}, Data: body[:10]}, {Offset: freshet.Offset{Seq: 2, Mark: 1}, Data: body[10:]}, {Offset: freshet.Offset{Seq: 3, Mark: 1}, Data: body[:10:20]}}
	w.extend(records, 1000)
	if len(w.entries) != 1 || w.base != records[1].Offset || w.tail != records[2].Offset || cap(w.entries[0].Data) > 20 {
		t.Errorf("window %+v", w)
	}
	if &w.entries[0].Data[0] == &body[0] {
		t.Error("the window shares the append's array")
	}
}

// Guarantee 7: a page is never larger than the bound, but for a record that is.
func TestPagesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const bound = 500
		store := &tap{Store: newStore()}
		store.onRead = func(_ freshet.Offset, limit freshet.Limit, _ *freshet.Page) error {
			if limit.Bytes <= 0 || limit.Bytes > bound {
				t.Errorf("a page is asked for without a bound: %+v", limit)
			}
			return nil
		}
		h := newHubWith(t, Options{Store: store, PageBytes: bound})
		create(t, h, "s")
		check := func(f *Follower, n int) {
			t.Helper()
			for n > 0 {
				b := next(t, f, soon)
				size := 0
				for _, s := range texts(&b) {
					size += len(s)
				}
				if size > bound && b.Len() > 1 {
					t.Errorf("a batch of %d bytes", size)
				}
				n -= b.Len()
			}
		}
		f := follow(t, h, "s", FollowOptions{})
		appendText(t, h, "s", numbered(300)...)
		appendText(t, h, "s", strings.Repeat("x", 2*bound), "y")
		check(f, 302)
		check(follow(t, newHubWith(t, Options{Store: store, PageBytes: bound}), "s", FollowOptions{}), 302)
		if _, err := h.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{}); err != nil {
			t.Error(err)
		}
	})
}

// Guarantee 7: what nobody uses is given up after Linger, with its
// subscription, even if the stream is still appended to.
func TestNothingIsLeftAfterLinger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		h := newHubWith(t, Options{Store: store, IdleTopics: 5})
		for i := range 10 {
			name := fmt.Sprint("s", i)
			create(t, h, name)
			f := follow(t, h, name, FollowOptions{})
			appendText(t, h, name, "x")
			f.Close()
		}
		synctest.Wait()
		if s, n := h.Stats(), store.following.Load(); s.Topics != 5 || n != 5 {
			t.Errorf("%+v and %d subscriptions, want 5 to linger", s, n)
		}
		// Coming back within Linger finds the window, and no second subscription.
		time.Sleep(20 * time.Second)
		f := follow(t, h, "s0", FollowOptions{})
		wantText(t, f, "x")
		f.Close()
		time.Sleep(20 * time.Second)
		if s := h.Stats(); s.Topics != 1 {
			t.Errorf("%+v, want one topic", s)
		}
		for range 100 {
			appendText(t, h, "s0", "y")
			time.Sleep(time.Second)
		}
		if s, n := h.Stats(), store.following.Load(); s.WindowBytes != 0 || n != 0 {
			t.Errorf("%+v and %d subscriptions for a stream that is only appended to", s, n)
		}
		time.Sleep(h.opts.Linger + tick)
		synctest.Wait()
		if s := h.Stats(); s != (Stats{}) || h.idle.Load() != 0 {
			t.Errorf("%+v is left", s)
		}
	})
}

// Guarantee 7: a flood of names that do not exist leaves nothing.
func TestFloodOfUnknownNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		h := newHub(t, store)
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				if _, err := h.Follow(t.Context(), fmt.Sprint(i%100), FollowOptions{}); !errors.Is(err, freshet.ErrNotFound) {
					t.Errorf("follow: %v", err)
				}
				if _, err := h.Append(t.Context(), fmt.Sprint(i), text("x")); !errors.Is(err, freshet.ErrNotFound) {
					t.Errorf("append: %v", err)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		if s, n := h.Stats(), store.following.Load(); s != (Stats{}) || n != 0 {
			t.Errorf("%+v and %d subscriptions are left", s, n)
		}
	})
}

// Trap: many reconnects at once. They share one look at the store.
func TestReconnectsShareOneLook(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &tap{Store: newStore()}
		store.onRead = func(freshet.Offset, freshet.Limit, *freshet.Page) error {
			time.Sleep(10 * time.Millisecond)
			return nil
		}
		other, h := newHub(t, store.Store), newHub(t, store)
		create(t, other, "s")
		at := appendText(t, other, "s", numbered(50)...).Tail
		var wg sync.WaitGroup
		for range 2000 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				f, err := h.Follow(ctx, "s", from(at))
				if err != nil {
					t.Errorf("follow: %v", err)
					return
				}
				defer f.Close()
				if _, err := f.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("next: %v", err)
				}
			})
		}
		wg.Wait()
		if n := store.looks.Load(); n > 4 {
			t.Errorf("%d looks for 2000 followers", n)
		}
	})
}
