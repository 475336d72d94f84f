package freshet

import (
	"errors"
	"testing"
	"time"
)

// Guarantee 4, for producers that count records: whatever part of a body is sent
// again, in whatever pieces, each record lands once.
func TestProducersThatCountRecords(t *testing.T) {
	s, _, err := NewState("s", Creation{Nonce: NewNonce()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var content string
	send := func(seq uint64, data string, a Append) Result {
		t.Helper()
		for _, c := range data {
			a.Records = append(a.Records, Record{Data: []byte(string(c))})
		}
		a.Producer, a.PerRecord = &Producer{ID: "p", Seq: seq}, true
		if err := a.Validate(Limits{}); err != nil {
			t.Fatal(err)
		}
		change := s.Judge(Call{Nonce: NewNonce(), Appends: []Append{a}}, time.Now())
		for _, r := range change.Records {
			content += string(r.Data)
		}
		if !change.IsNone() {
			s.Apply(change)
		}
		return change.Results[0]
	}
	if r := send(1, "b", Append{}); !errors.Is(r.Err, ErrSequence) || r.Expected() != 0 {
		t.Errorf("beginning at 1 gives %+v", r)
	}
	if r := send(0, "abc", Append{}); r.Err != nil || r.Duplicate || r.Seq != 2 {
		t.Errorf("the first piece gives %+v", r)
	}
	if r := send(0, "abc", Append{}); r.Err != nil || !r.Duplicate {
		t.Errorf("the first piece again gives %+v", r)
	}
	if r := send(1, "bcde", Append{}); r.Err != nil || r.Duplicate || r.Seq != 4 || r.Tail.Seq-r.From.Seq != 2 {
		t.Errorf("a piece that overlaps gives %+v", r)
	}
	if r := send(6, "g", Append{}); !errors.Is(r.Err, ErrSequence) || r.Expected() != 5 {
		t.Errorf("a piece that skips gives %+v", r)
	}
	if r := send(3, "def", Append{Close: &Closing{Reason: Completed}}); r.Err != nil || r.Closed == nil {
		t.Errorf("the last piece gives %+v", r)
	}
	for _, data := range []string{"abcdef", "abc"} {
		if r := send(0, data, Append{}); r.Err != nil || !r.Duplicate {
			t.Errorf("%s after the end gives %+v", data, r)
		}
	}
	if r := send(5, "fg", Append{}); !errors.Is(r.Err, ErrClosed) {
		t.Errorf("more after the end gives %+v", r)
	}
	if content != "abcdef" {
		t.Errorf("the stream is %q", content)
	}
}
