package checker

import (
	"fmt"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// judgeCalls holds each append against the log: one that was acknowledged is
// there, one that was rejected is not, and none is there in part unless it said
// that it may be (guarantee 4).
func (j *judge) judgeCalls() {
	if j.gone {
		return
	}
	for i := range j.stream.Calls {
		e := &j.stream.Calls[i]
		if j.recreated && e.Call.Began < j.stream.Deleted.At {
			// It went with the stream, unless a late try of it met the next one.
			continue
		}
		j.judgeCall(e)
	}
}

func (j *judge) judgeCall(e *history.Event) {
	c := e.Call
	there := 0
	for _, r := range e.Records {
		if _, ok := j.places[r]; ok {
			there++
		}
	}
	switch {
	case c.Outcome == history.Landed && there < len(e.Records):
		if j.opts.MayLoseTail {
			j.verdict.Lost++
			return
		}
		j.report(ExactlyOnce, e.Who, fmt.Sprintf("an acknowledged append is not in the log: %d of %d records are", there, len(e.Records)), e)
		return
	case c.Outcome == history.Rejected && !c.Maybe && c.Atomic && there > 0:
		j.report(ExactlyOnce, e.Who, fmt.Sprintf("an append was rejected (%s) and is in the log", c.Code), e)
		return
	case c.Outcome == history.Rejected && c.Code == sequenceGap && !j.opts.MayLoseTail && !j.recreated:
		j.report(ExactlyOnce, e.Who, "the store has forgotten an append of the producer that it had acknowledged", e)
		return
	}
	j.judgePlaces(e, there)
	if c.Outcome == history.Landed && !c.Duplicate {
		j.judgeAnswer(e)
	}
}

// sequenceGap is the code of an append whose predecessor the store does not know.
const sequenceGap = "sequence_gap"

// judgePlaces checks that what is there of an append is in its order, from its
// beginning, and in one piece if it was atomic.
func (j *judge) judgePlaces(e *history.Event, there int) {
	if there > 0 && there < len(e.Records) && e.Call.Atomic {
		j.report(ExactlyOnce, e.Who, fmt.Sprintf("%d of the %d records of an atomic append are in the log", there, len(e.Records)), e)
		return
	}
	var last uint64
	for i, r := range e.Records[:there] {
		n, ok := j.places[r]
		switch {
		case !ok:
			j.report(ExactlyOnce, e.Who, fmt.Sprintf("%s is missing, and a later record of the same append is there", r), e)
			return
		case n <= last:
			j.report(Order, e.Who, fmt.Sprintf("%s is record %d, after what follows it in the same append", r, n), e)
			return
		case i > 0 && n != last+1 && e.Call.Atomic:
			j.report(ExactlyOnce, e.Who, fmt.Sprintf("an atomic append is torn: %s is record %d, the one before it is %d", r, n, last), e)
			return
		}
		last = n
	}
}

// judgeAnswer checks that the tail which a producer was told is the end of its
// append. Of an append that landed record by record it may be a later one.
func (j *judge) judgeAnswer(e *history.Event) {
	if e.Offset == "" || len(e.Records) == 0 {
		return
	}
	last := e.Records[len(e.Records)-1]
	n, err := number(e.Offset)
	switch place := j.places[last]; {
	case err != nil:
		j.report(Harness, e.Who, "the answer's offset is malformed", e)
		return
	case n < place || e.Call.Atomic && n != place:
		if !j.opts.MayLoseTail {
			j.report(ExactlyOnce, e.Who, fmt.Sprintf("the answer was that the append ends at %d; it ends at %d", n, place), e)
		}
		return
	case n == place:
		j.name(e.Offset, last, e)
		if !j.opts.MayLoseTail {
			j.witness(n, e.Offset, last, e)
		}
	}
}

// judgeProducers walks through the log and checks that no producer goes back in
// it, and that nothing of one is missing that it was told is there (guarantees 4
// and 6).
func (j *judge) judgeProducers() {
	last := map[string]*history.Event{}
	for _, r := range j.log {
		e := j.sent[r]
		if e == nil || e.Call.Producer == "" {
			continue
		}
		before := last[e.Call.Producer]
		last[e.Call.Producer] = e
		switch {
		case before == nil || before == e:
		case e.Call.Epoch < before.Call.Epoch:
			j.report(ExactlyOnce, e.Who, fmt.Sprintf("%s of epoch %d has landed after epoch %d had taken over", r, e.Call.Epoch, before.Call.Epoch), before, e)
		case e.Call.Epoch == before.Call.Epoch && e.Call.Seq < before.Call.Seq:
			j.report(Order, e.Who, fmt.Sprintf("%s, of sequence %d, comes after sequence %d", r, e.Call.Seq, before.Call.Seq), before, e)
		}
	}
	for i := range j.stream.Calls {
		j.judgeHole(&j.stream.Calls[i], last)
	}
}

// judgeHole checks that, where the store lost an append, no later one of the same
// producer was taken.
func (j *judge) judgeHole(e *history.Event, last map[string]*history.Event) {
	c := e.Call
	if !j.opts.MayLoseTail || c.Outcome != history.Landed || c.Producer == "" || len(e.Records) == 0 {
		return
	}
	later := last[c.Producer]
	if _, there := j.places[e.Records[0]]; there || later == nil {
		return
	}
	if later.Call.Epoch == c.Epoch && later.Call.Seq > c.Seq {
		j.report(HonestLoss, e.Who, fmt.Sprintf("sequence %d was lost, and sequence %d taken without a word", c.Seq, later.Call.Seq), e, later)
	}
}
