package text

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// DESIGN trap: a rune split over two appends.
func FuzzHolderOnlyCutsBetweenCharacters(f *testing.F) {
	f.Add("a€😀\xe2\x82é", []byte{1, 2, 1, 3})
	f.Add("\xff\xfe\xf0\x9f", []byte{1})
	f.Fuzz(func(t *testing.T, s string, cuts []byte) {
		var h Holder
		var out, in []byte
		rest := []byte(s)
		for i := 0; len(rest) > 0; i++ {
			n := len(rest)
			if i < len(cuts) {
				n = min(n, int(cuts[i]))
			}
			in = append(in, rest[:n]...)
			text, _, ok := h.Take(rest[:n])
			rest = rest[n:]
			if ok {
				out = append(out, text...)
			}
			switch {
			case ok && !bytes.Equal(out, in):
				t.Fatalf("released %q of %q", out, in)
			case ok && endsInside(out):
				t.Fatalf("released %q, which ends inside a character", out)
			case !ok && utf8.Valid(in):
				t.Fatalf("held %q back, which is whole", in)
			}
		}
		if out = append(out, h.Flush()...); string(out) != s {
			t.Fatalf("got %q of %q", out, s)
		}
	})
}

func FuzzAppendQuoted(f *testing.F) {
	f.Add([]byte("a\"\\\x00\n\r\t\u2028<&>\xff\xe2\x82"))
	f.Fuzz(func(t *testing.T, s []byte) {
		quoted := AppendQuoted(nil, s)
		var got string
		if err := json.Unmarshal(quoted, &got); err != nil {
			t.Fatalf("%q is not JSON: %v", quoted, err)
		}
		if utf8.Valid(s) && got != string(s) {
			t.Fatalf("%q came back as %q", s, got)
		}
		if bytes.ContainsAny(quoted, "\r\n") {
			t.Fatalf("%q has a line break", quoted)
		}
	})
}
