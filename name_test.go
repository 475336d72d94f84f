package freshet

import (
	"errors"
	"strings"
	"testing"
)

func TestValidateName(t *testing.T) {
	for _, name := range []string{
		"a", "a/b/c", "...", ".a", "a b", "a%2Fb", "{a}", "}", "ключ", "a\u00a0b", "\U0010ffff", "__ds", "a?b#c",
		strings.Repeat("n", MaxNameBytes), strings.Repeat("ü", MaxNameBytes/2),
	} {
		if err := ValidateName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/.", "../a", "a/../b", "a\x00", "a\n", "\x1f", "a\x7f", "a\u0080", "a\u009f",
		"a\xff", "\xc3", "\xed\xa0\x80", strings.Repeat("n", MaxNameBytes+1),
	} {
		if err := ValidateName(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v, want it refused", name, err)
		}
	}
}

func TestParseName(t *testing.T) {
	for escaped, want := range map[string]string{
		"a": "a", "a/b": "a/b", "a%20b": "a b", "a+b": "a+b", "%7D": "}", "a%252Fb": "a%2Fb", "%C3%BC": "ü", "a;b": "a;b", "%2e%2e.": "...",
	} {
		if got, err := ParseName(escaped); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", escaped, got, err, want)
		}
	}
	for _, escaped := range []string{"", "a%2Fb", "a%2fb", "%", "a%2", "a%zz", "%00", "a%0Ab", "%ff", "%2e%2e", "a/%2E/b", "a//b", strings.Repeat("a", 3*MaxNameBytes+1)} {
		if got, err := ParseName(escaped); !errors.Is(err, ErrName) {
			t.Errorf("%q: %q, %v; want it refused", escaped, got, err)
		}
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]string{"gen": "gen", "gen/x": "gen", "__ds/a/b": "__ds", "genx/y": "", "a/gen": "", "demo/x": "demo", "Gen/x": ""} {
		if got := Reserved(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"a/b", "a%2Fb", "%25", "ü%20", "..", "a%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		name, err := ParseName(escaped)
		if err != nil {
			if !errors.Is(err, ErrName) {
				t.Fatalf("%q: the error is %v", escaped, err)
			}
			return
		}
		if err := ValidateName(name); err != nil {
			t.Fatalf("%q gives %q: %v", escaped, name, err)
		}
		again, err := ParseName(EscapeName(name))
		if err != nil || again != name {
			t.Fatalf("%q is escaped as %q, which gives %q, %v", name, EscapeName(name), again, err)
		}
	})
}
