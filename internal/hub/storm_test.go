package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// A counted store is a store between a hub and another store that counts the
// calls, and takes its time to answer those that read.
type counted struct {
	freshet.Store
	// delay is how long a read of a stream takes; nil is no time.
	delay func(name string) time.Duration

	mu                    sync.Mutex
	reads, infos, follows int
	// wakes are what tells of changes.
	wakes []func(freshet.Hint)
	// atOnce counts the reads that are under way, and most is the most there were.
	atOnce, most int
}

func (s *counted) Read(ctx context.Context, name string, from freshet.Offset, limit freshet.Limit) (freshet.Page, error) {
	defer s.enter(name, &s.reads)()
	return s.Store.Read(ctx, name, from, limit)
}

func (s *counted) Info(ctx context.Context, name string) (freshet.Info, error) {
	defer s.enter(name, &s.infos)()
	return s.Store.Info(ctx, name)
}

func (s *counted) Follow(ctx context.Context, name string, wake func(freshet.Hint)) (func(), error) {
	s.mu.Lock()
	s.follows++
	s.wakes = append(s.wakes, wake)
	s.mu.Unlock()
	return s.Store.Follow(ctx, name, wake)
}

// enter counts a read, and returns what ends it.
func (s *counted) enter(name string, kind *int) (leave func()) {
	s.mu.Lock()
	*kind++
	s.atOnce++
	s.most = max(s.most, s.atOnce)
	s.mu.Unlock()
	if s.delay != nil {
		time.Sleep(s.delay(name))
	}
	return func() {
		s.mu.Lock()
		s.atOnce--
		s.mu.Unlock()
	}
}

// calls returns how many calls there were.
func (s *counted) calls() (reads, infos, follows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads, s.infos, s.follows
}

// load returns how many reads are under way, and the most that there were.
func (s *counted) load() (now, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.atOnce, s.most
}

// crowd is how many followers come at once. The race detector bears 8,128
// goroutines.
func crowd() int {
	info, _ := debug.ReadBuildInfo()
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return 5_000
	}
	return 10_000
}

// fill creates a stream with n records of 128 bytes, which begin with their
// number, and returns the offset after each, and that before the first.
func fill(t *testing.T, store freshet.Store, name string, n int) (offsets []freshet.Offset) {
	t.Helper()
	h := newHub(t, store)
	offsets = append(offsets, create(t, h, name).Tail)
	numbers := numbered(n)
	for i := 0; i < n; i += 10 {
		var many []string
		for k := range 10 {
			many = append(many, numbers[i+k]+strings.Repeat("x", 122))
		}
		r := appendText(t, h, name, many...)
		for k := range many {
			offsets = append(offsets, freshet.Offset{Seq: uint64(i+k) + 1, Mark: r.Tail.Mark})
		}
	}
	h.Close()
	return offsets
}

// Trap: 10,000 reconnects at once. Guarantees 2 and 7: they come within half a
// second to a server that knows nothing, with cursors all over the end of the
// streams, while more is appended elsewhere. The store has little to do, and all
// get all.
func TestReconnectStorm(t *testing.T) {
	const records, live = 2000, 50
	for _, c := range []struct{ streams, spread, reads int }{
		// Each stream is looked at once. A page is read for whoever comes from before
		// all others so far, which is as rare as the logarithm of their number.
		{1, 300, 20},
		{100, 300, 12},
		// Each page of a stream is read once for those who began there, and again
		// for those who had gone on from elsewhere.
		{1, records, 40},
		{20, records, 40},
	} {
		t.Run(fmt.Sprintf("%d streams, %d records behind", c.streams, c.spread), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				numbers := numbered(records + live)
				number := func(n int) string { return numbers[n-1] }
				store := &counted{Store: newStore()}
				store.delay = func(string) time.Duration { return time.Duration(1+rand.IntN(3)) * time.Millisecond }
				other, h := newHub(t, store.Store), newHub(t, store)
				offsets := make([][]freshet.Offset, c.streams)
				for i := range offsets {
					offsets[i] = fill(t, store.Store, fmt.Sprint(i), records)
				}
				var followers sync.WaitGroup
				for i := range crowd() {
					name, at := i%c.streams, records-rand.IntN(c.spread)
					followers.Go(func() {
						time.Sleep(rand.N(500 * time.Millisecond))
						f, err := h.Follow(t.Context(), fmt.Sprint(name), from(offsets[name][at]))
						if err != nil {
							t.Errorf("follow: %v", err)
							return
						}
						defer f.Close()
						for n := at + 1; n <= records+live; {
							b, err := f.Next(t.Context())
							if err != nil || b.Gap != nil {
								t.Errorf("in place of record %d: gap %v, error %v", n, b.Gap, err)
								return
							}
							for i := range b.Len() {
								if r := b.Record(i); string(r.Data[:6]) != number(n) || r.Offset.Seq != uint64(n) {
									t.Errorf("in place of record %d: %d, %s", n, r.Offset.Seq, r.Data)
								}
								n++
							}
						}
					})
				}
				for i := range live {
					for name := range c.streams {
						appendText(t, other, fmt.Sprint(name), number(records+i+1))
					}
					time.Sleep(10 * time.Millisecond)
					if s := h.Stats(); s.PageBytes > h.opts.PagesBytes || s.WindowBytes > h.opts.WindowsBytes {
						t.Errorf("%+v is too much", s)
					}
				}
				followers.Wait()
				reads, infos, follows := store.calls()
				_, most := store.load()
				t.Logf("%d followers of %d streams: %d reads, %d at once, %d subscriptions", crowd(), c.streams, reads, most, follows)
				if reads > c.reads*c.streams || infos > 0 || follows > c.streams {
					t.Errorf("%d reads, %d infos and %d subscriptions for %d streams", reads, infos, follows, c.streams)
				}
				if most > h.opts.Reads {
					t.Errorf("%d reads at once", most)
				}
				time.Sleep(pageLinger + tick)
				synctest.Wait()
				if s := h.Stats(); s.PageBytes != 0 || s.Followers != 0 {
					t.Errorf("%+v is left", s)
				}
			})
		})
	}
}

// What a follower costs the store: the first of a stream one subscription and one
// read, whatever it begins with; all others, and the first after a while without
// any, nothing.
func TestFirstFollowerCostsOneRead(t *testing.T) {
	for _, from := range []func(offsets []freshet.Offset) freshet.Cursor{
		func([]freshet.Offset) freshet.Cursor { return freshet.Cursor{} },
		func([]freshet.Offset) freshet.Cursor { return freshet.Cursor{Now: true} },
		func(o []freshet.Offset) freshet.Cursor { return freshet.Cursor{Offset: o[100]} },
		func(o []freshet.Offset) freshet.Cursor { return freshet.Cursor{Offset: o[len(o)-10]} },
	} {
		bubble(t, func(t *testing.T) {
			store := &counted{Store: newStore()}
			offsets := fill(t, store.Store, "s", 2000)
			h := newHub(t, store)
			cursor := from(offsets)
			follow(t, h, "s", FollowOptions{Cursor: cursor})
			if reads, infos, follows := store.calls(); reads+infos != 1 || follows != 1 {
				t.Errorf("from %v: %d reads, %d infos, %d subscriptions", cursor, reads, infos, follows)
			}
		})
	}
	bubble(t, func(t *testing.T) {
		store := &counted{Store: newStore()}
		offsets := fill(t, store.Store, "s", 2000)
		h := newHub(t, store)
		last := follow(t, h, "s", from(offsets[1900]))
		for i := range 100 {
			follow(t, h, "s", from(offsets[1900+i])).Close()
		}
		last.Close()
		time.Sleep(20 * time.Second)
		f := follow(t, h, "s", from(offsets[1999]))
		if b := next(t, f, soon); b.Len() != 1 {
			t.Errorf("got %d records", b.Len())
		}
		if reads, infos, follows := store.calls(); reads+infos != 1 || follows != 1 {
			t.Errorf("%d reads, %d infos, %d subscriptions for all", reads, infos, follows)
		}
		// A hint that was lost in the meantime is made up for as ever.
		wantQuiet(t, f, soon)
		if reads, _, _ := store.calls(); reads != 2 {
			t.Errorf("%d reads a second later", reads)
		}
	})
}

// Guarantee 7: the readers that were told the end of a stream, and ask whether it
// is the end, are answered by few looks; each begins after the question.
func TestManyAskAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := &tap{Store: newStore()}
		broken.onHint = broken.loseHints
		store := &counted{Store: broken, delay: func(string) time.Duration { return 10 * time.Millisecond }}
		h, other := newHub(t, store), newHub(t, broken.Store)
		create(t, other, "s")
		follow(t, h, "s", FollowOptions{})
		for n := range uint64(3) {
			appendText(t, other, "s", "unheard of")
			before, _, _ := store.calls()
			var asking sync.WaitGroup
			for range 1000 {
				asking.Go(func() {
					time.Sleep(rand.N(10 * time.Millisecond))
					if info, err := h.Info(t.Context(), "s"); err != nil || info.Tail.Seq != n+1 {
						t.Errorf("the tail is %v, %v; want %d", info.Tail, err, n+1)
					}
				})
			}
			asking.Wait()
			if reads, infos, _ := store.calls(); reads-before > 3 || infos > 0 {
				t.Errorf("%d reads and %d infos", reads-before, infos)
			}
		}
		if err := other.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Info(t.Context(), "s"); !errors.Is(err, freshet.ErrNotFound) {
			t.Errorf("info of what does not exist: %v", err)
		}
	})
}

// A store that was away has every stream looked at when it is back: all of them,
// a few at a time.
func TestAllStreamsAreLookedAtAFewAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const streams = 2000
		store := &counted{Store: newStore(), delay: func(string) time.Duration { return 2 * time.Millisecond }}
		h, other := newHub(t, store), newHub(t, store.Store)
		for i := range streams {
			create(t, other, fmt.Sprint(i))
			follow(t, h, fmt.Sprint(i), FollowOptions{})
		}
		before, _, _ := store.calls()
		for _, wake := range store.wakes {
			wake(freshet.Hint{})
		}
		synctest.Wait()
		if now, most := store.load(); now != h.opts.Reads || most != now {
			t.Errorf("%d reads at once and %d at most, want %d", now, most, h.opts.Reads)
		}
		time.Sleep(100 * time.Millisecond)
		if reads, _, _ := store.calls(); reads-before < streams || reads-before > streams*5/4 {
			t.Errorf("%d reads for %d streams", reads-before, streams)
		}
	})
}

// Those who come at once to a stream that does not exist are told by two looks at
// most: one under way when they came may be too old.
func TestStormOnAStreamThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &counted{Store: newStore(), delay: func(string) time.Duration { return time.Millisecond }}
		h := newHub(t, store)
		var followers sync.WaitGroup
		for range 1000 {
			followers.Go(func() {
				if _, err := h.Follow(t.Context(), "s", FollowOptions{}); !errors.Is(err, freshet.ErrNotFound) {
					t.Errorf("follow: %v", err)
				}
			})
		}
		followers.Wait()
		if reads, infos, follows := store.calls(); reads > 2 || infos > 0 || follows > 1 {
			t.Errorf("%d reads, %d infos, %d subscriptions", reads, infos, follows)
		}
	})
}

// A part of the store that does not answer delays the followers of other streams,
// and does not stop them.
func TestReadsThatHang(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &counted{Store: newStore()}
		store.delay = func(name string) time.Duration {
			if strings.HasPrefix(name, "hangs") {
				return time.Hour
			}
			return time.Millisecond
		}
		h := newHubWith(t, Options{Store: store, Reads: 4})
		create(t, newHub(t, store.Store), "answers")
		var followers sync.WaitGroup
		for i := range 100 {
			followers.Go(func() {
				_, err := h.Follow(t.Context(), fmt.Sprint("hangs", i), FollowOptions{})
				if !errors.Is(err, freshet.ErrNotFound) {
					t.Errorf("follow: %v", err)
				}
			})
		}
		synctest.Wait()
		if now, _ := store.load(); now != 4 {
			t.Fatalf("%d reads are under way, want 4", now)
		}
		start := time.Now()
		follow(t, h, "answers", FollowOptions{})
		// Its turn comes after the hundred: four of them each quarter of a second.
		if took := time.Since(start); took < slowRead || took > 26*slowRead {
			t.Errorf("it took %v", took)
		}
		followers.Wait()
	})
}

// Nobody waits for ever while others come to where the pager was before.
func TestPagerComesToEverybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &counted{Store: newStore(), delay: func(string) time.Duration { return 10 * time.Millisecond }}
		offsets := fill(t, store.Store, "s", 100)
		h := newHubWith(t, Options{Store: store, WindowBytes: 1, PageBytes: 128, PagesBytes: 1})
		far := follow(t, h, "s", from(offsets[90]))
		stop := make(chan struct{})
		var others sync.WaitGroup
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				others.Go(func() { follow(t, h, "s", from(offsets[rand.IntN(20)])) })
			}
		})
		for range 9 {
			before, _, _ := store.calls()
			b := next(t, far, time.Minute)
			// At most each of the twenty below comes before it.
			if reads, _, _ := store.calls(); b.Len() != 1 || reads-before > 22 {
				t.Errorf("%d records after %d reads", b.Len(), reads-before)
			}
		}
		close(stop)
		others.Wait()
	})
}
