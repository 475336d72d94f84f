package checker

import (
	"fmt"
	"slices"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// judgeFollower judges what one follower was shown, run by run, up to its first
// violation.
func (j *judge) judgeFollower(f *history.Follower) {
	r := run{judge: j, who: f.Name}
	for i := range f.Events {
		e := &f.Events[i]
		switch e.Kind {
		case history.Gapped:
			j.verdict.Gaps++
			j.gaps = append(j.gaps, toldGap{f.Name, e})
			if !r.gap(e) {
				return
			}
			r.forked()
			n, err := number(e.Resumed)
			if err != nil {
				j.report(HonestLoss, f.Name, "the gap resumes at what is no offset", e)
				return
			}
			at := position{n, e.Resumed}
			r = run{judge: j, who: f.Name, after: e, start: at, at: at, conn: r.conn}
		default:
			if !r.take(e) {
				return
			}
		}
	}
	r.finish()
}

// A run is what a follower was shown from one gap to the next.
type run struct {
	*judge
	who string
	// after is the gap that the run begins with, nil for the first.
	after *history.Event
	// start and at are where the run began and has come to.
	start, at position
	// conn is the event that opened the connection, nil if there is none.
	conn *history.Event
	// pieces are what was shown.
	pieces []piece
	// end is the first time that the end was told; told says whether it was on
	// this connection.
	end  *history.Event
	told bool
	// left says that the follower went away by itself.
	left bool
}

// A piece is records that were shown together, from one number on.
type piece struct {
	from  uint64
	event *history.Event
}

// take judges one event by what came before it in the run. It returns false
// after a violation.
func (r *run) take(e *history.Event) bool {
	switch e.Kind {
	case history.Opened:
		r.conn, r.told = e, false
		if !r.at.is(e.Offset) && !r.stays(e.Offset) {
			return r.fail(Harness, fmt.Sprintf("it has come to %d, %q, and asked for %q", r.at.number, r.at.offset, e.Offset), e)
		}
	case history.Placed:
		return r.placed(e)
	case history.Shown:
		return r.shown(e)
	case history.Ended:
		return r.ended(e)
	case history.Tail:
		return r.tail(e)
	case history.Refused:
		if r.end == nil {
			return r.fail(EndIsEnd, "it was told to go, and had never been told the end", r.conn, e)
		}
	case history.Dropped:
		r.conn, r.told = nil, false
	case history.Left:
		r.left = true
	case history.GaveUp:
		return r.fail(EndIsEnd, fmt.Sprintf("it came to %d of %d and was never told the end: %s", r.at.number, len(r.log), e.Why), e, r.stream.Final)
	default:
		return r.fail(Harness, "a follower has no such event", e)
	}
	return true
}

// fail reports a violation and returns false.
func (r *run) fail(g Guarantee, what string, evidence ...*history.Event) bool {
	r.report(g, r.who, what, evidence...)
	return false
}

// last returns the last event that showed something.
func (r *run) last() *history.Event {
	if len(r.pieces) == 0 {
		return r.after
	}
	return r.pieces[len(r.pieces)-1].event
}

// placed judges a position that was told without a record.
func (r *run) placed(e *history.Event) bool {
	switch n, err := number(e.Offset); {
	case err != nil:
		return r.fail(NoGapsNoDuplicates, "it was told a position that is no offset", e)
	case n == 0 && r.at.number > 0:
		return r.fail(HonestLoss, fmt.Sprintf("it had come to %d and was sent back to the beginning without a word", r.at.number), r.last(), r.conn, e)
	case !r.at.is(e.Offset):
		return r.fail(NoGapsNoDuplicates, fmt.Sprintf("it had come to %d, %s, and was put elsewhere", r.at.number, r.at.offset), r.last(), r.conn, e)
	}
	r.at.offset = e.Offset
	return true
}

// shown judges records by their numbers (guarantees 1, 2 and 6).
func (r *run) shown(e *history.Event) bool {
	n, err := number(e.Offset)
	if err != nil || n < uint64(len(e.Records)) {
		return r.fail(NoGapsNoDuplicates, fmt.Sprintf("it was shown %d records that end at no such offset", len(e.Records)), e)
	}
	from := n - uint64(len(e.Records)) + 1
	switch {
	case r.end != nil:
		return r.fail(EndIsEnd, "it was shown more after the end", r.end, e)
	case len(e.Records) == 0:
		return r.placed(e)
	case from > r.at.number+1:
		return r.fail(NoGapsNoDuplicates, fmt.Sprintf("records %d to %d were not shown", r.at.number+1, from-1), r.last(), r.conn, e)
	case from <= r.at.number:
		return r.again(e, from)
	}
	for i, name := range e.Records {
		if r.sent[name] == nil {
			return r.fail(CommittedFirst, fmt.Sprintf("it was shown record %d, %s, which nobody appended", from+uint64(i), name), e)
		}
	}
	r.pieces = append(r.pieces, piece{from, e})
	r.at = position{n, e.Offset}
	r.judge.name(e.Offset, e.Records[len(e.Records)-1], e)
	return true
}

// again says what is wrong with records whose numbers were past already.
func (r *run) again(e *history.Event, from uint64) bool {
	if from == 1 && r.last() != nil && (r.conn == nil || r.last().At < r.conn.At) {
		return r.fail(HonestLoss, fmt.Sprintf("it had come to %d, and the stream began anew without a word", r.at.number), r.last(), r.conn, e)
	}
	return r.fail(NoGapsNoDuplicates, fmt.Sprintf("it had come to %d and was shown record %d again", r.at.number, from), r.last(), r.conn, e)
}

// ended judges an end by the run so far (guarantee 5).
func (r *run) ended(e *history.Event) bool {
	r.verdict.Ends++
	switch {
	case r.told:
		return r.fail(EndIsEnd, "it was told the end twice on one connection", r.end, e)
	case r.end != nil && r.end.Why != "" && e.Why != "" && r.end.Why != e.Why:
		return r.fail(EndIsEnd, fmt.Sprintf("it was told that the stream is %s, and then that it is %s", r.end.Why, e.Why), r.end, e)
	case e.Offset != "" && !r.at.is(e.Offset) && !slices.Contains(goneWords, e.Why):
		return r.fail(NoGapsNoDuplicates, fmt.Sprintf("it had come to %d and was told the end at %s", r.at.number, e.Offset), r.last(), e)
	}
	r.told = true
	if r.end == nil || r.end.Why == "" {
		r.end = e
	}
	return true
}

// tail judges what the store said of its tail while the follower stood at its
// position: it has to have at least what was shown (guarantee 3).
func (r *run) tail(e *history.Event) bool {
	n, err := number(e.Offset)
	switch {
	case err != nil:
		return r.fail(Harness, "the tail is no offset", e)
	case r.opts.MayLoseTail || r.stream.Deleted != nil || n > r.at.number:
		return true
	case !r.at.is(e.Offset):
		return r.fail(CommittedFirst, fmt.Sprintf("it was shown record %d, and afterwards the store had the tail %s", r.at.number, e.Offset), r.last(), e)
	}
	return true
}

// gap judges what a gap says of the follower itself (guarantee 6).
func (r *run) gap(e *history.Event) bool {
	if !r.at.is(e.Offset) && !r.stays(e.Offset) {
		return r.fail(HonestLoss, fmt.Sprintf("it stood at %d, %q, and was told of a gap at another position", r.at.number, r.at.offset), r.last(), r.conn, e)
	}
	return true
}

// stays reports whether an offset is the one at which the follower was told that
// the stream is gone. That moves no cursor: who loses the connection before it is
// told the end comes back with the one it had, and is told again.
func (r *run) stays(offset string) bool {
	return r.after != nil && slices.Contains(goneWords, r.after.Why) && r.at == r.start && r.after.Offset == offset
}
