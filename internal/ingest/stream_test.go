package ingest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/freshet-stream/freshet"
)

// collect reads a body from reader after reader and notes what was emitted at
// once.
func collect(read func(emit Emit) error) (emitted []string, err error) {
	err = read(func(records []freshet.Record) error {
		var all []string
		for _, r := range records {
			all = append(all, r.Type+string(r.Data))
		}
		emitted = append(emitted, strings.Join(all, " "))
		return nil
	})
	return emitted, err
}

// chunks is a body that arrives in pieces.
type chunks []string

func (c *chunks) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	*c = (*c)[1:]
	return n, nil
}

func TestRecordsLeaveAsTheyArrive(t *testing.T) {
	for name, tt := range map[string]struct {
		read func(body io.Reader, emit Emit) error
		body chunks
		want []string
	}{
		"pieces":  {Pieces, chunks{"a", "b\n", "c"}, []string{"a", "b\n", "c"}},
		"lines":   {func(r io.Reader, e Emit) error { return Lines(r, 10, e) }, chunks{"1\n2", "2\r\n\n 3 \n", "4\n5"}, []string{"1", "22 3", "4", "5"}},
		"no line": {func(r io.Reader, e Emit) error { return Lines(r, 10, e) }, chunks{"\n", " \n"}, nil},
		"events": {func(r io.Reader, e Emit) error { return Events(r, 10, e) }, chunks{"data: 1\n\nevent: t\n", "data: 2\n\ndata: 3\n\nda", "ta: 4"},
			[]string{"1", "t2 3", "4"}},
	} {
		t.Run(name, func(t *testing.T) {
			body := tt.body
			got, err := collect(func(e Emit) error { return tt.read(&body, e) })
			if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %q, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestABodyThatBreaksOffDropsOnlyTheUnfinished(t *testing.T) {
	cut := errors.New("cut")
	for name, read := range map[string]func(io.Reader, Emit) error{
		"lines":  func(r io.Reader, e Emit) error { return Lines(r, 10, e) },
		"events": func(r io.Reader, e Emit) error { return Events(r, 10, e) },
	} {
		body := map[string]string{"lines": "1\n2", "events": "data: 1\n\ndata: 2\n"}[name]
		got, err := collect(func(e Emit) error {
			return read(io.MultiReader(strings.NewReader(body), iotest.ErrReader(cut)), e)
		})
		if !errors.Is(err, cut) || fmt.Sprint(got) != "[1]" {
			t.Errorf("%s: got %q, error %v", name, got, err)
		}
	}
}

func TestABadPieceKeepsWhatCameBefore(t *testing.T) {
	for name, tt := range map[string]struct {
		read func(emit Emit) error
		want error
		says string
	}{
		"a line that is no JSON": {func(e Emit) error { return Lines(strings.NewReader("1\n{\n3\n"), 10, e) }, freshet.ErrRecord, "line 2"},
		"a line too long":        {func(e Emit) error { return Lines(strings.NewReader("1\n"+strings.Repeat("2", 11)), 10, e) }, freshet.ErrTooLarge, "line 2"},
		"a line without end":     {func(e Emit) error { return Lines(io.MultiReader(strings.NewReader("1\n"), zeros{}), 10, e) }, freshet.ErrTooLarge, "line 2"},
		"an event too long": {func(e Emit) error {
			return Events(strings.NewReader("data: 1\n\ndata: "+strings.Repeat("2", 11)), 10, e)
		}, freshet.ErrTooLarge, "10 bytes"},
	} {
		got, err := collect(tt.read)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || fmt.Sprint(got) != "[1]" {
			t.Errorf("%s: got %q, error %v", name, got, err)
		}
	}
}

// zeros is a body without end and without line ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}
