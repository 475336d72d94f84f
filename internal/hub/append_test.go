package hub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
)

// slow is an onAppend of a store that takes as long as most do.
func slow(_ context.Context, _ freshet.Call, pass func() ([]freshet.Result, error)) ([]freshet.Result, error) {
	time.Sleep(10 * time.Millisecond)
	return pass()
}

// What arrives while an append is in flight leaves together in the next call,
// and an append that finds none in flight leaves at once.
func TestNaturalBatching(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var calls []int
		store := &tap{Store: newStore()}
		store.onAppend = func(ctx context.Context, call freshet.Call, pass func() ([]freshet.Result, error)) ([]freshet.Result, error) {
			calls = append(calls, len(call.Appends))
			return slow(ctx, call, pass)
		}
		h := newHub(t, store)
		create(t, h, "s")
		start := time.Now()
		var wg sync.WaitGroup
		appendOne := func() { wg.Go(func() { appendText(t, h, "s", "x") }) }
		appendOne()
		synctest.Wait()
		for range 300 {
			appendOne()
		}
		wg.Wait()
		if got := fmt.Sprint(calls); got != "[1 256 44]" {
			t.Errorf("calls of %s appends, want 1, then as many as one call takes, then the rest", got)
		}
		if took := time.Since(start); took != 30*time.Millisecond {
			t.Errorf("took %v, want the time of three calls", took)
		}
		start = time.Now()
		appendText(t, h, "s", "x")
		if took := time.Since(start); took != 10*time.Millisecond {
			t.Errorf("a single append took %v, want the time of one call", took)
		}
	})
}

// Each append of a call has its own result.
func TestResultsOfABatchAreEachTheirOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &tap{Store: newStore(), onAppend: slow})
		begin := create(t, h, "s").Tail
		f := follow(t, h, "s", FollowOptions{})
		first := appendText(t, h, "s", "one").Tail
		expect := func(at freshet.Offset, s string) error {
			a := text(s)
			a.Expect = &at
			_, err := h.Append(t.Context(), "s", a)
			return err
		}
		var wg sync.WaitGroup
		var won, lost atomic.Int32
		for i := range 20 {
			wg.Go(func() {
				switch err := expect(first, fmt.Sprint(i)); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, freshet.ErrExpected):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 19 {
			t.Errorf("%d won and %d lost", won.Load(), lost.Load())
		}
		if err := expect(begin, "x"); !errors.Is(err, freshet.ErrExpected) {
			t.Errorf("append at a former tail: %v", err)
		}
		if b := next(t, f, soon); b.Len() != 2 {
			t.Errorf("followers see %q", texts(&b))
		}
		wantQuiet(t, f, time.Minute)
	})
}

// Guarantee 7: the queue is bounded, pushes back, and drains.
func TestFullQueuePushesBackAndDrains(t *testing.T) {
	for _, bound := range []Options{{QueueAppends: 8}, {QueueBytes: 8 * 6}} {
		bubble(t, func(t *testing.T) {
			held := make(chan struct{})
			store := &tap{Store: newStore()}
			store.onAppend = func(_ context.Context, _ freshet.Call, pass func() ([]freshet.Result, error)) ([]freshet.Result, error) {
				<-held
				return pass()
			}
			bound.Store = store
			h := newHubWith(t, bound)
			create(t, h, "s")
			var wg sync.WaitGroup
			for _, s := range numbered(100) {
				wg.Go(func() { appendText(t, h, "s", s) })
			}
			synctest.Wait()
			topic := h.topics["s"]
			if n := len(topic.queue.waiting); n != 8 {
				t.Errorf("%d appends wait in a queue for 8", n)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := h.Append(ctx, "s", text("x")); !errors.Is(err, freshet.ErrOverloaded) {
				t.Errorf("append to a full queue: %v", err)
			}
			close(held)
			wg.Wait()
			if info, _ := h.Info(t.Context(), "s"); info.Tail.Seq != 100 {
				t.Errorf("%d records, want 100", info.Tail.Seq)
			}
			synctest.Wait()
			if q := topic.queue; q.bytes != 0 || len(q.waiting) != 0 || q.flying {
				t.Errorf("the queue did not drain: %+v", q)
			}
		})
	}
}

// A caller that leaves is let go at once. What had not left for the store is
// taken back, and what had lands.
func TestCallerLeaves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		held := make(chan struct{})
		store := &tap{Store: newStore()}
		store.onAppend = func(ctx context.Context, _ freshet.Call, pass func() ([]freshet.Result, error)) ([]freshet.Result, error) {
			<-held
			if ctx.Err() != nil {
				t.Error("the store was called under a caller's context")
			}
			return pass()
		}
		h := newHub(t, store)
		create(t, h, "s")
		errFlying, errWaiting := errors.New("flying"), errors.New("waiting")
		var wg sync.WaitGroup
		appendUntil := func(cause error) context.CancelCauseFunc {
			ctx, cancel := context.WithCancelCause(t.Context())
			wg.Go(func() {
				_, err := h.Append(ctx, "s", text(cause.Error()))
				if !errors.Is(err, cause) || errors.Is(err, freshet.ErrUncertain) != (cause == errFlying) {
					t.Errorf("%v: %v", cause, err)
				}
			})
			synctest.Wait()
			return cancel
		}
		leave, leaveToo := appendUntil(errFlying), appendUntil(errWaiting)
		leave(errFlying)
		leaveToo(errWaiting)
		wg.Wait()
		if _, err := h.Append(canceled(t), "s", text("x")); !errors.Is(err, context.Canceled) || errors.Is(err, freshet.ErrUncertain) {
			t.Errorf("append under a context that has ended: %v", err)
		}
		close(held)
		wantText(t, follow(t, h, "s", FollowOptions{}), "flying")
		if info, _ := h.Info(t.Context(), "s"); info.Tail.Seq != 1 {
			t.Errorf("%d records, want 1", info.Tail.Seq)
		}
	})
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
