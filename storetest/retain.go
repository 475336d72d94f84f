package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
)

func retaining() []clause {
	return []clause{
		{name: "Retain/Records", check: retainRecords},
		{name: "Retain/Bytes", check: retainBytes},
		{name: "Retain/WholeAppends", check: retainWhole},
		{name: "Retain/TheLastAppendStays", check: retainLast},
		{name: "Retain/TrimmedCursorsAreGaps(6)", check: retainGaps},
		{name: "Retain/PagesStayAsTheyWere", check: retainPages},
		{name: "Retain/Age", check: retainAge},
		{name: "Retain/AgeAndLease", check: retainAgeAndLease},
		{name: "Retain/AfterReopen", check: retainReopened, needs: []need{needReopen}},
		{name: "Retain/ALongStream(7)", check: retainLong},
		{name: "Retain/ReadersAmongTrims(2)", check: retainReaders},
	}
}

// kept checks what a stream still has, the beginning of it being the oldest
// position.
func (e *env) kept(name string, want ...string) freshet.Info {
	e.Helper()
	e.equal("data", e.data(name, freshet.Offset{}, freshet.Limit{}), want)
	page := e.page(name, freshet.Offset{}, freshet.Limit{})
	info, size := page.Info, 0
	for _, r := range page.Records {
		size += r.Size()
	}
	if info.Tail.Seq-info.Oldest.Seq != uint64(len(want)) || info.Bytes != int64(size) {
		e.Fatalf("%d records of %d bytes lie between %v and %v, says the info %d", len(want), size, info.Oldest, info.Tail, info.Bytes)
	}
	e.equal("data after the oldest position", e.data(name, info.Oldest, freshet.Limit{}), want)
	return info
}

func retainRecords(e *env) {
	e.create("s", freshet.Spec{Retain: freshet.Retain{Records: 3}})
	var tails []freshet.Offset
	for i := range 3 {
		tails = append(tails, e.append("s", freshet.Append{Records: text(fmt.Sprint(i))}).Tail)
	}
	if info := e.kept("s", "0", "1", "2"); info.Oldest.Seq != 0 {
		e.Fatalf("the oldest position is %v", info.Oldest)
	}
	for i := 3; i < 10; i++ {
		tails = append(tails, e.append("s", freshet.Append{Records: text(fmt.Sprint(i))}).Tail)
		info := e.kept("s", fmt.Sprint(i-2), fmt.Sprint(i-1), fmt.Sprint(i))
		e.equal("the oldest position", info.Oldest, tails[i-3])
	}
	e.call("s", freshet.Append{Records: text("a")}, freshet.Append{Records: text("b")}, freshet.Append{Records: text("c")}, freshet.Append{Records: text("d")})
	e.kept("s", "b", "c", "d")
	e.append("s", freshet.Append{Close: closing(freshet.Completed)})
	e.kept("s", "b", "c", "d")
}

func retainBytes(e *env) {
	e.create("s", freshet.Spec{ContentType: "text/event-stream", Retain: freshet.Retain{Bytes: 30}})
	record := freshet.Record{Type: "type", ID: "id", Data: []byte("1234")} // ten bytes in all
	for range 3 {
		e.append("s", freshet.Append{Records: []freshet.Record{record}})
	}
	e.kept("s", "1234", "1234", "1234")
	e.append("s", freshet.Append{Records: text("x")})
	e.kept("s", "1234", "1234", "x")
	e.append("s", freshet.Append{Records: text(strings.Repeat("y", 29))})
	e.kept("s", "x", strings.Repeat("y", 29))
	e.append("s", freshet.Append{Records: text(strings.Repeat("z", 30))})
	e.kept("s", strings.Repeat("z", 30))
}

func retainWhole(e *env) {
	e.create("s", freshet.Spec{Retain: freshet.Retain{Records: 5, Bytes: 1000}})
	e.append("s", freshet.Append{Records: text("a1", "a2", "a3")})
	e.append("s", freshet.Append{Records: text("b1", "b2")})
	e.kept("s", "a1", "a2", "a3", "b1", "b2")
	e.append("s", freshet.Append{Records: text("c")})
	e.kept("s", "b1", "b2", "c")
}

func retainLast(e *env) {
	e.create("s", freshet.Spec{Retain: freshet.Retain{Records: 2, Bytes: 5}})
	e.append("s", freshet.Append{Records: text("a")})
	e.append("s", freshet.Append{Records: text("large 1", "large 2", "large 3")})
	e.kept("s", "large 1", "large 2", "large 3")
	e.append("s", freshet.Append{Meta: []byte("m")})
	e.kept("s", "large 1", "large 2", "large 3")
	e.append("s", freshet.Append{Records: text("b")})
	e.kept("s", "b")
}

func retainGaps(e *env) {
	begin := e.create("s", freshet.Spec{Retain: freshet.Retain{Records: 2}}).Tail
	first := e.append("s", freshet.Append{Records: text("a")}).Tail
	second := e.append("s", freshet.Append{Records: text("b")}).Tail
	e.equal("data", e.data("s", begin, freshet.Limit{}), []string{"a", "b"})
	e.append("s", freshet.Append{Records: text("c")})
	e.gap("s", begin, freshet.GapTrimmed)
	e.equal("data after the oldest position", e.data("s", first, freshet.Limit{}), []string{"b", "c"})
	e.append("s", freshet.Append{Records: text("d")})
	e.gap("s", begin, freshet.GapTrimmed)
	e.gap("s", first, freshet.GapTrimmed)
	e.gap("s", freshet.Offset{Seq: second.Seq, Mark: first.Mark}, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 5, Mark: first.Mark}, freshet.GapAhead)
	e.equal("data", e.data("s", second, freshet.Limit{}), []string{"c", "d"})
}

func retainPages(e *env) {
	e.create("s", freshet.Spec{Retain: freshet.Retain{Records: 2}})
	e.append("s", freshet.Append{Records: text("a", "b")})
	page := e.page("s", freshet.Offset{}, freshet.Limit{})
	for range 100 {
		e.append("s", freshet.Append{Records: text("x")})
	}
	if len(page.Records) != 2 || string(page.Records[0].Data) != "a" || string(page.Records[1].Data) != "b" {
		e.Fatalf("the page has changed: %+v", page)
	}
}

func retainAge(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{Retain: freshet.Retain{Age: 3 * unit}})
	e.sweep(0)
	e.append("s", freshet.Append{Records: text("a1", "a2")})
	e.clock.Advance(unit)
	e.append("s", freshet.Append{Records: text("b")})
	e.clock.Advance(unit)
	e.sweep(0)
	e.kept("s", "a1", "a2", "b")
	e.clock.Advance(unit)
	e.sweep(1)
	oldest := e.kept("s", "b").Oldest
	e.sweep(0)
	e.append("s", freshet.Append{Records: text("c"), Close: closing(freshet.Completed)})
	e.clock.Advance(unit)
	e.sweep(1)
	e.gap("s", oldest, freshet.GapTrimmed)
	e.kept("s", "c")
	e.clock.Advance(3 * unit)
	e.sweep(1)
	info := e.kept("s") // the last append grows old too
	e.equal("the oldest position", info.Oldest, info.Tail)
	if info.Closed == nil || !info.OldestAt.IsZero() {
		e.Fatalf("the info of a stream without records is %+v", info)
	}
	e.sweep(0)
}

func retainAgeAndLease(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{Retain: freshet.Retain{Age: unit, Records: 2}})
	e.append("s", freshet.Append{Records: text("a"), Lease: unit})
	e.append("s", freshet.Append{Records: text("b")})
	before := e.clock.Now().Add(-time.Millisecond)
	e.append("s", freshet.Append{Records: text("c")})
	info := e.kept("s", "b", "c")
	if info.OldestAt.Before(before.Add(-unit)) || info.OldestAt.After(e.clock.Now()) {
		e.Fatalf("the oldest append is of %v", info.OldestAt)
	}
	e.clock.Advance(2 * unit)
	e.sweep(2)
	e.equal("reason", e.info("s").Closed.Reason, freshet.Interrupted)
	e.kept("s")
}

func retainReopened(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{Retain: freshet.Retain{Records: 3, Age: unit}})
	for i := range 6 {
		e.append("s", freshet.Append{Records: text(fmt.Sprint(i))})
		e.reopen()
		from := max(i-2, 0)
		want := []string{"0", "1", "2", "3", "4", "5"}[from : i+1]
		info := e.kept("s", want...)
		e.equal("the oldest number", info.Oldest.Seq, uint64(from))
	}
	e.clock.Advance(unit)
	e.sweep(1)
	e.reopen()
	e.kept("s")
	e.append("s", freshet.Append{Records: text("x")})
	e.reopen()
	e.kept("s", "x")
}

// retainLong appends many times what is kept, in calls of many appends and of
// one, and appends of many records.
func retainLong(e *env) {
	const keep = 1000
	e.create("s", freshet.Spec{Retain: freshet.Retain{Records: keep}})
	total := 200_000 / e.subject.Scale
	for n := 0; n < total; {
		var appends []freshet.Append
		for i := range 1 + n%7*20 {
			var a freshet.Append
			for range 1 + i%3 {
				a.Records = append(a.Records, text(fmt.Sprint(n))...)
				n++
			}
			appends = append(appends, a)
		}
		e.call("s", appends...)
	}
	info := e.info("s")
	first := info.Oldest.Seq
	if n := info.Tail.Seq - first; n > keep || n <= keep-3 {
		e.Fatalf("%d records are kept of a stream that may keep %d", n, keep)
	}
	for from := (freshet.Offset{}); ; {
		page := e.page("s", from, freshet.Limit{Records: 100})
		if len(page.Records) == 0 {
			break
		}
		for _, r := range page.Records {
			if first++; r.Offset.Seq != first || string(r.Data) != fmt.Sprint(first-1) {
				e.Fatalf("record %d has the offset %v and the data %s", first, r.Offset, r.Data)
			}
			from = r.Offset
		}
	}
	e.equal("the tail", first, info.Tail.Seq)
}

// retainReaders reads a stream while it is trimmed: a reader gets the next
// record or a gap, and never anything else.
func retainReaders(e *env) {
	const total = 3000
	e.create("s", freshet.Spec{Retain: freshet.Retain{Records: 5}})
	done := make(chan struct{})
	s := e.store()
	go func() {
		defer close(done)
		for i := range total {
			a := freshet.Append{Records: text(fmt.Sprint(i))}
			if _, err := s.Append(e.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{a}}); err != nil {
				e.Errorf("append: %v", err)
				return
			}
		}
	}()
	defer func() { <-done }()
	for from := (freshet.Offset{}); from.Seq < total && !e.Failed(); {
		page, err := e.store().Read(e.Context(), "s", from, freshet.Limit{Records: 2})
		if gap := trimmedGap(err); gap != nil {
			if gap.Oldest.Seq <= from.Seq {
				e.Fatalf("a gap at %v leads to %v", from, gap.Oldest)
			}
			from = gap.Oldest
			continue
		}
		if err != nil {
			e.Fatalf("read from %v: %v", from, err)
		}
		if from.IsBeginning() {
			from = page.Info.Oldest
		}
		for _, r := range page.Records {
			if r.Offset.Seq != from.Seq+1 || string(r.Data) != fmt.Sprint(from.Seq) {
				e.Fatalf("after %v comes %v with %q", from, r.Offset, r.Data)
			}
			from = r.Offset
		}
	}
}

func trimmedGap(err error) *freshet.GapError {
	var gap *freshet.GapError
	if !errors.As(err, &gap) || gap.Why != freshet.GapTrimmed {
		return nil
	}
	return gap
}
