package checker

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// Each bug is planted into histories in which nothing else is wrong, and has to
// be found under the number of the guarantee that it breaks.
func TestPlantedBugsAreFound(t *testing.T) {
	for _, bug := range []struct {
		name  string
		want  Guarantee
		lossy bool
		plant func(t *testing.T, m *maker)
	}{
		{"a record dropped", NoGapsNoDuplicates, false, func(t *testing.T, m *maker) {
			m.remove(m.shown(t), 2)
		}},
		{"a record dropped from the middle of a piece", NoGapsNoDuplicates, false, func(t *testing.T, m *maker) {
			e := &m.events[m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Shown && len(e.Records) > 1 })]
			e.Records = e.Records[1:]
		}},
		{"a record doubled", NoGapsNoDuplicates, false, func(t *testing.T, m *maker) {
			i := m.shown(t)
			m.insert(i, m.events[i])
		}},
		{"two events swapped", NoGapsNoDuplicates, false, func(t *testing.T, m *maker) {
			i := m.shown(t)
			m.events[i], m.events[i+2] = m.events[i+2], m.events[i]
		}},
		{"two records swapped under their offsets", Order, false, func(t *testing.T, m *maker) {
			e := &m.events[m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Shown && len(e.Records) > 1 })]
			slices.Reverse(e.Records)
		}},
		{"a record that was never appended", CommittedFirst, false, func(t *testing.T, m *maker) {
			m.events[m.shown(t)].Records[0] = "ghost"
		}},
		{"a record shown and not in the store", CommittedFirst, false, func(t *testing.T, m *maker) {
			m.drop(1)
			m.events[m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Called && e.Call.Close != "" })].Call.Outcome = history.Unknown
		}},
		{"another offset for a record", Order, false, func(t *testing.T, m *maker) {
			i := m.find(t, func(i int, e *history.Event) bool {
				return e.Kind == history.Shown && e.Offset != m.tail() && slices.ContainsFunc(m.events, func(o history.Event) bool {
					return o.Kind == history.Shown && o.Offset == e.Offset && o.Who != e.Who
				})
			})
			n, _ := number(m.events[i].Offset)
			old, other := m.events[i].Offset, m.offset(int(n))
			for k := range m.events {
				if e := &m.events[k]; e.Who == m.events[i].Who && e.Offset == old {
					e.Offset = other
				}
			}
		}},
		{"a tail behind what was shown", CommittedFirst, false, func(t *testing.T, m *maker) {
			i := m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Tail })
			n, _ := number(m.events[i-1].Offset)
			m.events[i].Offset = m.offsets[n-1]
		}},
		{"an end lost", EndIsEnd, false, func(t *testing.T, m *maker) {
			who := m.events[m.of(t, history.Ended)].Who
			m.events = slices.DeleteFunc(m.events, func(e history.Event) bool {
				return e.Who == who && (e.Kind == history.Ended || e.Kind == history.Refused)
			})
			m.insert(len(m.events)-1, history.Event{Kind: history.GaveUp, Who: who, Why: "nothing but heartbeats"})
		}},
		{"an end told twice", EndIsEnd, false, func(t *testing.T, m *maker) {
			i := m.of(t, history.Ended)
			m.insert(i, m.events[i])
		}},
		{"an end with another reason", EndIsEnd, false, func(t *testing.T, m *maker) {
			m.events[m.of(t, history.Ended)].Why = "cancelled"
		}},
		{"an end before the last record", NoGapsNoDuplicates, false, func(t *testing.T, m *maker) {
			i := m.shown(t)
			m.insert(i, history.Event{Kind: history.Ended, Who: m.events[i].Who, Why: m.reason, Offset: m.tail()})
		}},
		{"a record after the end", EndIsEnd, false, func(t *testing.T, m *maker) {
			i := m.of(t, history.Ended)
			m.insert(i+1, history.Event{Kind: history.Shown, Who: m.events[i].Who, Records: []string{"b0.last"}, Offset: m.offset(len(m.log) + 1)})
		}},
		{"a stream closed for a reason that nobody gave", EndIsEnd, false, func(t *testing.T, m *maker) {
			m.reasonIs("failed")
		}},
		{"a close that is not with its append", EndIsEnd, false, func(t *testing.T, m *maker) {
			m.call(history.Call{Outcome: history.Landed, Close: "failed"})
			last := len(m.events) - 1
			m.events[last], m.events[last-1] = m.events[last-1], m.events[last]
			m.reasonIs("failed")
		}},
		{"a stream interrupted early", EndIsEnd, false, func(t *testing.T, m *maker) {
			m.reasonIs("interrupted")
			i := m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Called && e.Call.Close != "" })
			m.events[i].Call.Close = ""
			m.events[0].Lease = time.Hour
		}},
		{"a 204 without an end", EndIsEnd, false, func(t *testing.T, m *maker) {
			i := m.shown(t)
			m.insert(i, history.Event{Kind: history.Refused, Who: m.events[i].Who})
		}},
		{"a silent gap", NoGapsNoDuplicates, false, func(t *testing.T, m *maker) {
			// What was to come before the drop is not shown, and not after it either.
			i := m.find(t, func(i int, e *history.Event) bool {
				return e.Kind == history.Dropped && m.events[i-2].Kind == history.Shown && m.events[i+3].Kind == history.Shown
			})
			m.remove(i-2, 2)
			m.remove(i+1-2, 1) // the position that is told on coming back
			m.events[i-1].Offset = m.before(i-1, m.events[i-1].Who)
		}},
		{"a restart", HonestLoss, false, func(t *testing.T, m *maker) {
			i := m.find(t, func(i int, e *history.Event) bool {
				return e.Kind == history.Opened && e.Offset != "" && m.events[i+1].Kind == history.Placed
			})
			m.remove(i+1, 1)
			m.insert(i+1, history.Event{Kind: history.Shown, Who: m.events[i].Who, Records: m.log[:1], Offset: m.offsets[1]})
		}},
		{"a restart at a told beginning", HonestLoss, false, func(t *testing.T, m *maker) {
			i := m.find(t, func(i int, e *history.Event) bool {
				return e.Kind == history.Placed && m.events[i-1].Offset != ""
			})
			m.events[i].Offset = m.offsets[0]
		}},
		{"a gap where nothing was lost", NoGapsNoDuplicates, false, func(t *testing.T, m *maker) { m.falseGap(t) }},
		{"a gap at an offset that survived", NoGapsNoDuplicates, true, func(t *testing.T, m *maker) { m.falseGap(t) }},
		{"an acknowledged append lost", ExactlyOnce, false, func(t *testing.T, m *maker) {
			i := m.landed(t)
			e := m.events[i]
			e.Records = []string{"x0.0", "x0.1"}
			e.Call = &history.Call{Producer: "x", Outcome: history.Landed, Atomic: true}
			m.insert(i, e)
		}},
		{"an append landed twice", ExactlyOnce, false, func(t *testing.T, m *maker) {
			i := m.landed(t)
			m.final().Records = append(m.final().Records, m.events[i].Records...)
			m.final().Offset = m.offset(len(m.final().Records))
		}},
		{"an append torn", ExactlyOnce, false, func(t *testing.T, m *maker) {
			i := m.landed(t)
			m.events[i].Call.Outcome = history.Unknown
			m.events[i].Records = append(m.events[i].Records, "never")
		}},
		{"an append rejected and in the log", ExactlyOnce, false, func(t *testing.T, m *maker) {
			m.events[m.landed(t)].Call.Outcome = history.Rejected
		}},
		{"an append answered with another tail", ExactlyOnce, false, func(t *testing.T, m *maker) {
			e := &m.events[m.landed(t)]
			n, _ := number(e.Offset)
			e.Offset = m.offset(int(n) + 1)
		}},
		{"a fenced producer that lands", ExactlyOnce, false, func(t *testing.T, m *maker) {
			e := &m.events[m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Called && e.Call.Code == "fenced" })]
			e.Call.Outcome, e.Call.Code = history.Unknown, ""
			last := len(m.log) - 1
			m.final().Records[last] = e.Records[0]
		}},
		{"a producer forgotten", ExactlyOnce, false, func(t *testing.T, m *maker) {
			m.events[m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Called && e.Call.Code == "fenced" })].Call.Code = sequenceGap
		}},
		{"a loss that only some were told", HonestLoss, true, func(t *testing.T, m *maker) {
			m.drop(1)
			m.events[m.find(t, func(_ int, e *history.Event) bool { return e.Kind == history.Called && e.Call.Close != "" })].Call.Close = ""
			m.final().Why = ""
		}},
		{"a loss that the producer was not told", HonestLoss, true, func(t *testing.T, m *maker) {
			i := m.find(t, func(_ int, e *history.Event) bool {
				return e.Kind == history.Called && e.Call.Producer == "b" && e.Call.Seq < 11
			})
			lost := m.events[i].Records
			m.events = slices.DeleteFunc(m.events, func(e history.Event) bool { return e.Who != "" && e.Call == nil })
			m.final().Records = slices.DeleteFunc(m.final().Records, func(r string) bool { return slices.Contains(lost, r) })
			m.final().Offset = m.offset(len(m.final().Records))
		}},
		{"a stream that is gone", HonestLoss, false, func(t *testing.T, m *maker) {
			*m.final() = history.Event{Kind: history.Final, Stream: stream, Gone: true}
		}},
		{"a follower that asks for what it was not given", Harness, false, func(t *testing.T, m *maker) {
			m.events[m.of(t, history.Opened)].Offset = m.offset(3)
		}},
	} {
		t.Run(bug.name, func(t *testing.T) {
			for seed := range uint64(8) {
				m := sound(seed)
				bug.plant(t, m)
				if reflect.DeepEqual(m.events, sound(seed).events) {
					t.Fatalf("seed %d: nothing was planted", seed)
				}
				v := Check(m.events, Options{MayLoseTail: bug.lossy})
				if !slices.ContainsFunc(v.Violations, func(v Violation) bool { return v.Guarantee == bug.want }) {
					t.Errorf("seed %d: not found; %d others are: %+v", seed, len(v.Violations), v.Violations)
				}
			}
		})
	}
}

// drop takes the last n records out of the store.
func (m *maker) drop(n int) {
	f := m.final()
	f.Records = f.Records[:len(f.Records)-n]
	f.Offset = m.offsets[len(f.Records)]
}

// reasonIs lets everybody agree that the stream is closed for a reason.
func (m *maker) reasonIs(reason string) {
	for i := range m.events {
		if e := &m.events[i]; e.Why == m.reason {
			e.Why = reason
		}
	}
}

// before returns where a follower was before an event.
func (m *maker) before(i int, who string) string {
	for i--; i >= 0; i-- {
		if e := &m.events[i]; e.Who == who && e.Offset != "" && (e.Kind == history.Shown || e.Kind == history.Placed) {
			return e.Offset
		}
	}
	return ""
}

// falseGap tells a follower of a gap, takes it back to where it was, and goes on
// as before.
func (m *maker) falseGap(t *testing.T) {
	t.Helper()
	i := m.find(t, func(i int, e *history.Event) bool {
		return e.Kind == history.Placed && m.events[i-1].Offset != "" && m.events[i+1].Kind == history.Shown
	})
	at := m.events[i].Offset
	m.events[i] = history.Event{Kind: history.Gapped, Stream: stream, Who: m.events[i].Who, Offset: at, Resumed: at, Why: "diverged"}
}
