package checker

import (
	"fmt"
	"slices"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// finish judges the last run of a follower: all of it has to be in the log, and
// it has to have come to the end.
func (r *run) finish() {
	switch {
	case r.gone, r.recreated && r.end != nil && slices.Contains(goneWords, r.end.Why):
		r.finishGone()
		return
	case !r.surviving(r.pieces):
		return
	}
	if n := r.start.number; n > 0 && n <= uint64(len(r.log)) {
		r.judge.witness(n, r.start.offset, r.log[n-1], r.after)
	}
	switch {
	case r.left:
		return
	case r.end == nil:
		r.report(Harness, r.who, "its history just stops", r.last())
		return
	case r.at.number != uint64(len(r.log)):
		r.report(EndIsEnd, r.who, fmt.Sprintf("it was told the end at %d; the log has %d records", r.at.number, len(r.log)), r.last(), r.end)
		return
	case r.end.Why != "" && r.end.Why != r.stream.Final.Why:
		r.report(EndIsEnd, r.who, fmt.Sprintf("it was told that the stream is %s; the log says %q", r.end.Why, r.stream.Final.Why), r.end, r.stream.Final)
	}
}

// surviving holds pieces against the log. It returns false after a violation.
func (r *run) surviving(pieces []piece) bool {
	for _, p := range pieces {
		for i, name := range p.event.Records {
			n := p.from + uint64(i)
			if n <= uint64(len(r.log)) && r.log[n-1] == name {
				continue
			}
			return r.notInLog(n, name, p.event)
		}
		last := p.from + uint64(len(p.event.Records)) - 1
		r.judge.witness(last, p.event.Offset, r.log[last-1], p.event)
	}
	return true
}

// notInLog says what is wrong with a record that is not record n of the log.
func (r *run) notInLog(n uint64, name string, e *history.Event) bool {
	place, there := r.places[name]
	switch {
	case there:
		return r.fail(Order, fmt.Sprintf("it was shown %s as record %d; it is record %d", name, n, place), e)
	case r.opts.MayLoseTail || r.recreated:
		return r.fail(HonestLoss, fmt.Sprintf("record %d, %s, was lost after it was shown, and it was never told", n, name), e, r.stream.Final)
	}
	return r.fail(CommittedFirst, fmt.Sprintf("it was shown record %d, %s, which is not in the store", n, name), e, r.stream.Final)
}

// forked notes a run that ended with a gap. How much of it has to be in the log
// is known when all last runs are judged.
func (r *run) forked() {
	if !r.gone {
		r.forks = append(r.forks, *r)
	}
}

// goneWords are the reasons of a stream that does not exist any more.
var goneWords = []string{freshet.GapDeleted, freshet.GapExpired, freshet.GapUnknown}

// finishGone judges the last run over a stream that was deleted: the follower was
// told its end before that, or that it is gone.
func (r *run) finishGone() {
	switch {
	case r.left:
	case r.end == nil:
		r.report(HonestLoss, r.who, "the stream was deleted, and it was never told", r.last(), r.stream.Deleted)
	case slices.Contains(goneWords, r.end.Why) && r.at.number > 0:
		r.report(HonestLoss, r.who, fmt.Sprintf("it had come to %d and was told that the stream is %s, and of no gap", r.at.number, r.end.Why), r.last(), r.end)
	}
	for _, p := range r.pieces {
		last := p.event.Records[len(p.event.Records)-1]
		r.judge.witness(p.from+uint64(len(p.event.Records))-1, p.event.Offset, last, p.event)
	}
}
