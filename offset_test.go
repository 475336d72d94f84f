package freshet

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOffsetText(t *testing.T) {
	for o, want := range map[Offset]string{
		{}:                               "0000000000000000_0000000000000000",
		{Seq: 42, Mark: 0xabc}:           "0000000000000042_0000000000000abc",
		{Seq: maxSeq, Mark: ^Mark(0)}:    "9999999999999999_ffffffffffffffff",
		{Seq: 1, Mark: 0x0123456789abcd}: "0000000000000001_000123456789abcd",
	} {
		if o.String() != want {
			t.Errorf("%#v is %q, want %q", o, o.String(), want)
		}
		if got, err := ParseOffset(want); err != nil || got != o {
			t.Errorf("%q: %#v, %v", want, got, err)
		}
	}
	if _, err := (Offset{Seq: maxSeq + 1}).MarshalText(); err == nil {
		t.Error("a sequence number of 17 digits is written")
	}
}

func TestOffsetsSortAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Offset{rapid.Uint64Range(0, maxSeq).Draw(t, "a"), Mark(rapid.Uint64().Draw(t, "mark a"))}
		b := Offset{rapid.Uint64Range(0, maxSeq).Draw(t, "b"), Mark(rapid.Uint64().Draw(t, "mark b"))}
		if a.Seq < b.Seq != (a.String()[:16] < b.String()[:16]) || len(a.String()) != OffsetBytes {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

func TestMalformedOffsets(t *testing.T) {
	good := Offset{Seq: 7, Mark: 0xf}.String()
	for _, s := range []string{
		"", "7", "now", "-1", good + "0", good[1:], strings.ToUpper(good), strings.Replace(good, "_", "-", 1), " " + good[1:],
		"+" + good[1:], "-" + good[1:], "000000000000000x" + good[16:], good[:32] + "g", good[:31] + "é", strings.Repeat("9", 33),
	} {
		if o, err := ParseOffset(s); !errors.Is(err, ErrOffset) {
			t.Errorf("%q: %v, %v; want it refused", s, o, err)
		}
	}
}

func TestCursors(t *testing.T) {
	at := Offset{Seq: 7, Mark: 0xf}
	zeros := Offset{}.String()
	for s, c := range map[string]struct {
		want Cursor
		real bool
	}{
		"":                   {Cursor{}, false},
		"-1":                 {Cursor{}, false},
		"now":                {Cursor{Now: true}, false},
		zeros:                {Cursor{}, false},
		zeros + "-end":       {Cursor{Ended: true}, true},
		at.String():          {Cursor{Offset: at}, true},
		at.String() + "-end": {Cursor{Offset: at, Ended: true}, true},
		"0000000000000000" + "_" + "000000000000000a": {Cursor{Offset: Offset{Mark: 10}}, true},
	} {
		got, err := ParseCursor(s)
		if err != nil || got != c.want || got.IsReal() != c.real {
			t.Errorf("%q: %+v, %v, real %v", s, got, err, got.IsReal())
		}
		if again, err := ParseCursor(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which is %+v, %v", s, got.String(), again, err)
		}
	}
	for _, s := range []string{"-2", "NOW", "-end", "now-end", "-1-end", at.String() + "-END", at.String() + "-end-end", "\x00"} {
		if c, err := ParseCursor(s); !errors.Is(err, ErrOffset) {
			t.Errorf("%q: %+v, %v; want it refused", s, c, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "-1", "now", Offset{Seq: 1, Mark: 2}.String(), Offset{}.String() + "-end", "-end"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil {
			if !errors.Is(err, ErrOffset) {
				t.Fatalf("%q: the error is %v", s, err)
			}
			return
		}
		if again, err := ParseCursor(c.String()); err != nil || again != c {
			t.Fatalf("%q is %+v, written as %q, which is %+v, %v", s, c, c.String(), again, err)
		}
		if o, err := ParseOffset(s); err == nil && o.String() != s {
			t.Fatalf("%q is written as %q", s, o)
		}
	})
}
