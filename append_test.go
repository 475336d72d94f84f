package freshet

import (
	"errors"
	"strings"
	"testing"
)

func TestParseProducer(t *testing.T) {
	if p, err := ParseProducer("", "", "", 0); p != nil || err != nil {
		t.Errorf("no headers: %v, %v", p, err)
	}
	if p, err := ParseProducer("p", "9007199254740991", "0", 3); err != nil || *p != (Producer{"p", MaxProducerNumber, 0}) {
		t.Errorf("the largest epoch: %v, %v", p, err)
	}
	for _, c := range []struct {
		id, epoch, seq string
		present        int
	}{
		{"p", "", "", 1}, {"p", "0", "", 2}, {"", "0", "0", 3}, {"p", "", "0", 3}, {"p", "0", "-1", 3}, {"p", "+1", "0", 3},
		{"p", "1.0", "0", 3}, {"p", "0x1", "0", 3}, {"p", "9007199254740992", "0", 3}, {"p", "0", "99999999999999999999", 3},
		{strings.Repeat("p", MaxProducerIDBytes+1), "0", "0", 3},
	} {
		if p, err := ParseProducer(c.id, c.epoch, c.seq, c.present); !errors.Is(err, ErrProducer) {
			t.Errorf("%+v: %v, %v; want it refused", c, p, err)
		}
	}
}

func TestAppendValidate(t *testing.T) {
	limits := Limits{Record: 20, Append: 45}
	full := Record{Type: "type", ID: "id", Data: []byte("12345678901234")}
	for name, c := range map[string]struct {
		append Append
		want   error
	}{
		"nothing":             {Append{}, ErrEmpty},
		"a producer alone":    {Append{Producer: &Producer{ID: "p"}}, ErrEmpty},
		"a close":             {Append{Close: &Closing{}}, nil},
		"a lease":             {Append{Lease: 1}, nil},
		"empty meta":          {Append{Meta: []byte{}}, nil},
		"the largest record":  {Append{Records: []Record{full}}, nil},
		"a larger record":     {Append{Records: []Record{{Data: make([]byte, 21)}}}, ErrTooLarge},
		"the largest append":  {Append{Records: []Record{full, full, {Data: make([]byte, 5)}}}, nil},
		"a larger append":     {Append{Records: []Record{full, full, {Data: make([]byte, 6)}}}, ErrTooLarge},
		"our own end":         {Append{Records: []Record{{Type: TypeClosed}}}, ErrRecord},
		"our own gap":         {Append{Records: []Record{{Type: TypeGap}}}, ErrRecord},
		"a type of two lines": {Append{Records: []Record{{Type: "a\nb"}}}, ErrRecord},
		"a type with CR":      {Append{Records: []Record{{Type: "a\r"}}}, ErrRecord},
		"much meta":           {Append{Meta: make([]byte, MaxMetaBytes+1)}, ErrTooLarge},
		"much detail":         {Append{Close: &Closing{Detail: make([]byte, MaxDetailBytes+1)}}, ErrTooLarge},
		"no such reason":      {Append{Close: &Closing{Reason: "tired"}}, ErrReason},
		"a long Stream-Seq":   {Append{Close: &Closing{}, StreamSeq: strings.Repeat("9", maxStreamSeqBytes+1)}, ErrStale},
		"a negative lease":    {Append{Close: &Closing{}, Lease: -1}, ErrSpec},
		"a bad producer":      {Append{Close: &Closing{}, Producer: &Producer{}}, ErrProducer},
	} {
		if err := c.append.Validate(limits); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	big := Append{Records: []Record{{Data: make([]byte, 16<<20)}}}
	if err := big.Validate(Limits{}); err != nil {
		t.Errorf("16 MiB by default: %v", err)
	}
	big.Records[0].ID = "x"
	if err := big.Validate(Limits{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a byte more than 16 MiB: %v", err)
	}
}

func TestErrorByCode(t *testing.T) {
	for _, want := range sentinels {
		if got := ErrorByCode(want.Code); got != error(want) {
			t.Errorf("%s: %v", want.Code, got)
		}
	}
	if err := ErrorByCode(""); err != nil {
		t.Errorf("no code: %v", err)
	}
	var e *Error
	if err := ErrorByCode("later"); !errors.As(err, &e) || e.Code != "later" {
		t.Errorf("an unknown code: %v", err)
	}
	if err := ErrClosed.With("in other words"); !errors.Is(err, ErrClosed) || errors.Is(err, ErrStale) {
		t.Errorf("%v is not told by its code", err)
	}
}

func TestLimitTakes(t *testing.T) {
	for _, c := range []struct {
		limit         Limit
		n, size, next int
		want          bool
	}{
		{Limit{}, 1000, 1 << 30, 1 << 30, true},
		{Limit{Records: 1, Bytes: 1}, 0, 0, 100, true},
		{Limit{Records: 1}, 1, 0, 0, false},
		{Limit{Bytes: 10}, 1, 5, 5, true},
		{Limit{Bytes: 10}, 1, 5, 6, false},
		{Limit{Records: 5, Bytes: 10}, 4, 0, 10, true},
	} {
		if got := c.limit.Takes(c.n, c.size, c.next); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
