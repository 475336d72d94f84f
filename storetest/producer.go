package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
)

func producing() []clause {
	return []clause{
		{name: "Producer/RetryLandsOnce(4)", check: producerRetry},
		{name: "Producer/OutOfOrderRetries(4)", check: producerOutOfOrder},
		{name: "Producer/EpochFences(4)", check: producerEpochs},
		{name: "Producer/TwoAtOnce(4)", check: producerTwoAtOnce},
		{name: "Producer/RetryOfTheClose(4,5)", check: producerRetryOfClose},
		{name: "Producer/CountsRecords(4)", check: producerCountsRecords},
		{name: "Producer/StateIsKept(4)", check: producerKept, needs: []need{needReopen}},
		{name: "Producer/LimitRefuses(7)", check: producerLimit},
		{name: "Producer/LimitForgetsTheIdle(7)", check: producerForgets, needs: []need{needClock}},
	}
}

func producerRetry(e *env) {
	e.create("s", freshet.Spec{})
	a := freshet.Append{Records: text("a", "b"), Producer: producer("p", 0, 0)}
	first := e.append("s", a)
	e.append("s", freshet.Append{Records: text("c")})
	retry := e.call("s", a)[0]
	e.equal("the retry", retry, freshet.Result{Duplicate: true, From: e.info("s").Tail, Tail: e.info("s").Tail, Known: true})
	if retry.Tail.Seq != first.Tail.Seq+1 {
		e.Fatalf("the tail is %v", retry.Tail)
	}
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b", "c"})
}

func producerOutOfOrder(e *env) {
	e.create("s", freshet.Spec{})
	e.refused("s", freshet.Append{Records: text("b"), Producer: producer("p", 0, 1)}, freshet.ErrSequence)
	for seq := range uint64(4) {
		e.append("s", freshet.Append{Records: text(fmt.Sprint(seq)), Producer: producer("p", 0, seq)})
	}
	for _, seq := range []uint64{2, 0, 3, 1} {
		r := e.call("s", freshet.Append{Records: text("no"), Producer: producer("p", 0, seq)})[0]
		if r.Err != nil || !r.Duplicate || r.Seq != 3 || !r.Landed(*producer("p", 0, seq)) {
			e.Fatalf("retry of %d: %+v", seq, r)
		}
	}
	r := e.refused("s", freshet.Append{Records: text("no"), Producer: producer("p", 0, 5)}, freshet.ErrSequence)
	e.equal("the sequence expected", r.Expected(), uint64(4))
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"0", "1", "2", "3"})
}

func producerEpochs(e *env) {
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("a"), Producer: producer("p", 1, 0)})
	e.refused("s", freshet.Append{Records: text("no"), Producer: producer("p", 2, 1)}, freshet.ErrEpochStart)
	e.append("s", freshet.Append{Records: text("b"), Producer: producer("p", freshet.MaxProducerNumber, 0)})
	r := e.refused("s", freshet.Append{Records: text("no"), Producer: producer("p", 1, 1)}, freshet.ErrFenced)
	e.equal("the epoch that is told", r.Epoch, uint64(freshet.MaxProducerNumber))
	e.append("s", freshet.Append{Records: text("c"), Producer: producer("q", 0, 0)})
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b", "c"})
}

// Two processes that take themselves for the same producer: each number lands
// once, whoever brings it.
func producerTwoAtOnce(e *env) {
	const appends = 50
	e.create("s", freshet.Spec{})
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for seq := range uint64(appends) {
				a := freshet.Append{Records: text(fmt.Sprintf("%d by %d", seq, w)), Producer: producer("p", 0, seq)}
				results, err := e.store().Append(e.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{a}})
				if err != nil || results[0].Err != nil {
					e.Errorf("append %d: %v, %+v", seq, err, results)
				}
			}
		})
	}
	wg.Wait()
	data := e.data("s", freshet.Offset{}, freshet.Limit{})
	if len(data) != appends {
		e.Fatalf("%d records of %d", len(data), appends)
	}
	for i, d := range data {
		var seq, w int
		if fmt.Sscanf(d, "%d by %d", &seq, &w); seq != i {
			e.Fatalf("record %d is %q", i, d)
		}
	}
}

func producerRetryOfClose(e *env) {
	e.create("s", freshet.Spec{})
	first := freshet.Append{Records: text("a"), Producer: producer("p", 0, 0)}
	last := freshet.Append{Records: text("b"), Producer: producer("p", 0, 1), Close: closing(freshet.Completed)}
	e.append("s", first)
	e.append("s", last)
	if r := e.call("s", last)[0]; r.Err != nil || !r.Duplicate || r.Closed == nil {
		e.Errorf("the retry of the close: %+v", r)
	}
	if r := e.refused("s", first, freshet.ErrClosed); !r.Landed(*first.Producer) {
		e.Errorf("the retry of one before the close does not show that it landed: %+v", r)
	}
	if r := e.refused("s", freshet.Append{Records: text("c"), Producer: producer("p", 0, 2)}, freshet.ErrClosed); r.Landed(*producer("p", 0, 2)) {
		e.Errorf("one after the close shows that it landed: %+v", r)
	}
}

func producerCountsRecords(e *env) {
	e.create("s", freshet.Spec{})
	records := text("0", "1", "2", "3", "4")
	send := func(seq uint64, a freshet.Append) freshet.Append {
		a.Producer, a.PerRecord = producer("p", 0, seq), true
		return a
	}
	e.append("s", send(0, freshet.Append{Records: records[:2]}))
	r := e.append("s", send(0, freshet.Append{Records: records[:4]})) // the first two again
	e.equal("the last sequence number", r.Seq, uint64(3))
	e.equal("the records that are new", r.Tail.Seq-r.From.Seq, uint64(2))
	if r := e.call("s", send(1, freshet.Append{Records: records[1:3]}))[0]; r.Err != nil || !r.Duplicate {
		e.Errorf("records that all have landed: %+v", r)
	}
	e.refused("s", send(5, freshet.Append{Records: text("no")}), freshet.ErrSequence)
	e.append("s", send(3, freshet.Append{Records: records[3:], Close: closing(freshet.Completed)}))
	if r := e.call("s", send(0, freshet.Append{Records: records}))[0]; r.Err != nil || !r.Duplicate {
		e.Errorf("all of them again, after the close: %+v", r)
	}
	e.refused("s", send(4, freshet.Append{Records: text("4", "5")}), freshet.ErrClosed)
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"0", "1", "2", "3", "4"})
}

func producerKept(e *env) {
	e.create("s", freshet.Spec{})
	for seq := range uint64(3) {
		e.append("s", freshet.Append{Records: text("a"), Producer: producer("p\x00/ü", 7, seq)})
	}
	e.append("s", freshet.Append{Records: text("b"), Producer: producer("p", 0, 0)})
	e.reopen()
	if r := e.call("s", freshet.Append{Records: text("no"), Producer: producer("p\x00/ü", 7, 2)})[0]; !r.Duplicate {
		e.Errorf("a retry after reopening: %+v", r)
	}
	e.refused("s", freshet.Append{Records: text("no"), Producer: producer("p\x00/ü", 6, 0)}, freshet.ErrFenced)
	e.append("s", freshet.Append{Records: text("c"), Producer: producer("p\x00/ü", 7, 3)})
	e.append("s", freshet.Append{Records: text("d"), Producer: producer("p", 0, 1)})
	e.equal("number of records", e.info("s").Tail.Seq, uint64(6))
}

// fill makes the stream remember as many producers as it can.
func (e *env) fill(name string) {
	e.Helper()
	appends := make([]freshet.Append, freshet.MaxProducers)
	for i := range appends {
		appends[i] = freshet.Append{Records: text("x"), Producer: producer(fmt.Sprintf("p%04d", i), 0, 0)}
	}
	for _, r := range e.call(name, appends...) {
		if r.Err != nil {
			e.Fatalf("a producer within the limit: %v", r.Err)
		}
	}
}

func producerLimit(e *env) {
	e.create("s", freshet.Spec{})
	e.fill("s")
	r := e.refused("s", freshet.Append{Records: text("no"), Producer: producer("new", 0, 0)}, freshet.ErrProducers)
	if r.Tail.Seq != freshet.MaxProducers {
		e.Errorf("the tail is %v", r.Tail)
	}
	e.append("s", freshet.Append{Records: text("y"), Producer: producer("p0000", 0, 1)})
	e.append("s", freshet.Append{Records: text("y"), Producer: producer("p1023", 1, 0)})
	e.append("s", freshet.Append{Records: text("unnamed")})
}

func producerForgets(e *env) {
	e.create("s", freshet.Spec{})
	e.fill("s")
	e.clock.Advance(time.Minute)
	for i := range freshet.MaxProducers - 3 { // all but three are active later
		e.append("s", freshet.Append{Records: text("y"), Producer: producer(fmt.Sprintf("p%04d", i+3), 0, 1)})
	}
	e.clock.Advance(59*time.Minute + time.Second)
	results := e.call("s",
		freshet.Append{Records: text("a"), Producer: producer("new1", 0, 0)},
		freshet.Append{Records: text("b"), Producer: producer("new2", 0, 0)},
		freshet.Append{Records: text("c"), Producer: producer("new3", 0, 0)},
		freshet.Append{Records: text("d"), Producer: producer("new4", 0, 0)},
	)
	for i, r := range results {
		if (i < 3) != (r.Err == nil) || i == 3 && !errors.Is(r.Err, freshet.ErrProducers) {
			e.Errorf("new producer %d: %v; three had been idle for over an hour", i+1, r.Err)
		}
	}
	e.refused("s", freshet.Append{Records: text("no"), Producer: producer("p0000", 0, 1)}, freshet.ErrSequence)
	if !e.subject.Volatile {
		e.reopen()
	}
	e.refused("s", freshet.Append{Records: text("no"), Producer: producer("p0002", 0, 1)}, freshet.ErrSequence)
	e.append("s", freshet.Append{Records: text("e"), Producer: producer("p0003", 0, 2)})
	e.append("s", freshet.Append{Records: text("e"), Producer: producer("new1", 0, 1)})
	e.refused("s", freshet.Append{Records: text("no"), Producer: producer("new5", 0, 0)}, freshet.ErrProducers)
}
