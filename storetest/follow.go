package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet"
)

func following() []clause {
	return []clause{
		{name: "Follow/AHintAfterEveryChange", check: followChanges},
		{name: "Follow/BatchesAreTheRecords(1)", check: followBatches},
		{name: "Follow/NoWakeAfterStop", check: followStop},
		{name: "Follow/ManyFollowersOfOneStream", check: followMany},
	}
}

func followChanges(e *env) {
	unit := e.clock.unit()
	s := e.store()
	hints := make(chan freshet.Hint, 1)
	stop, err := s.Follow(e.Context(), "s", func(h freshet.Hint) {
		select {
		case hints <- h:
		default:
		}
	})
	if err != nil {
		e.Fatalf("follow: %v", err)
	}
	defer stop()
	for _, c := range []struct {
		name   string
		change func()
	}{
		{"creation", func() { e.create("s", freshet.Spec{TTL: 2 * unit}) }},
		{"append", func() { e.append("s", freshet.Append{Records: text("a")}) }},
		{"close", func() { e.append("s", freshet.Append{Close: closing(freshet.Completed)}) }},
		{"deletion", func() { _ = e.store().Delete(e.Context(), "s") }},
		{"creation again", func() { e.create("s", freshet.Spec{TTL: 2 * unit}) }},
		{"lease", func() { e.append("s", freshet.Append{Lease: unit}) }},
		{"interruption", func() { e.clock.Advance(unit); e.sweep(1) }},
		{"expiry", func() { e.clock.Advance(2 * unit); e.sweep(1) }},
	} {
		for drained := false; !drained; {
			select {
			case <-hints:
			case <-time.After(20 * time.Millisecond):
				drained = true
			}
		}
		c.change()
		select {
		case <-hints:
		case <-time.After(patience):
			e.Fatalf("no hint after the %s", c.name)
		}
	}
}

func followBatches(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	var mu sync.Mutex
	var batches []*freshet.Batch
	stop, err := e.store().Follow(e.Context(), "s", func(h freshet.Hint) {
		mu.Lock()
		defer mu.Unlock()
		if h.Batch != nil {
			batches = append(batches, h.Batch)
		}
	})
	if err != nil {
		e.Fatalf("follow: %v", err)
	}
	for range 20 {
		e.call("s", freshet.Append{Records: text("a", "b")}, freshet.Append{Records: text("c")})
	}
	e.append("s", freshet.Append{Records: text("d"), Close: closing(freshet.Cancelled)})
	stop()
	all := e.page("s", begin, freshet.Limit{})
	tails := map[freshet.Offset]int{begin: 0}
	for i, r := range all.Records {
		tails[r.Offset] = i + 1
	}
	for _, b := range batches {
		from, ok := tails[b.From]
		to, ok2 := tails[b.Tail]
		if !ok || !ok2 {
			e.Fatalf("a batch from %v to %v, which are not the stream's", b.From, b.Tail)
		}
		e.equal("a batch's records", b.Records, all.Records[from:to])
		if (b.Closed != nil) != (b.Tail == all.Info.Tail) {
			e.Fatalf("a batch up to %v is closed: %+v", b.Tail, b.Closed)
		}
	}
}

func followStop(e *env) {
	e.create("s", freshet.Spec{})
	var wg sync.WaitGroup
	for range 20 {
		var stopped atomic.Bool
		stop, err := e.store().Follow(e.Context(), "s", func(freshet.Hint) {
			if stopped.Load() {
				e.Errorf("a wake after stop had returned")
			}
		})
		if err != nil {
			e.Fatalf("follow: %v", err)
		}
		wg.Go(func() {
			_, _ = e.store().Append(e.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: text("a")}}})
		})
		stop()
		stopped.Store(true)
		stop()
	}
	wg.Wait()
}

func followMany(e *env) {
	e.create("s", freshet.Spec{})
	var woken sync.WaitGroup
	for range 100 {
		woken.Add(1)
		var once sync.Once
		stop, err := e.store().Follow(e.Context(), "s", func(freshet.Hint) { once.Do(woken.Done) })
		if err != nil {
			e.Fatalf("follow: %v", err)
		}
		defer stop()
	}
	e.append("s", freshet.Append{Records: text("a")})
	all := make(chan struct{})
	go func() { woken.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(patience):
		e.Fatalf("some followers were not woken")
	}
}
