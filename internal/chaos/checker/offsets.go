package checker

import (
	"fmt"
	"slices"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// name notes that an offset comes after a record, in whatever history. Marks make
// offsets unique, so that this holds for ever and for everybody.
func (j *judge) name(offset, record string, e *history.Event) {
	first := j.named[offset]
	switch {
	case first == nil:
		j.named[offset] = &witness{offset, record, e}
	case first.record != record:
		j.report(Order, e.Who, fmt.Sprintf("%s is the offset after %s, and after %s", offset, first.record, record), first.event, e)
	}
}

// witness notes what was told of a number of the surviving history. The first one
// to tell is held against the others.
func (j *judge) witness(n uint64, offset, record string, e *history.Event) {
	first := j.alive[n]
	switch {
	case first == nil:
		j.alive[n] = &witness{offset, record, e}
	case first.offset != offset || first.record != record:
		j.report(Order, e.Who, fmt.Sprintf("record %d is %s at %s, and %s at %s", n, first.record, first.offset, record, offset), first.event, e)
	}
}

// judgeForks holds the runs that ended with a gap against the log, each up to the
// last offset in it that is known to have survived.
func (j *judge) judgeForks() {
	for _, r := range j.forks {
		alive := 0
		for i, p := range r.pieces {
			w := j.alive[p.from+uint64(len(p.event.Records))-1]
			if w != nil && w.offset == p.event.Offset {
				alive = i + 1
			}
		}
		r.surviving(r.pieces[:alive])
	}
}

// judgeGaps checks that each gap which was told was one (guarantees 2 and 6): the
// stream was deleted, or the position is not in the surviving history.
func (j *judge) judgeGaps() {
	for _, g := range j.gaps {
		e := g.event
		if slices.Contains(goneWords, e.Why) {
			if j.stream.Deleted == nil {
				j.report(HonestLoss, g.who, fmt.Sprintf("it was told that the stream is gone (%s), and nobody deleted it", e.Why), e)
			}
			continue
		}
		n, _ := number(e.Offset)
		w := j.alive[n]
		switch survives := w != nil && w.offset == e.Offset; {
		case !j.opts.MayLoseTail && !j.recreated:
			j.report(NoGapsNoDuplicates, g.who, fmt.Sprintf("it was told of a gap (%s) where nothing can have been lost", e.Why), e)
		case survives && e.Why != freshet.GapTrimmed:
			j.report(NoGapsNoDuplicates, g.who, fmt.Sprintf("it was told of a gap (%s) at an offset that the log has", e.Why), w.event, e)
		}
	}
}
