package freshet

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// The rules of judging are tested against the suite's model, by every store
// (storetest). Here is what a store cannot show.

func newTestState(t *testing.T, spec Spec, now time.Time) *State {
	t.Helper()
	s, change, err := NewState("s", Creation{Spec: spec, Nonce: NewNonce()}, now)
	if err != nil {
		t.Fatalf("new state: %v", err)
	}
	s.Apply(change)
	return s
}

func TestJudgeDoesNotAlterTheState(t *testing.T) {
	now := time.Now()
	s := newTestState(t, Spec{}, now)
	before := s.Info
	c := s.Judge(Call{Nonce: NewNonce(), Appends: []Append{
		{Records: []Record{{Data: []byte("a")}}, Producer: &Producer{ID: "p"}, StreamSeq: "1", Meta: []byte("m"), Close: &Closing{}},
	}}, now)
	if c.IsNone() || s.Info.Tail != before.Tail || s.Info.Closed != nil || s.Info.Meta != nil || len(s.Producers) != 0 || s.StreamSeq != "" {
		t.Fatalf("the state has become %+v", s)
	}
}

func TestJudgeKeepsNothingOfTheCaller(t *testing.T) {
	now := time.Now()
	s := newTestState(t, Spec{}, now)
	p, meta, detail := &Producer{ID: "p"}, []byte("meta"), []byte("detail")
	s.Apply(s.Judge(Call{Nonce: NewNonce(), Appends: []Append{{Producer: p, Meta: meta, Close: &Closing{Detail: detail}}}}, now))
	p.ID, meta[0], detail[0] = "x", 'x', 'x'
	if c := s.Info.Closed; c.By.ID != "p" || string(c.Detail) != "detail" || string(s.Info.Meta) != "meta" {
		t.Fatalf("the state has become %+v, closed %+v", s.Info, c)
	}
}

func TestIsNone(t *testing.T) {
	now := time.Now()
	s := newTestState(t, Spec{}, now)
	landed := Call{Nonce: NewNonce(), Appends: []Append{{Records: []Record{{Data: []byte("a")}}, Producer: &Producer{ID: "p"}}}}
	c := s.Judge(landed, now)
	if c.IsNone() {
		t.Error("a call that lands is none")
	}
	s.Apply(c)
	if c := s.Judge(landed, now); !c.IsNone() || c.Results[0].Duplicate {
		t.Errorf("the same call again: %+v", c)
	}
	for name, a := range map[string]Append{
		"a duplicate": {Producer: &Producer{ID: "p"}, Close: &Closing{}},
		"a refusal":   {ContentType: "text/plain", Close: &Closing{}},
	} {
		if c := s.Judge(Call{Nonce: NewNonce(), Appends: []Append{a}}, now); !c.IsNone() {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Each new producer takes the place of another idle one, and one that was
// forgotten may come back in the same call.
func TestForgettingProducers(t *testing.T) {
	now := time.Now()
	s := newTestState(t, Spec{}, now)
	for i := range MaxProducers {
		s.Producers[fmt.Sprint(i)] = ProducerState{Epoch: 5, Last: now.Add(-2*producerIdle + time.Duration(i)*time.Second)}
	}
	call := Call{Nonce: NewNonce()}
	for _, id := range []string{"new1", "new2", "0"} {
		call.Appends = append(call.Appends, Append{Lease: 1, Producer: &Producer{ID: id}})
	}
	c := s.Judge(call, now)
	for i, r := range c.Results {
		if r.Err != nil {
			t.Errorf("append %d: %v", i, r.Err)
		}
	}
	s.Apply(c)
	if len(s.Producers) != MaxProducers {
		t.Errorf("%d producers are remembered", len(s.Producers))
	}
	if back, ok := s.Producers["0"]; !ok || back.Epoch != 0 {
		t.Errorf("the one that came back: %+v, %v", back, ok)
	}
	for _, id := range []string{"1", "2"} {
		if _, ok := s.Producers[id]; ok {
			t.Errorf("%s, idle longest, is remembered", id)
		}
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	closed := &Closure{At: now.Add(time.Hour)}
	for name, c := range map[string]struct {
		info Info
		want time.Time
	}{
		"none":               {Info{}, time.Time{}},
		"at a time":          {Info{Spec: Spec{Expires: now, KeepOpen: 1}}, now},
		"sliding":            {Info{Spec: Spec{TTL: time.Minute, KeepOpen: 1}, Touched: now}, now.Add(time.Minute)},
		"open":               {Info{Spec: Spec{KeepOpen: time.Minute, KeepClosed: time.Hour}, Appended: now}, now.Add(time.Minute)},
		"closed":             {Info{Spec: Spec{KeepOpen: time.Minute, KeepClosed: time.Hour}, Appended: now, Closed: closed}, now.Add(2 * time.Hour)},
		"closed, kept by no": {Info{Spec: Spec{KeepOpen: time.Minute}, Appended: now, Closed: closed}, time.Time{}},
	} {
		if got := c.info.Expiry(); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if !c.want.IsZero() && (c.info.Expired(c.want.Add(-1)) || !c.info.Expired(c.want)) {
			t.Errorf("%s: expired not at its expiry", name)
		}
	}
}

func TestLocateAfterTrimming(t *testing.T) {
	info := Info{Oldest: Offset{Seq: 5, Mark: 50}, Tail: Offset{Seq: 9, Mark: 90}}
	mark := func(seq uint64) (Mark, error) { return Mark(seq * 10), nil }
	for from, want := range map[Offset]Offset{{}: info.Oldest, {Seq: 5, Mark: 50}: {Seq: 5, Mark: 50}, {Seq: 7, Mark: 70}: {Seq: 7, Mark: 70}, {Seq: 9, Mark: 90}: info.Tail} {
		if got, err := info.Locate(from, mark); err != nil || got != want {
			t.Errorf("%v: %v, %v", from, got, err)
		}
	}
	for from, why := range map[Offset]string{
		{Seq: 0, Mark: 1}: GapTrimmed, {Seq: 4, Mark: 40}: GapTrimmed, {Seq: 5, Mark: 51}: GapDiverged, {Seq: 6, Mark: 70}: GapDiverged,
		{Seq: 9, Mark: 91}: GapDiverged, {Seq: 10, Mark: 90}: GapAhead,
	} {
		var gap *GapError
		if _, err := info.Locate(from, mark); !errors.As(err, &gap) || gap.Why != why || gap.Oldest != info.Oldest || gap.Tail != info.Tail {
			t.Errorf("%v: %v, want %s", from, err, why)
		}
	}
	lost := errors.New("lost")
	if _, err := info.Locate(Offset{Seq: 6, Mark: 60}, func(uint64) (Mark, error) { return 0, lost }); !errors.Is(err, lost) {
		t.Errorf("an error on the way: %v", err)
	}
}
