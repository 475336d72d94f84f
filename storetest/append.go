package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/freshet-stream/freshet"
)

func appending() []clause {
	return []clause{
		{name: "Append/AllOfItIsKept", check: appendKeeps},
		{name: "Append/JudgedInOrderEachAtomic", check: appendInOrder},
		{name: "Append/ClosesWithTheLastRecords(5)", check: appendCloses},
		{name: "Append/TheFirstCloseWins(5)", check: appendFirstCloseWins},
		{name: "Append/StreamSeqRises", check: appendStreamSeq},
		{name: "Append/ExpectsTheTail", check: appendExpect},
		{name: "Append/ContentTypeIsCompared", check: appendContentType},
		{name: "Append/SameNonceSameResults", check: appendSameNonce},
		{name: "Append/SameNonceAfterReopen", check: appendSameNonceReopened, needs: []need{needReopen}},
		{name: "Append/RefusedCallIsNotRemembered", check: appendRefusedNotRemembered},
		{name: "Append/RetryAfterAnotherCallIsUncertain", check: appendUncertain},
		{name: "Append/ConcurrentlyIsDenseAndChained(1,2)", check: appendConcurrently},
		{name: "Append/MetaIsReplaced", check: appendMeta},
	}
}

func appendKeeps(e *env) {
	begin := e.create("s", freshet.Spec{ContentType: "text/event-stream"}).Tail
	records := []freshet.Record{
		{Type: "token", ID: "7", Data: []byte("a\x00b\r\n\xff")},
		{Data: []byte{}},
		{Type: "π", Data: bytes.Repeat([]byte("x"), 100_000)},
		{ID: "only"},
	}
	nonce := freshet.NewNonce()
	r := e.again("s", freshet.Call{Nonce: nonce, Appends: []freshet.Append{{Records: records}}})[0]
	mark := begin.Mark.Next(nonce, 0)
	e.equal("result", r, freshet.Result{From: begin, Tail: freshet.Offset{Seq: 4, Mark: mark}})
	page := e.page("s", begin, freshet.Limit{})
	for i := range records {
		records[i].Offset = freshet.Offset{Seq: uint64(i) + 1, Mark: mark}
	}
	e.equal("records", page.Records, records)
	e.equal("bytes", page.Info.Bytes, int64(12+2+100_000+4))
	e.equal("the page's info", page.Info, e.info("s"))
}

func appendInOrder(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	nonce := freshet.NewNonce()
	results := e.again("s", freshet.Call{Nonce: nonce, Appends: []freshet.Append{
		{Records: text("a"), Producer: producer("p", 0, 0)},
		{Records: text("no"), Producer: producer("p", 0, 5)},
		{Records: text("no"), Producer: producer("p", 0, 0)},
		{Records: text("b", "c"), Producer: producer("p", 0, 1)},
		{Close: closing(freshet.Cancelled)},
		{Records: text("no")},
		{Close: closing(freshet.Failed)},
	}})
	a := freshet.Offset{Seq: 1, Mark: begin.Mark.Next(nonce, 0)}
	c := freshet.Offset{Seq: 3, Mark: a.Mark.Next(nonce, 3)}
	closed := e.info("s").Closed
	e.equal("results", results, []freshet.Result{
		{From: begin, Tail: a, Known: true},
		{From: a, Tail: a, Err: freshet.ErrSequence, Known: true},
		{From: a, Tail: a, Duplicate: true, Known: true},
		{From: a, Tail: c, Known: true, Seq: 1},
		{From: c, Tail: c, Closed: closed},
		{From: c, Tail: c, Closed: closed, Err: freshet.ErrClosed},
		{From: c, Tail: c, Closed: closed, Duplicate: true},
	})
	e.equal("reason", closed.Reason, freshet.Cancelled)
	e.equal("data", e.data("s", begin, freshet.Limit{}), []string{"a", "b", "c"})
}

func appendCloses(e *env) {
	e.create("s", freshet.Spec{})
	r := e.append("s", freshet.Append{Records: text("a"), Close: &freshet.Closing{Reason: freshet.Failed, Detail: []byte("it broke")}})
	page := e.page("s", freshet.Offset{}, freshet.Limit{})
	if c := page.Info.Closed; c == nil || c.Reason != freshet.Failed || string(c.Detail) != "it broke" || c.By != nil || page.Info.Tail != r.Tail {
		e.Fatalf("closed %+v at %v", page.Info.Closed, page.Info.Tail)
	}
	e.equal("closure in the result", r.Closed, page.Info.Closed)
	late := e.page("s", r.Tail, freshet.Limit{})
	e.equal("closure for the late", late.Info.Closed, page.Info.Closed)

	e.create("t", freshet.Spec{})
	e.append("t", freshet.Append{Close: &freshet.Closing{}})
	e.equal("a close without a reason", e.info("t").Closed.Reason, freshet.Completed)
}

func appendFirstCloseWins(e *env) {
	e.create("s", freshet.Spec{})
	reasons := []freshet.Reason{freshet.Completed, freshet.Cancelled, freshet.Failed, freshet.Interrupted}
	landed := make([]bool, len(reasons))
	var wg sync.WaitGroup
	for i, reason := range reasons {
		s := e.store()
		wg.Go(func() {
			results, err := s.Append(e.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Close: closing(reason)}}})
			if err != nil || results[0].Err != nil {
				e.Errorf("close: %v, %v", err, results)
				return
			}
			landed[i] = !results[0].Duplicate
		})
	}
	wg.Wait()
	winner := e.info("s").Closed.Reason
	for i, reason := range reasons {
		if landed[i] != (reason == winner) {
			e.Errorf("closing as %s was told that it won: %v; the stream is %s", reason, landed[i], winner)
		}
	}
	e.refused("s", freshet.Append{Records: text("a")}, freshet.ErrClosed)
	e.refused("s", freshet.Append{Records: text("a"), Close: closing(freshet.Failed)}, freshet.ErrClosed)
	e.refused("s", freshet.Append{Meta: []byte("m")}, freshet.ErrClosed)
}

func appendStreamSeq(e *env) {
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("a"), StreamSeq: "10"})
	e.refused("s", freshet.Append{Records: text("no"), StreamSeq: "10"}, freshet.ErrStale)
	e.append("s", freshet.Append{Records: text("b"), StreamSeq: "2"}) // bytes, not numbers
	e.append("s", freshet.Append{Records: text("c")})
	e.refused("s", freshet.Append{Records: text("no"), StreamSeq: "19"}, freshet.ErrStale)
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b", "c"})
}

func appendExpect(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	a := e.append("s", freshet.Append{Records: text("a"), Expect: &begin})
	r := e.refused("s", freshet.Append{Records: text("no"), Expect: &begin}, freshet.ErrExpected)
	e.equal("the tail that is told", r.Tail, a.Tail)
	foreign := freshet.Offset{Seq: a.Tail.Seq, Mark: a.Tail.Mark + 1}
	e.refused("s", freshet.Append{Records: text("no"), Expect: &foreign}, freshet.ErrExpected)
	e.append("s", freshet.Append{Records: text("b"), Expect: &a.Tail})
}

func appendContentType(e *env) {
	e.create("s", freshet.Spec{ContentType: "text/plain; charset=utf-8"})
	e.append("s", freshet.Append{Records: text("a"), ContentType: "TEXT/Plain"})
	e.append("s", freshet.Append{Records: text("b")})
	e.refused("s", freshet.Append{Records: text("no"), ContentType: "text/html"}, freshet.ErrTypeMismatch)
}

func appendSameNonce(e *env) {
	tail := e.create("s", freshet.Spec{}).Tail
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{
		{Records: text("a")},
		{Records: text("no"), StreamSeq: "1", Expect: &tail},
		{Records: text("b"), Producer: producer("p", 1, 0), Close: closing(freshet.Cancelled)},
	}}
	want := e.again("s", call)
	call.Retry, call.Tail = true, tail
	for range 3 {
		e.equal("the results of the call made again", e.again("s", call), want)
	}
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b"})
}

func appendSameNonceReopened(e *env) {
	tail := e.create("s", freshet.Spec{}).Tail
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{
		{Records: text("a"), Producer: producer("p", 1, 0)},
		{Records: text("no"), Producer: producer("p", 0, 0)},
		{Records: text("b"), Close: &freshet.Closing{Reason: freshet.Failed, Detail: []byte("d")}},
	}}
	want := e.again("s", call)
	info := e.info("s")
	e.reopen()
	e.equal("info after reopening", e.info("s"), info)
	call.Retry, call.Tail = true, tail
	e.equal("the results of the call made again", e.again("s", call), want)
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b"})
}

// A call that changed nothing must not push out the memory of one that did,
// whose caller may be about to repeat it.
func appendRefusedNotRemembered(e *env) {
	e.create("s", freshet.Spec{})
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: text("a"), Producer: producer("p", 0, 0)}, {Records: text("b")}}}
	want := e.again("s", call)
	e.refused("s", freshet.Append{Records: text("no"), ContentType: "text/html"}, freshet.ErrTypeMismatch)
	if r := e.call("s", freshet.Append{Records: text("a"), Producer: producer("p", 0, 0)})[0]; !r.Duplicate {
		e.Fatalf("a producer's retry: %+v", r)
	}
	e.equal("the results of the call made again", e.again("s", call), want)
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b"})
}

func appendUncertain(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	lost := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: text("a")}, {Records: text("b"), Producer: producer("p", 0, 0)}}}
	e.again("s", lost)
	between := e.append("s", freshet.Append{Records: text("c")})
	lost.Retry, lost.Tail = true, begin
	results := e.again("s", lost)
	if !errors.Is(results[0].Err, freshet.ErrUncertain) || results[0].Tail != between.Tail {
		e.Errorf("the unnamed append: %+v, want uncertain", results[0])
	}
	if results[1].Err != nil || !results[1].Duplicate {
		e.Errorf("the named append: %+v, want a duplicate", results[1])
	}
	// One whose first try did not land, as the tail shows, may land now.
	fresh := freshet.Call{Nonce: freshet.NewNonce(), Retry: true, Tail: between.Tail, Appends: []freshet.Append{{Records: text("d")}}}
	if r := e.again("s", fresh)[0]; r.Err != nil {
		e.Errorf("a retry at the same tail: %v", r.Err)
	}
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"a", "b", "c", "d"})
}

func appendConcurrently(e *env) {
	const writers, calls = 8, 30
	begin := e.create("s", freshet.Spec{}).Tail
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range calls {
				name := fmt.Sprintf("%d.%d", w, i)
				results, err := e.store().Append(e.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{
					{Records: text(name+".x", name+".y")}, {Records: text(name + ".z")},
				}})
				if err != nil || results[0].Err != nil || results[1].Err != nil || results[1].From != results[0].Tail || results[0].From.Seq+2 != results[0].Tail.Seq {
					e.Errorf("append: %v, %+v", err, results)
				}
			}
		})
	}
	// A follower that reads along sees one history that never changes.
	var seen []freshet.Record
	for from := begin; len(seen) < writers*calls*3 && !e.Failed(); {
		page := e.page("s", from, freshet.Limit{Records: 7})
		for _, r := range page.Records {
			if r.Offset.Seq != from.Seq+1 {
				e.Fatalf("record %d follows %d", r.Offset.Seq, from.Seq)
			}
			from = r.Offset
		}
		seen = append(seen, page.Records...)
	}
	wg.Wait()
	e.equal("what a late reader sees", e.page("s", begin, freshet.Limit{}).Records, seen)
	next := map[string]int{}
	for i := 0; i < len(seen); i += 3 {
		var w, n int
		fmt.Sscanf(string(seen[i].Data), "%d.%d", &w, &n)
		stem := fmt.Sprintf("%d.%d", w, next[fmt.Sprint(w)])
		next[fmt.Sprint(w)]++
		got := []string{string(seen[i].Data), string(seen[i+1].Data), string(seen[i+2].Data)}
		e.equal("one call's records", got, []string{stem + ".x", stem + ".y", stem + ".z"})
		if seen[i].Offset.Mark != seen[i+1].Offset.Mark || seen[i].Offset.Mark == seen[i+2].Offset.Mark {
			e.Fatalf("the marks of one call are %v %v %v", seen[i].Offset, seen[i+1].Offset, seen[i+2].Offset)
		}
	}
}

func appendMeta(e *env) {
	e.create("s", freshet.Spec{})
	meta := []byte("one")
	e.append("s", freshet.Append{Meta: meta})
	meta[0] = 'x'
	e.append("s", freshet.Append{Records: text("a")})
	e.equal("meta", string(e.info("s").Meta), "one")
	e.append("s", freshet.Append{Records: text("b"), Meta: []byte("two")})
	e.equal("meta", string(e.info("s").Meta), "two")
	e.append("s", freshet.Append{Meta: []byte{}})
	e.equal("meta", string(e.info("s").Meta), "")
}
