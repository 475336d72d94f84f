package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// Guarantee 6: among those who share pages, everybody whose cursor is not in the
// stream's history is told so, and nobody else.
func TestBadCursorsAmongThoseWhoSharePages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &counted{Store: newStore(), delay: func(string) time.Duration { return time.Millisecond }}
		offsets := fill(t, store.Store, "s", 500)
		h := newHubWith(t, Options{Store: store, WindowBytes: 1, PageBytes: 4 << 10})
		var followers sync.WaitGroup
		for i := range 500 {
			followers.Go(func() {
				time.Sleep(rand.N(100 * time.Millisecond))
				at := offsets[i]
				bad := i%10 == 3
				if bad {
					at.Mark++
				}
				f := follow(t, h, "s", from(at))
				if bad {
					wantGap(t, f, freshet.GapDiverged, at, offsets[0])
				} else if b := next(t, f, time.Minute); b.Gap != nil || b.Record(0).Offset != offsets[i+1] {
					t.Errorf("after record %d: %+v", i, b)
				}
			})
		}
		followers.Wait()
	})
}

// Guarantee 2: a page that is kept is given up with the history that it is of.
func TestPagesOfALostTailAreGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &lossy{}
		h, other := newHubWith(t, Options{Store: store, WindowBytes: 1}), newHub(t, store)
		create(t, h, "s")
		fork := appendText(t, h, "s", "one").Tail
		store.replicate()
		part := appendText(t, h, "s", "lost 1").Tail
		appendText(t, h, "s", "lost 2")
		appendText(t, h, "s", "lost 3")
		for range 2 {
			wantText(t, follow(t, h, "s", from(fork)), "lost 1", "lost 2", "lost 3")
		}
		if h.Stats().PageBytes == 0 {
			t.Fatal("no page is kept")
		}
		store.failOver()
		for _, s := range []string{"a", "b", "c", "d"} {
			appendText(t, other, "s", s)
		}
		synctest.Wait()
		f := follow(t, h, "s", from(part))
		if b := next(t, f, soon); b.Gap == nil || b.Gap.Requested != part {
			t.Errorf("got %q, want a gap", texts(&b))
		}
	})
}

// Guarantee 7: what is kept for those who come next is bounded, over all streams,
// and is given up soon; nobody misses anything by it.
func TestKeptPagesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const streams, records, bound = 20, 100, 100 << 10
		store := newStore()
		h := newHubWith(t, Options{Store: store, WindowBytes: 1, PageBytes: 4 << 10, PagesBytes: bound})
		most := int64(0)
		for i := range streams {
			name := fmt.Sprint(i)
			fill(t, store, name, records)
			a, b := follow(t, h, name, FollowOptions{}), follow(t, h, name, FollowOptions{})
			for _, f := range []*Follower{a, b} {
				for n := 0; n < records; {
					batch := next(t, f, soon)
					n += batch.Len()
					most = max(most, h.Stats().PageBytes)
				}
			}
		}
		if most > bound || most < bound/2 {
			t.Errorf("%d bytes of pages were kept at most, and %d may be", most, bound)
		}
		time.Sleep(pageLinger + tick)
		synctest.Wait()
		if n := h.Stats().PageBytes; n != 0 {
			t.Errorf("%d bytes of pages are kept for ever", n)
		}
	})
}

// A crowd that the store fails asks it again as one.
func TestCrowdInAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := &tap{Store: newStore()}
		offsets := fill(t, broken.Store, "s", 100)
		store := &counted{Store: broken, delay: func(string) time.Duration { return time.Millisecond }}
		h := newHubWith(t, Options{Store: store, WindowBytes: 1, PageBytes: 1 << 10})
		var crowd []*Follower
		for i := range 50 {
			crowd = append(crowd, follow(t, h, "s", from(offsets[i])))
		}
		time.Sleep(pageLinger + tick)
		broken.down.Store(true)
		before, _, _ := store.calls()
		var got sync.WaitGroup
		for i, f := range crowd {
			got.Go(func() {
				for n := i; n < 100; {
					b := next(t, f, time.Hour)
					n += b.Len()
				}
			})
		}
		time.Sleep(10 * time.Second)
		if after, _, _ := store.calls(); after-before < 10 || after-before > 40 {
			t.Errorf("%d reads in ten seconds of an outage", after-before)
		}
		broken.down.Store(false)
		got.Wait()
	})
}

// Whoever leaves while a page is read for him leaves at once, and alone.
func TestLeavingWhileAPageIsRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var hangs atomic.Bool
		store := &counted{Store: newStore(), delay: func(string) time.Duration {
			if hangs.Load() {
				return time.Minute
			}
			return 0
		}}
		offsets := fill(t, store.Store, "s", 100)
		h := newHubWith(t, Options{Store: store, WindowBytes: 1, PageBytes: 1 << 10})
		a, b := follow(t, h, "s", from(offsets[1])), follow(t, h, "s", from(offsets[50]))
		next(t, a, soon)
		next(t, b, soon)
		time.Sleep(pageLinger + tick)
		hangs.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var reading sync.WaitGroup
		reading.Go(func() {
			if got := next(t, b, 3*time.Minute); got.Len() == 0 || got.Gap != nil {
				t.Errorf("got %+v", got)
			}
		})
		start := time.Now()
		if _, err := a.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("left after %v: %v", time.Since(start), err)
		}
		reading.Wait()
		synctest.Wait()
		if n := len(a.topic.waiting); n > 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

// Followers that read the same page share what an encoder makes of it.
func TestFollowersOfAPageShareTheEncoding(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newStore()
		offsets := fill(t, store, "s", 100)
		h := newHubWith(t, Options{Store: store, WindowBytes: 1})
		encoded := 0
		encoder := &Encoder{Encode: func(dst []byte, r *freshet.Record) []byte {
			encoded++
			return append(dst, strings.ToUpper(string(r.Data))...)
		}}
		for range 20 {
			b := next(t, follow(t, h, "s", from(offsets[10])), soon)
			for i := range b.Len() {
				b.Append(nil, i, encoder)
			}
		}
		if encoded > 2*90 { // the first follower was alone
			t.Errorf("%d records were encoded for 20 followers of 90", encoded)
		}
	})
}
