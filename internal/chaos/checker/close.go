package checker

import (
	"fmt"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// clockStep is the unit in which stores keep times.
const clockStep = time.Millisecond

// judgeClose checks that the stream was closed for a reason that somebody asked
// for, together with the last append, and that all answers agree (guarantee 5).
func (j *judge) judgeClose() {
	if j.gone {
		return
	}
	final, asked := j.stream.Final, false
	for i := range j.stream.Calls {
		e := &j.stream.Calls[i]
		may := e.Call.Outcome != history.Rejected || e.Call.Maybe
		asked = asked || may && e.Call.Close != "" && e.Call.Close == final.Why
		j.judgeClosing(e)
	}
	leased := j.stream.Created != nil && j.stream.Created.Lease > 0
	switch {
	case final.Why == "" || asked:
	case final.Why == string(freshet.Interrupted) && leased:
		j.judgeLease()
	default:
		j.report(EndIsEnd, "", fmt.Sprintf("the stream is closed as %s, which nobody asked for", final.Why), final)
	}
}

// judgeClosing checks what one producer was told of the close.
func (j *judge) judgeClosing(e *history.Event) {
	final, c := j.stream.Final, e.Call
	if j.opts.MayLoseTail {
		return // it may have been told of a close that was lost
	}
	switch {
	case e.Why != "" && e.Why != final.Why:
		j.report(EndIsEnd, e.Who, fmt.Sprintf("it was told that the stream is closed as %s; the log says %q", e.Why, final.Why), e, final)
	case c.Close == "":
	case c.Outcome == history.Landed && final.Why == "":
		j.report(EndIsEnd, e.Who, "a close was acknowledged, and the stream is open", e, final)
	case c.Atomic && len(e.Records) > 0:
		last := e.Records[len(e.Records)-1]
		n, there := j.places[last]
		switch {
		case there && n != uint64(len(j.log)):
			j.report(EndIsEnd, e.Who, fmt.Sprintf("%s was to be the last record and is number %d of %d", last, n, len(j.log)), e)
		case there && final.Why != c.Close:
			j.report(EndIsEnd, e.Who, fmt.Sprintf("the last append closes the stream as %s; the log says %q", c.Close, final.Why), e, final)
		}
	}
}

// judgeLease checks that nobody saw a stream interrupted before the lease could
// have run out, which every append renews.
func (j *judge) judgeLease() {
	who, end := j.firstEnd()
	if end == nil {
		return
	}
	for i := range j.stream.Calls {
		e := &j.stream.Calls[i]
		if e.Call.Outcome != history.Landed || e.Call.Duplicate || e.Call.Close != "" {
			continue
		}
		if due := e.Call.Began + j.stream.Created.Lease - clockStep; end.At < due {
			j.report(EndIsEnd, who, fmt.Sprintf("it was told the end %v before the lease had run out", due-end.At), e, end)
			return
		}
	}
}

// firstEnd returns the first time that a follower was told the end.
func (j *judge) firstEnd() (who string, first *history.Event) {
	for i := range j.stream.Followers {
		f := &j.stream.Followers[i]
		for n := range f.Events {
			if e := &f.Events[n]; e.Kind == history.Ended && (first == nil || e.At < first.At) {
				who, first = f.Name, e
			}
		}
	}
	return who, first
}
