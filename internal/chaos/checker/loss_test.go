package checker

import (
	"slices"
	"testing"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// A store that loses its tail, and a fleet that says so: the follower is told of a
// gap, and the producer sends again what it is asked for.
func TestHonestLossIsSound(t *testing.T) {
	m := sound(1)
	kept := len(m.log) - 4
	lost := slices.Clone(m.log[kept:])
	// The follower reads to the tail, is told of the gap, and reads the new tail.
	f := []history.Event{{Kind: history.Opened, Who: "g"}}
	for n := 1; n <= len(m.log); n++ {
		f = append(f, history.Event{Kind: history.Shown, Who: "g", Records: m.log[n-1 : n], Offset: m.offsets[n]})
	}
	old := m.tail()
	renewed := m.offset(kept + 1)
	f = append(f,
		history.Event{Kind: history.Dropped, Who: "g"},
		history.Event{Kind: history.Opened, Who: "g", Offset: old},
		history.Event{Kind: history.Gapped, Who: "g", Offset: old, Resumed: m.offsets[kept], Why: "ahead"},
		history.Event{Kind: history.Shown, Who: "g", Records: []string{"c0.0"}, Offset: renewed},
		history.Event{Kind: history.Ended, Who: "g", Why: m.reason, Offset: renewed},
	)
	m.events = slices.DeleteFunc(m.events, func(e history.Event) bool { return e.Kind != history.Called && e.Who != "" })
	m.insert(len(m.events)-1, f...)
	m.insert(1, history.Event{Kind: history.Called, Who: "c0", Records: []string{"c0.0"}, Offset: renewed, Why: m.reason,
		Call: &history.Call{Producer: "c", Outcome: history.Landed, Atomic: true, Close: m.reason}})
	m.final().Records = append(slices.Clone(m.log[:kept]), "c0.0")
	m.final().Offset = renewed

	v := Check(m.events, Options{MayLoseTail: true})
	for _, v := range v.Violations {
		t.Error(&v)
	}
	if v.Lost == 0 || v.Gaps != 1 {
		t.Errorf("it saw %d losses and %d gaps", v.Lost, v.Gaps)
	}
	// Where nothing may be lost, the same is one violation after another.
	if v := Check(m.events, Options{}); len(v.Violations) < len(lost)/2 {
		t.Errorf("only %v", v.Violations)
	}
	// What was shown before the fork is held against the log all the same.
	for i := range m.events {
		if e := &m.events[i]; e.Who == "g" && e.Kind == history.Shown && e.Records[0] == m.log[1] {
			e.Records = []string{m.log[kept-1]}
		}
	}
	if v := Check(m.events, Options{MayLoseTail: true}); len(v.Violations) == 0 {
		t.Error("a wrong record before the fork was not found")
	}
}

// A stream that is deleted while it is followed.
func TestDeletedStream(t *testing.T) {
	m := sound(2)
	tail := m.tail()
	*m.final() = history.Event{Kind: history.Final, Stream: stream, Gone: true}
	m.insert(len(m.events)-1,
		history.Event{Kind: history.Opened, Who: "g"},
		history.Event{Kind: history.Shown, Who: "g", Records: m.log, Offset: tail},
		history.Event{Kind: history.Deleted},
		history.Event{Kind: history.Gapped, Who: "g", Offset: tail, Resumed: "-1", Why: "deleted"},
		history.Event{Kind: history.Dropped, Who: "g"},
		history.Event{Kind: history.Opened, Who: "g", Offset: "-1"},
		history.Event{Kind: history.Gapped, Who: "g", Offset: tail, Resumed: "-1", Why: "unknown"},
		history.Event{Kind: history.Ended, Who: "g", Offset: tail, Why: "unknown"},
	)
	for _, v := range Check(m.events, Options{}).Violations {
		t.Error(&v)
	}
	m.remove(len(m.events)-6, 4)
	if v := Check(m.events, Options{}); len(v.Violations) != 1 || v.Violations[0].Guarantee != HonestLoss {
		t.Errorf("an end without a gap: %v", v.Violations)
	}
}

// A stream that is deleted and created again: who comes from the earlier one is
// told of a gap.
func TestRecreatedStream(t *testing.T) {
	m := sound(3)
	former := m.offset(2)
	m.insert(1,
		history.Event{Kind: history.Called, Who: "x0", Records: []string{"x0.0", "x0.1"}, Offset: former,
			Call: &history.Call{Producer: "x", Outcome: history.Landed, Atomic: true}},
		history.Event{Kind: history.Opened, Who: "g"},
		history.Event{Kind: history.Shown, Who: "g", Records: []string{"x0.0", "x0.1"}, Offset: former},
		history.Event{Kind: history.Deleted, At: 1},
	)
	gap := history.Event{Kind: history.Gapped, Who: "g", Offset: former, Resumed: m.offsets[0], Why: "diverged"}
	m.insert(len(m.events)-1, gap,
		history.Event{Kind: history.Shown, Who: "g", Records: m.log, Offset: m.tail()},
		history.Event{Kind: history.Ended, Who: "g", Offset: m.tail(), Why: m.reason},
	)
	for _, v := range Check(m.events, Options{}).Violations {
		t.Error(&v)
	}
	// Without the gap it is a restart; without the restart, a foreign history.
	i := len(m.events) - 4
	if m.events[i].Kind != history.Gapped {
		t.Fatal("this is not the gap")
	}
	m.remove(i, 1)
	if v := Check(m.events, Options{}); len(v.Violations) != 1 {
		t.Errorf("a silent restart: %v", v.Violations)
	}
	m.events[i].Records = m.log[2:]
	if v := Check(m.events, Options{}); len(v.Violations) != 1 || v.Violations[0].Guarantee != HonestLoss {
		t.Errorf("a silent change of history: %v", v.Violations)
	}
}
