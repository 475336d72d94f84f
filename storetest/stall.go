package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

// checkStall holds up the engine's commits and checks that nothing of what was
// written since can be seen by anyone (guarantee 3), and all of it afterwards.
func checkStall(t *testing.T, subject Subject) {
	clock := newClock(subject.RealTime)
	stall := subject.Stall(t, clock)
	e := &env{T: t, subject: subject, clock: clock, stores: []freshet.Store{stall.Store}}
	t.Cleanup(e.stop)
	t.Cleanup(stall.Release)

	for _, name := range []string{"append", "close", "delete", "swept"} {
		e.create(name, freshet.Spec{})
		e.append(name, freshet.Append{Records: text("before"), Lease: clock.unit(), Meta: []byte("before")})
	}
	e.create("expired", freshet.Spec{TTL: clock.unit()})
	clock.Advance(clock.unit())
	names := []string{"append", "close", "created", "delete", "expired", "swept"}
	before := observe(e, names)
	var hints atomic.Int64
	for _, name := range names {
		stop, err := stall.Store.Follow(t.Context(), name, func(freshet.Hint) { hints.Add(1) })
		if err != nil {
			t.Fatalf("follow: %v", err)
		}
		defer stop()
	}

	stall.Hold()
	calls := map[string]func(ctx context.Context) error{
		"append": func(ctx context.Context) error {
			return firstError(stall.Store.Append(ctx, "append", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{
				{Records: text("after"), Meta: []byte("after"), Producer: producer("p", 0, 0)},
			}}))
		},
		"close": func(ctx context.Context) error {
			return firstError(stall.Store.Append(ctx, "close", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Close: closing(freshet.Failed)}}}))
		},
		"created": func(ctx context.Context) error { return create(ctx, stall.Store, "created") },
		"expired": func(ctx context.Context) error { return create(ctx, stall.Store, "expired") },
		"delete":  func(ctx context.Context) error { return stall.Store.Delete(ctx, "delete") },
	}
	returned := make(chan error, len(calls))
	for _, call := range calls {
		go func() { returned <- call(context.WithoutCancel(t.Context())) }()
	}
	deadline := time.Now().Add(patience)
	for stall.Held() == 0 {
		if time.Now().After(deadline) {
			t.Fatalf("the engine was never held: the fault did not happen")
		}
		time.Sleep(time.Millisecond)
	}
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		e.equal("what can be seen of what is not durable", observe(e, names), before)
	}
	if n := hints.Load(); n != 0 {
		t.Errorf("%d hints of what is not durable", n)
	}
	select {
	case err := <-returned:
		t.Errorf("a call returned before it was durable: %v", err)
	default:
	}

	// A context that ends frees the caller, both one that waits for the engine
	// and one that waits for another call.
	for _, name := range []string{"swept", "append"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := stall.Store.Append(ctx, name, freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: text("late")}}})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("append with a context that ends: %v", err)
		}
	}
	e.equal("what can be seen after giving up", observe(e, names), before)

	stall.Release()
	for range calls {
		if err := <-returned; err != nil {
			t.Errorf("a call after the stall: %v", err)
		}
	}
	e.equal("data", e.data("append", freshet.Offset{}, freshet.Limit{})[:2], []string{"before", "after"})
	e.equal("reason", e.info("close").Closed.Reason, freshet.Failed)
	e.info("created")
	e.info("expired")
	e.missing("delete")
	if hints.Load() < int64(len(calls)) {
		t.Errorf("%d hints of %d changes", hints.Load(), len(calls))
	}
}

// A sight is what can be seen of one stream.
type sight struct {
	Info   freshet.Info
	Data   []string
	Err    error
	Listed *freshet.Info
}

func observe(e *env, names []string) map[string]sight {
	e.Helper()
	seen := map[string]sight{}
	infos, err := e.store().List(e.Context(), "", "", 100)
	if err != nil {
		e.Fatalf("list: %v", err)
	}
	for _, name := range names {
		var s sight
		if s.Info, s.Err = e.store().Info(e.Context(), name); s.Err == nil {
			s.Data = e.data(name, freshet.Offset{}, freshet.Limit{})
		}
		for i := range infos {
			if infos[i].Name == name {
				s.Listed = &infos[i]
			}
		}
		seen[name] = s
	}
	return seen
}

func create(ctx context.Context, s freshet.Store, name string) error {
	_, created, err := s.Create(ctx, name, freshet.Creation{Nonce: freshet.NewNonce()})
	if err == nil && !created {
		return errors.New("create: not created")
	}
	return err
}

func firstError(results []freshet.Result, err error) error {
	for _, r := range results {
		if err == nil {
			err = r.Err
		}
	}
	return err
}
