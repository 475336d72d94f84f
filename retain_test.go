package freshet

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseRetain(t *testing.T) {
	for s, want := range map[string]Retain{
		"records=1":                             {Records: 1},
		"bytes=1048576":                         {Bytes: 1 << 20},
		"age=3600":                              {Age: time.Hour},
		"age=60,records=9007199254740991":       {Age: time.Minute, Records: 1<<53 - 1},
		"bytes=7 ,\trecords=5,  age=3153600000": {Bytes: 7, Records: 5, Age: 100 * 365 * 24 * time.Hour},
	} {
		got, err := ParseRetain(s)
		if err != nil || got != want {
			t.Errorf("%q gives %+v, %v; want %+v", s, got, err, want)
		}
		if again, err := ParseRetain(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which gives %+v, %v", s, got.String(), again, err)
		}
	}
	if s := (Retain{}).String(); s != "" {
		t.Errorf("no bounds are written as %q", s)
	}
}

func TestParseRetainRefuses(t *testing.T) {
	for s, says := range map[string]string{
		"":                         "no bound",
		",":                        "no bound",
		"records":                  "whole number",
		"records=":                 "whole number",
		"records=0":                "whole number",
		"records=+1":               "whole number",
		"records=01":               "whole number",
		"records=1.0":              "whole number",
		"records=1e3":              "whole number",
		"records = 1":              "no bound",
		"records=9007199254740992": "2^53-1",
		"bytes=-1":                 "whole number",
		"bytes=1MB":                "whole number",
		"age=1h":                   "seconds",
		"age=3153600001":           "hundred years",
		"Records=1":                "no bound",
		"messages=1":               "messages",
		"records=1;bytes=2":        "whole number",
		"records=1, records=1":     "twice",
		"records=1,":               "no bound",
	} {
		if got, err := ParseRetain(s); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q gives %+v, %v; want an error that says %q", s, got, err, says)
		}
	}
}

// What stores do with Trim is in storetest. Here is what it asks of them.
func TestTrimAsksForNothingItDoesNotNeed(t *testing.T) {
	asked := 0
	next := func() (Span, error) {
		asked++
		return Span{Last: Offset{Seq: uint64(asked)}, Bytes: 1}, nil
	}
	info := Info{Spec: Spec{Retain: Retain{Records: 2, Bytes: 5}}, Tail: Offset{Seq: 2}, Bytes: 5}
	if err := info.Trim(next); err != nil || asked > 0 {
		t.Errorf("%d spans are asked for of a stream within its bounds; %v", asked, err)
	}
	info.Tail.Seq, info.Bytes = 5, 5
	if err := info.Trim(next); err != nil || asked != 3 || info.Oldest.Seq != 3 || info.Bytes != 2 {
		t.Errorf("%d spans are asked for and the stream begins at %v with %d bytes; %v", asked, info.Oldest, info.Bytes, err)
	}
	broken := errors.New("broken")
	info.Tail.Seq = 6
	if err := info.Trim(func() (Span, error) { return Span{}, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestDeadlineIsTheEarliest(t *testing.T) {
	now := time.Now()
	info := Info{Spec: Spec{Retain: Retain{Age: time.Minute}, Expires: now.Add(time.Hour)}, OldestAt: now, Lease: now.Add(2 * time.Minute)}
	if at := info.Deadline(); !at.Equal(now.Add(time.Minute)) {
		t.Errorf("with old records: %v", at.Sub(now))
	}
	info.OldestAt = time.Time{}
	if at := info.Deadline(); !at.Equal(now.Add(2 * time.Minute)) {
		t.Errorf("with a lease: %v", at.Sub(now))
	}
	info.Closed = &Closure{}
	if at := info.Deadline(); !at.Equal(now.Add(time.Hour)) {
		t.Errorf("closed: %v", at.Sub(now))
	}
	info.Spec.Expires = time.Time{}
	if at := info.Deadline(); !at.IsZero() {
		t.Errorf("without any: %v", at)
	}
}
