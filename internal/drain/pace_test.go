package drain

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// A crowd is exchanges that leave as soon as they are told, and when that was.
type crowd struct {
	Group
	began time.Time

	ending sync.Mutex
	ends   []time.Duration
}

func newCrowd(n int) *crowd {
	c := &crowd{began: time.Now()}
	for range n {
		c.join()
	}
	return c
}

func (c *crowd) join() {
	told := make(chan struct{})
	m := c.Join(SSE, func() {
		c.ending.Lock()
		defer c.ending.Unlock()
		c.ends = append(c.ends, time.Since(c.began))
		close(told)
	})
	go func() {
		<-told
		m.Leave()
	}()
}

// Many end evenly over the window, all of them by its end.
func TestManyEndOverTheWindow(t *testing.T) {
	const n, window = 20_000, 10 * time.Second
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(n)
		if err := c.Drain(t.Context(), window); err != nil || len(c.ends) != n || c.Followers() != 0 {
			t.Fatalf("%d have ended, %d are left, error %v", len(c.ends), c.Followers(), err)
		}
		if last := c.ends[n-1]; last < window*95/100 || last > window {
			t.Errorf("the last ended after %v", last)
		}
		for second := range 10 {
			from, to := time.Duration(second)*time.Second, time.Duration(second+1)*time.Second
			begin, _ := slices.BinarySearch(c.ends, from)
			end, _ := slices.BinarySearch(c.ends, to)
			if got := end - begin; got < n/10*8/10 || got > n/10*12/10 {
				t.Errorf("in second %d there ended %d", second, got)
			}
		}
		if most := burst(c.ends); most > n/100 {
			t.Errorf("%d ended at one moment", most)
		}
	})
}

// burst returns the most that ended at one moment.
func burst(ends []time.Duration) (most int) {
	for i := 0; i < len(ends); {
		j := i
		for j < len(ends) && ends[j] == ends[i] {
			j++
		}
		most = max(most, j-i)
		i = j
	}
	return most
}

// A few do not take the whole window, and none takes no time.
func TestAFewEndSooner(t *testing.T) {
	for n, most := range map[int]time.Duration{0: 0, 1: 0, 2: 0, 10: 200 * time.Millisecond, 100: 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(n)
			err := c.Drain(t.Context(), time.Minute)
			if took := time.Since(c.began); err != nil || took > most || len(c.ends) != n {
				t.Errorf("%d of %d ended in %v, error %v", len(c.ends), n, took, err)
			}
			if n >= 10 && burst(c.ends) > helping {
				t.Errorf("of %d, %d ended at one moment", n, burst(c.ends))
			}
		})
	}
}

func TestNoWindowEndsAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1000)
		if err := c.Drain(t.Context(), 0); err != nil || time.Since(c.began) != 0 || len(c.ends) != 1000 {
			t.Errorf("%d ended in %v, error %v", len(c.ends), time.Since(c.began), err)
		}
	})
}

// Those that come while others end get their turn within the window, those that
// come after it end at once.
func TestThoseThatComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, late, window = 1000, 500, 4 * time.Second
		c := newCrowd(n)
		time.AfterFunc(3*time.Second, func() {
			for range late {
				c.join()
			}
		})
		if err := c.Drain(t.Context(), window); err != nil || len(c.ends) != n+late {
			t.Errorf("%d ended, error %v", len(c.ends), err)
		}
		if took := time.Since(c.began); took > window {
			t.Errorf("it took %v", took)
		}
		if c.join(); len(c.ends) != n+late+1 {
			t.Error("who came after the end stays")
		}
	})
}

func TestAnImpatientDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(10_000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = c.Drain(ctx, time.Hour)
		synctest.Wait()
		if len(c.ends) != 10_000 || c.Followers() != 0 || time.Since(c.began) != time.Second {
			t.Errorf("%d ended in %v", len(c.ends), time.Since(c.began))
		}
	})
}

// Drain waits for those who were told, and for no longer than it is given.
func TestDrainWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		began, told := time.Now(), time.Time{}
		var slow *Member
		slow = g.Join(Upload, func() {
			told = time.Now()
			time.AfterFunc(3*time.Second, func() { slow.Leave(); slow.Leave() })
		})
		if g.Count(Upload) != 1 || g.Followers() != 0 {
			t.Errorf("there are %d uploads and %d followers", g.Count(Upload), g.Followers())
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Drain(short, time.Minute); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if err := g.Drain(t.Context(), time.Minute); err != nil || time.Since(began) != 3*time.Second || told != began {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// Whoever leaves by itself is not told.
func TestLeaving(t *testing.T) {
	var g Group
	var told []int
	var members []*Member
	for i := range 5 {
		members = append(members, g.Join(Kind(i), func() { told = append(told, i) }))
	}
	for _, i := range []int{0, 2, 4} {
		members[i].Leave()
	}
	if g.Followers() != 2 || g.Count(Set) != 1 || g.Count(SSE) != 0 {
		t.Errorf("%d are left", g.Followers())
	}
	if g.End(); !slices.Equal(told, []int{1, 3}) {
		t.Errorf("told were %v", told)
	}
	ctx, leave := g.Context(t.Context(), LongPoll)
	defer leave()
	if !errors.Is(context.Cause(ctx), freshet.ErrShutdown) {
		t.Errorf("the context of a late one ended by %v", context.Cause(ctx))
	}
}
