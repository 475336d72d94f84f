package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

const stream = "s/1"

// A maker makes up the history of a run in which every guarantee was kept.
type maker struct {
	rng    *rand.Rand
	events []history.Event
	log    []string
	// offsets has that of each number, from 0.
	offsets []string
	reason  string
}

// sound returns the history of a stream with two producers, of which one is
// fenced by its successor, followers that were cut many times, one that came
// late, and one that left.
func sound(seed uint64) *maker {
	m := &maker{rng: rand.New(rand.NewPCG(seed, 0)), reason: "completed"}
	m.offsets = []string{m.offset(0)}
	m.add(history.Event{Kind: history.Created})
	m.produce("a", 0, 12)
	m.produce("b", 0, 12)
	m.produce("a", 1, 12)
	m.call(history.Call{Producer: "a", Epoch: 0, Seq: 12, Atomic: true, Outcome: history.Rejected, Code: "fenced"}, "a0.late")
	m.close()
	for f := range 4 {
		m.follow(fmt.Sprintf("f%d", f))
	}
	m.add(history.Event{Kind: history.Final, Records: slices.Clone(m.log), Offset: m.tail(), Why: m.reason})
	return m
}

func (m *maker) add(e history.Event) {
	e.Stream = stream
	e.At = time.Duration(len(m.events)) * time.Millisecond
	m.events = append(m.events, e)
}

func (m *maker) offset(n int) string {
	return freshet.Offset{Seq: uint64(n), Mark: freshet.Mark(m.rng.Uint64())}.String()
}

func (m *maker) tail() string { return m.offsets[len(m.offsets)-1] }

func (m *maker) call(c history.Call, records ...string) {
	c.Began = time.Duration(len(m.events)) * time.Millisecond
	e := history.Event{Kind: history.Called, Who: fmt.Sprintf("%s%d", c.Producer, c.Epoch), Records: records, Call: &c}
	if c.Outcome == history.Landed {
		m.log = append(m.log, records...)
		for range records {
			m.offsets = append(m.offsets, m.offset(len(m.offsets)))
		}
		e.Offset = m.tail()
		if c.Close != "" {
			e.Why = m.reason
		}
	}
	m.add(e)
}

func (m *maker) produce(id string, epoch uint64, calls int) {
	n := 0
	for seq := range calls {
		var records []string
		for range 1 + m.rng.IntN(3) {
			records = append(records, fmt.Sprintf("%s%d.%d", id, epoch, n))
			n++
		}
		m.call(history.Call{Producer: id, Epoch: epoch, Seq: uint64(seq), Atomic: true, Outcome: history.Landed, Tries: 1}, records...)
	}
}

func (m *maker) close() {
	m.call(history.Call{Producer: "b", Seq: 12, Atomic: true, Close: m.reason, Outcome: history.Landed}, "b0.last")
}

// follow is a follower that reads the log to its end, in pieces and over several
// connections, and comes back after the end.
func (m *maker) follow(who string) {
	at := 0
	cursor := ""
	for at < len(m.log) {
		m.add(history.Event{Kind: history.Opened, Who: who, Via: "sse", Offset: cursor})
		cursor = m.offsets[at]
		m.add(history.Event{Kind: history.Placed, Who: who, Offset: cursor})
		for range 1 + m.rng.IntN(6) {
			to := min(at+1+m.rng.IntN(3), len(m.log))
			if to == at {
				break
			}
			m.add(history.Event{Kind: history.Shown, Who: who, Offset: m.offsets[to], Records: slices.Clone(m.log[at:to])})
			at, cursor = to, m.offsets[to]
			m.add(history.Event{Kind: history.Tail, Who: who, Offset: m.tail()})
		}
		m.add(history.Event{Kind: history.Dropped, Who: who, Why: "cut"})
	}
	for range 2 {
		m.add(history.Event{Kind: history.Opened, Who: who, Via: "sse", Offset: cursor})
		m.add(history.Event{Kind: history.Ended, Who: who, Why: m.reason, Offset: m.tail()})
		m.add(history.Event{Kind: history.Dropped, Who: who})
	}
	m.add(history.Event{Kind: history.Opened, Who: who, Via: "sse", Offset: cursor + "-end"})
	m.add(history.Event{Kind: history.Refused, Who: who})
}

func TestSoundHistoryIsSound(t *testing.T) {
	for seed := range uint64(20) {
		m := sound(seed)
		for _, opts := range []Options{{}, {MayLoseTail: true}} {
			v := Check(m.events, opts)
			for _, v := range v.Violations {
				t.Errorf("seed %d: %v", seed, &v)
			}
			if v.Records != len(m.log) || v.Followers != 4 || v.Ends != 8 {
				t.Errorf("seed %d: it checked %+v", seed, v)
			}
		}
	}
}

// find returns the index of one of the events that fit, chosen by the seed.
func (m *maker) find(t *testing.T, fits func(i int, e *history.Event) bool) int {
	t.Helper()
	var found []int
	for i := range m.events {
		if fits(i, &m.events[i]) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		t.Fatal("the history has no place for the bug")
	}
	return found[m.rng.IntN(len(found))]
}

// shown returns the index of what a follower was shown, with what it was shown
// next on the same connection at i+2.
func (m *maker) shown(t *testing.T) int {
	t.Helper()
	return m.find(t, func(i int, e *history.Event) bool {
		return e.Kind == history.Shown && i+2 < len(m.events) && m.events[i+2].Kind == history.Shown
	})
}

// of returns the index of an event of a kind.
func (m *maker) of(t *testing.T, kind history.Kind) int {
	t.Helper()
	return m.find(t, func(_ int, e *history.Event) bool { return e.Kind == kind })
}

// landed returns the index of an acknowledged append of two records and more.
func (m *maker) landed(t *testing.T) int {
	t.Helper()
	return m.find(t, func(_ int, e *history.Event) bool {
		return e.Kind == history.Called && e.Call.Outcome == history.Landed && len(e.Records) > 1
	})
}

func (m *maker) final() *history.Event { return &m.events[len(m.events)-1] }

func (m *maker) remove(i, n int) { m.events = slices.Delete(m.events, i, i+n) }

func (m *maker) insert(i int, e ...history.Event) {
	for k := range e {
		e[k].Stream = stream
	}
	m.events = slices.Insert(m.events, i, e...)
}
