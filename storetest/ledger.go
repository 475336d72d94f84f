package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

// callsAStream is after how many calls a stream of the workload is closed.
const callsAStream = 12

// A ledger is the workload that runs until the power goes, and the account of
// what was attempted, acknowledged and seen. Each writer writes one stream
// after the other; the data says which call, append and record it is.
type ledger struct {
	t       TB
	store   freshet.Store
	seed    uint64
	writers int

	mu      sync.Mutex
	entries []*entry
	stops   []func()
}

// An entry is one stream. What is in it belongs to the ledger's lock.
type entry struct {
	name  string
	named bool // its appends name a producer
	// retain is how many records it keeps, 0 for all.
	retain uint64
	// calls are those that were begun, the first one the creation's append;
	// acked is how many were acknowledged.
	calls []freshet.Call
	acked int
	tail  freshet.Offset // of the last acknowledged
	seen  freshet.Offset // as far as anybody was shown
	ended bool           // somebody was shown that it is closed
	// deletion: 0 none, 1 begun, 2 acknowledged.
	deletion int
}

// A debt is what a store owes of one stream at a moment: a copy of its entry,
// and the entry itself, whose calls are still added to.
type debt struct {
	entry
	live *entry
}

func newLedger(t TB, store freshet.Store, seed uint64) *ledger {
	return &ledger{t: t, store: store, seed: seed, writers: 6}
}

// owed returns the account as it is.
func (l *ledger) owed() []debt {
	l.mu.Lock()
	defer l.mu.Unlock()
	debts := make([]debt, len(l.entries))
	for i, e := range l.entries {
		debts[i] = debt{*e, e}
	}
	return debts
}

func (l *ledger) note(note func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	note()
}

// write writes streams until stop is closed.
func (l *ledger) write(writer int, stop chan struct{}) {
	rng := rand.New(rand.NewPCG(l.seed, uint64(writer)))
	for n := 0; ; n++ {
		e := &entry{name: fmt.Sprintf("w%d/%d", writer, n), named: writer%2 == 0}
		if writer%3 == 0 {
			e.retain = 7
		}
		follow, err := l.store.Follow(context.Background(), e.name, func(h freshet.Hint) {
			if h.Batch != nil {
				l.note(func() { e.show(h.Batch.Tail, h.Batch.Closed) })
			}
		})
		if err != nil {
			l.t.Errorf("follow: %v", err)
			return
		}
		l.note(func() {
			l.entries = append(l.entries, e)
			l.stops = append(l.stops, follow)
		})
		for k := range callsAStream {
			select {
			case <-stop:
				return
			default:
			}
			call := e.call(k, rng)
			l.note(func() { e.calls = append(e.calls, call) })
			if err := l.land(e, k, call); err != nil {
				l.t.Errorf("%s, call %d: %v", e.name, k, err)
				return
			}
		}
		if n%3 == 2 {
			l.note(func() { e.deletion = 1 })
			if err := l.store.Delete(context.Background(), e.name); err != nil {
				l.t.Errorf("delete: %v", err)
			}
			l.note(func() { e.deletion = 2 })
		}
	}
}

func (l *ledger) land(e *entry, k int, call freshet.Call) error {
	var tail freshet.Offset
	if k == 0 {
		info, created, err := l.store.Create(context.Background(), e.name, freshet.Creation{
			Nonce: call.Nonce, First: &call.Appends[0], Spec: freshet.Spec{Retain: freshet.Retain{Records: e.retain}},
		})
		if err != nil || !created {
			return fmt.Errorf("created %v: %w", created, err)
		}
		tail = info.Tail
	} else {
		results, err := l.store.Append(context.Background(), e.name, call)
		if err := firstError(results, err); err != nil {
			return err
		}
		tail = results[len(results)-1].Tail
	}
	l.note(func() { e.acked, e.tail = k+1, tail })
	return nil
}

// call returns the k-th call of a stream: one append, or two, of some records,
// the last one with a close.
func (e *entry) call(k int, rng *rand.Rand) freshet.Call {
	call := freshet.Call{Nonce: freshet.NewNonce()}
	appends := 1
	if k > 0 {
		appends += rng.IntN(2)
	}
	for i := range appends {
		var a freshet.Append
		n := 1 + rng.IntN(3)
		for r := range n {
			a.Records = append(a.Records, freshet.Record{Data: fmt.Appendf(nil, "%d %d/%d %d/%d %0*d", k, i, appends, r, n, rng.IntN(2000), 0)})
		}
		if e.named {
			a.Producer = producer("p", uint64(k), uint64(i))
		}
		if k == callsAStream-1 && i == appends-1 {
			a.Close = &freshet.Closing{Reason: e.reason(), Detail: []byte(e.name)}
		}
		call.Appends = append(call.Appends, a)
	}
	return call
}

// reason is why the stream is closed, to be known from its name alone.
func (e *entry) reason() freshet.Reason {
	reasons := []freshet.Reason{freshet.Completed, freshet.Cancelled, freshet.Failed, freshet.Interrupted}
	return reasons[len(e.name)*7%len(reasons)]
}

func (e *entry) show(tail freshet.Offset, closed *freshet.Closure) {
	if tail.Seq > e.seen.Seq {
		e.seen = tail
	}
	e.ended = e.ended || closed != nil
}

// watch reads along and notes what it is shown.
func (l *ledger) watch(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		for _, d := range l.owed() {
			if page, err := l.store.Read(context.Background(), d.name, d.seen, freshet.Limit{}); err == nil {
				l.note(func() { d.live.show(page.Info.Tail, page.Info.Closed) })
			}
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func (l *ledger) stop() {
	for _, stop := range l.stops {
		stop()
	}
}
