package storetest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/freshet-stream/freshet"
)

func reading() []clause {
	return []clause{
		{name: "Read/TheEmptyStream", check: readEmpty},
		{name: "Read/FromEveryBoundary(2)", check: readBoundaries},
		{name: "Read/GapsAreTold(6)", check: readGaps},
		{name: "Read/LimitIsWholeRecordsAtLeastOne", check: readLimit},
		{name: "Read/LimitFromWithinAnAppend(2)", check: readWithin},
		{name: "Read/PagesStayAsTheyWere", check: readPagesStay},
		{name: "Read/InfoIsOfTheSameStep(3)", check: readInfo},
	}
}

// gap reads from an offset that cannot be served.
func (e *env) gap(name string, from freshet.Offset, why string) {
	e.Helper()
	page, err := e.store().Read(e.Context(), name, from, freshet.Limit{})
	var gap *freshet.GapError
	if !errors.As(err, &gap) || !errors.Is(err, freshet.ErrGap) {
		e.Fatalf("read %q from %v: %d records, %v; want a gap", name, from, len(page.Records), err)
	}
	info := e.info(name)
	e.equal("gap", *gap, freshet.GapError{Why: why, Oldest: info.Oldest, Tail: info.Tail})
}

func readEmpty(e *env) {
	info := e.create("s", freshet.Spec{})
	for _, from := range []freshet.Offset{{}, info.Tail} {
		page := e.page("s", from, freshet.Limit{})
		if len(page.Records) != 0 {
			e.Fatalf("the empty stream has %d records", len(page.Records))
		}
		e.equal("info", page.Info, info)
	}
	e.gap("s", freshet.Offset{Seq: 0, Mark: info.Tail.Mark + 1}, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 1, Mark: info.Tail.Mark}, freshet.GapAhead)

	e.append("s", freshet.Append{Close: closing(freshet.Completed)})
	if page := e.page("s", info.Tail, freshet.Limit{}); page.Info.Closed == nil || len(page.Records) != 0 {
		e.Fatalf("the end of an empty stream: %+v", page)
	}
}

func readBoundaries(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	var want []string
	for i := range 10 { // appends of 0, 1, 2 … records, some in one call
		var a, b freshet.Append
		for k := range i {
			a.Records = append(a.Records, text(fmt.Sprintf("%d.a%d", i, k))...)
			b.Records = append(b.Records, text(fmt.Sprintf("%d.b%d", i, k))...)
		}
		a.Meta, b.Meta = []byte("m"), []byte("n")
		e.call("s", a, b)
		for _, r := range append(a.Records, b.Records...) {
			want = append(want, string(r.Data))
		}
	}
	all := e.page("s", freshet.Offset{}, freshet.Limit{}).Records
	if len(all) != len(want) {
		e.Fatalf("%d records of %d", len(all), len(want))
	}
	for i, from := 0, begin; ; i++ {
		e.equal(fmt.Sprintf("data after %d", i), e.data("s", from, freshet.Limit{}), want[i:])
		if i == len(all) {
			break
		}
		if all[i].Offset.Seq != from.Seq+1 {
			e.Fatalf("record %d has the offset %v", i, all[i].Offset)
		}
		from = all[i].Offset
	}
}

func readGaps(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	one := e.append("s", freshet.Append{Records: text("a", "b")}).Tail
	two := e.append("s", freshet.Append{Records: text("c")}).Tail
	e.create("other", freshet.Spec{})
	foreign := e.append("other", freshet.Append{Records: text("a")}).Tail

	e.gap("s", foreign, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 0, Mark: 1}, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 1, Mark: begin.Mark}, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 2, Mark: two.Mark}, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 3, Mark: one.Mark}, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 1}, freshet.GapDiverged)
	e.gap("s", freshet.Offset{Seq: 4, Mark: two.Mark}, freshet.GapAhead)
	e.gap("s", freshet.Offset{Seq: 9_999_999_999_999_999, Mark: two.Mark}, freshet.GapAhead)
	e.gap("s", freshet.Offset{Seq: 1<<64 - 1, Mark: two.Mark}, freshet.GapAhead)
	e.equal("data", e.data("s", one, freshet.Limit{}), []string{"c"})
}

// readWithin reads pages of every size from every position, also from those
// between records of one append.
func readWithin(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	e.append("s", freshet.Append{Records: text("", "abcdefgh", "i")})
	e.call("s", freshet.Append{Records: text("j", "klmnop")}, freshet.Append{Records: text("q")})
	e.append("s", freshet.Append{Records: text("rs", "t", "uvw")})
	all := e.page("s", begin, freshet.Limit{}).Records
	from := begin
	for i := range all {
		for bytes := range 24 {
			for most := range 5 {
				limit := freshet.Limit{Bytes: bytes, Records: most}
				n, size := 0, 0
				for n < len(all)-i && limit.Takes(n, size, all[i+n].Size()) {
					size += all[i+n].Size()
					n++
				}
				e.equal(fmt.Sprintf("the page of %+v after %d records", limit, i), e.page("s", from, limit).Records, all[i:i+n])
			}
		}
		from = all[i].Offset
	}
}

func readLimit(e *env) {
	e.create("s", freshet.Spec{ContentType: "text/event-stream"})
	records := text(strings.Repeat("a", 10), strings.Repeat("b", 10), strings.Repeat("c", 50), "d", "e")
	records[3].Type, records[3].ID = "type", "id" // count as well
	e.append("s", freshet.Append{Records: records[:2]})
	e.append("s", freshet.Append{Records: records[2:]})
	for _, c := range []struct {
		limit freshet.Limit
		want  []int // the numbers of records in the pages
	}{
		{freshet.Limit{}, []int{5}},
		{freshet.Limit{Records: 2}, []int{2, 2, 1}},
		{freshet.Limit{Records: 1, Bytes: 1000}, []int{1, 1, 1, 1, 1}},
		{freshet.Limit{Bytes: 1}, []int{1, 1, 1, 1, 1}},
		{freshet.Limit{Bytes: 19}, []int{1, 1, 1, 2}},
		{freshet.Limit{Bytes: 20}, []int{2, 1, 2}},
		{freshet.Limit{Bytes: 57}, []int{2, 2, 1}},
		{freshet.Limit{Bytes: 56}, []int{2, 1, 2}},
		{freshet.Limit{Records: 4, Bytes: 70}, []int{3, 2}},
	} {
		var got []int
		from := freshet.Offset{}
		for {
			page := e.page("s", from, c.limit)
			if len(page.Records) == 0 {
				break
			}
			got = append(got, len(page.Records))
			from = page.Records[len(page.Records)-1].Offset
		}
		e.equal(fmt.Sprintf("the pages under %+v", c.limit), got, c.want)
	}
}

func readPagesStay(e *env) {
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("a", "b")})
	page := e.page("s", freshet.Offset{}, freshet.Limit{})
	info := page.Info
	e.append("s", freshet.Append{Records: text("c"), Meta: []byte("m"), Close: closing(freshet.Failed)})
	e.equal("records", page.Records[:len(page.Records):cap(page.Records)], page.Records)
	if len(page.Records) != 2 || string(page.Records[1].Data) != "b" || page.Info.Closed != nil || page.Info.Tail != info.Tail {
		e.Fatalf("the page has changed: %+v", page)
	}
	if err := e.store().Delete(e.Context(), "s"); err != nil {
		e.Fatalf("delete: %v", err)
	}
	e.equal("data", string(page.Records[0].Data), "a")
}

func readInfo(e *env) {
	begin := e.create("s", freshet.Spec{}).Tail
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			a := freshet.Append{Records: text(fmt.Sprint(i))}
			if i == 99 {
				a.Close = closing(freshet.Completed)
			}
			if _, err := e.store().Append(e.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{a}}); err != nil {
				e.Errorf("append: %v", err)
			}
		}
	}()
	s, last := e.store(), uint64(0)
	for closed := false; !closed && !e.Failed(); {
		page, err := s.Read(e.Context(), "s", begin, freshet.Limit{})
		if err != nil {
			e.Fatalf("read: %v", err)
		}
		seen := uint64(len(page.Records))
		closed = page.Info.Closed != nil
		if page.Info.Tail.Seq != seen || seen < last || closed != (seen == 100) {
			e.Fatalf("a page has %d records, tail %v, closed %v; one before had %d", seen, page.Info.Tail, closed, last)
		}
		info, err := s.Info(e.Context(), "s")
		if err != nil || info.Tail.Seq < seen {
			e.Fatalf("info says %v after %d records were read; %v", info.Tail, seen, err)
		}
		last = info.Tail.Seq
	}
	<-done
}
