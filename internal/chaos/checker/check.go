package checker

import (
	"fmt"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// Check judges a run by its events.
func Check(events []history.Event, opts Options) Verdict {
	var all Verdict
	for _, s := range history.Streams(events) {
		all.add(checkStream(&s, opts))
	}
	return all
}

// checkStream judges what happened to one stream.
func checkStream(s *history.Stream, opts Options) Verdict {
	j := newJudge(s, opts)
	if s.Final == nil {
		j.report(Harness, "", "the run did not read the stream at its end")
		return j.verdict
	}
	j.judgeLog()
	j.judgeCalls()
	j.judgeProducers()
	j.judgeClose()
	for i := range s.Followers {
		j.judgeFollower(&s.Followers[i])
	}
	j.judgeForks()
	j.judgeGaps()
	return j.verdict
}

// A judge has the facts about one stream, and what was found.
type judge struct {
	opts   Options
	stream *history.Stream
	// log are the records in the store; places says where each is, from 1.
	log    []string
	places map[string]uint64
	// gone says that the stream was deleted, so that there is no log; recreated
	// that it was deleted, and the log is that of a later one of the name.
	gone, recreated bool
	// sent has the call of each record that anybody tried to append.
	sent map[string]*history.Event
	// alive is what was told of each number of the surviving history.
	alive map[uint64]*witness
	// named is what was told of each offset, in whatever history.
	named map[string]*witness
	// gaps are those that followers were told, forks the runs that ended with one.
	gaps  []toldGap
	forks []run

	verdict Verdict
}

// A witness is the first event that tells which record an offset comes after.
type witness struct {
	offset, record string
	event          *history.Event
}

// A toldGap is a gap and who was told of it.
type toldGap struct {
	who   string
	event *history.Event
}

func newJudge(s *history.Stream, opts Options) *judge {
	j := &judge{
		opts: opts, stream: s,
		places: map[string]uint64{}, sent: map[string]*history.Event{},
		alive: map[uint64]*witness{}, named: map[string]*witness{},
		verdict: Verdict{Streams: 1, Calls: len(s.Calls), Followers: len(s.Followers)},
	}
	for i := range s.Calls {
		for _, r := range s.Calls[i].Records {
			j.sent[r] = &s.Calls[i]
		}
	}
	if s.Final != nil {
		j.log, j.gone = s.Final.Records, s.Final.Gone
		j.recreated = !j.gone && s.Deleted != nil
	}
	return j
}

// report notes a violation.
func (j *judge) report(g Guarantee, who, what string, evidence ...*history.Event) {
	v := Violation{Guarantee: g, Stream: j.stream.Name, Who: who, What: what}
	for _, e := range evidence {
		if e != nil {
			v.Evidence = append(v.Evidence, brief(e))
		}
	}
	j.verdict.Violations = append(j.verdict.Violations, v)
}

// brief returns the event with no more records than a person reads.
func brief(e *history.Event) history.Event {
	const most = 6
	short := *e
	if n := len(e.Records); n > most {
		short.Records = append(append([]string{}, e.Records[:most/2]...), fmt.Sprintf("… %d more …", n-most))
		short.Records = append(short.Records, e.Records[n-most/2:]...)
	}
	return short
}

// judgeLog looks at the log by itself: each record is there once, and somebody
// appended it (guarantee 4).
func (j *judge) judgeLog() {
	final := j.stream.Final
	j.verdict.Records = len(j.log)
	if j.gone {
		if j.stream.Deleted == nil {
			j.report(HonestLoss, "", "the stream does not exist, and nobody deleted it", final)
		}
		return
	}
	if n, err := number(final.Offset); err != nil || n != uint64(len(j.log)) {
		j.report(Harness, "", fmt.Sprintf("the store has %d records and the tail %q", len(j.log), final.Offset), final)
	}
	for i, r := range j.log {
		n := uint64(i) + 1
		if j.sent[r] == nil {
			j.report(ExactlyOnce, "", fmt.Sprintf("record %d is %s, which nobody appended", n, r), final)
		}
		if first, ok := j.places[r]; ok {
			j.report(ExactlyOnce, "", fmt.Sprintf("%s is in the log twice, as records %d and %d", r, first, n), j.sent[r])
			continue
		}
		j.places[r] = n
	}
	if len(j.log) > 0 {
		j.alive[uint64(len(j.log))] = &witness{final.Offset, j.log[len(j.log)-1], final}
	}
}
