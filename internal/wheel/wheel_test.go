package wheel

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAfterIsNeverEarlyAndAtMostATickLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(250 * time.Millisecond)
		for _, d := range []time.Duration{-time.Second, 0, 1, 249 * time.Millisecond, 250 * time.Millisecond, time.Second, 15 * time.Second} {
			start := time.Now()
			<-w.After(d)
			if took := time.Since(start); took < d || took > max(d, 0)+250*time.Millisecond {
				t.Errorf("After(%v) took %v", d, took)
			}
		}
	})
}

func TestWaitersOfOneTickShareAChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(time.Second)
		a := w.After(15 * time.Second)
		time.Sleep(300 * time.Millisecond)
		b := w.After(15 * time.Second)
		if a != b {
			t.Error("two waiters of one tick have channels of their own")
		}
		time.Sleep(time.Second)
		if c := w.After(15 * time.Second); c == a {
			t.Error("waiters of two ticks share a channel")
		}
		<-a
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(w.slots); n != 0 {
			t.Errorf("%d slots are left after their time", n)
		}
	})
}

func TestDoRunsOnceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(100 * time.Millisecond)
		ran := make([]atomic.Int32, 3)
		for i := range ran {
			w.Do(time.Second, func() { ran[i].Add(1) })
		}
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		if ran[0].Load() != 0 {
			t.Error("ran early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for i := range ran {
			if n := ran[i].Load(); n != 1 {
				t.Errorf("function %d ran %d times", i, n)
			}
		}
	})
}
