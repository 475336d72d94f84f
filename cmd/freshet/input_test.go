package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func FuzzReadPieces(f *testing.F) {
	f.Add([]byte("héllo\r\nwörld\r🌊"), byte(3))
	f.Add([]byte("\xff\xf0\x9f"), byte(1))
	f.Add(bytes.Repeat([]byte("12345678901234\r\n"), 3000), byte(0))
	f.Fuzz(func(t *testing.T, in []byte, step byte) {
		var r io.Reader = bytes.NewReader(in)
		if step > 0 {
			r = &steps{bytes.NewReader(in), int(step)}
		}
		isText := utf8.Valid(in)
		var out []byte
		err := readPieces(iotest.DataErrReader(r), true, func(piece []byte) error {
			if len(piece) == 0 {
				t.Error("an empty piece")
			}
			out = append(out, piece...)
			if rest := in[len(out):]; len(rest) > 0 && isText && !utf8.RuneStart(rest[0]) {
				t.Errorf("cut within a character after %d bytes", len(out))
			}
			if step == 0 && bytes.HasSuffix(piece, []byte("\r")) && bytes.HasPrefix(in[len(out):], []byte("\n")) {
				t.Errorf("cut within a CRLF after %d bytes", len(out))
			}
			return nil
		})
		if err != nil || !bytes.Equal(out, in) {
			t.Errorf("got %q of %q, %v", out, in, err)
		}
	})
}

// steps reads so many bytes at once.
type steps struct {
	io.Reader
	n int
}

func (s *steps) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(len(p), s.n)]) }

func TestReadLines(t *testing.T) {
	long := strings.Repeat("x", 5*pieceBytes)
	for _, in := range []string{"", "a", "a\n", "a\n\nb\r\nc", long, "a\n" + long + "\n" + long + "b"} {
		var lines []string
		err := readLines(strings.NewReader(in), func(line []byte) error { lines = append(lines, string(line)); return nil })
		want := strings.SplitAfter(in, "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		if err != nil || strings.Join(lines, "|") != strings.Join(want, "|") {
			t.Errorf("%.40q: got %.40q, %v", in, lines, err)
		}
	}
	err := readLines(io.LimitReader(zeros{}, maxLine+1), func([]byte) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReadersPassErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	for name, read := range map[string]func(in io.Reader, err error) error{
		"pieces": func(in io.Reader, err error) error { return readPieces(in, true, func([]byte) error { return err }) },
		"lines":  func(in io.Reader, err error) error { return readLines(in, func([]byte) error { return err }) },
		"values": func(in io.Reader, err error) error { return readValues(in, func([]byte) error { return err }) },
		"events": func(in io.Reader, err error) error {
			return readEvents(in, func(string, []byte) error { return err })
		},
	} {
		if err := read(iotest.ErrReader(broken), nil); !errors.Is(err, broken) {
			t.Errorf("%s: a read error became %v", name, err)
		}
		if err := read(strings.NewReader("data: 1\n\n"), broken); !errors.Is(err, broken) {
			t.Errorf("%s: a send error became %v", name, err)
		}
	}
}
