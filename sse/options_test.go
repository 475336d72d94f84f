package sse_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/freshet-stream/freshet/sse"
)

func TestDecoderIDOnly(t *testing.T) {
	opts := sse.DecoderOptions{IDOnly: true}
	onlyID := func(id string) event { return event{}.withID(id) }
	wantEvents(t, "id: 1\n\n", opts, onlyID("1"))
	wantEvents(t, "id\n\n", opts, onlyID(""))
	wantEvents(t, "id: 1\nid: \x00\n\n", opts, onlyID("1"))
	wantEvents(t, "id: \x00\n\n", opts)
	wantEvents(t, "event: e\n\n: c\n\nretry: 1\n\n", opts)
	wantEvents(t, "event: e\nid: 1\n\n", opts, onlyID("1").withType("e"))
	wantEvents(t, "id: 1\n\nid: 1\ndata\n\ndata: y\n\n", opts,
		onlyID("1"), message("").withID("1"), message("y").after("1"))
}

func TestDecoderFlushAtEOF(t *testing.T) {
	opts := sse.DecoderOptions{FlushAtEOF: true}
	wantEvents(t, "", opts)
	wantEvents(t, "\uFEFF", opts)
	wantEvents(t, "data: a", opts, message("a"))
	wantEvents(t, "data: a\n", opts, message("a"))
	wantEvents(t, "data: a\r", opts, message("a"))
	wantEvents(t, "data: a\r\n", opts, message("a"))
	wantEvents(t, "data: a\n\n", opts, message("a"))
	wantEvents(t, "data: a\ndata", opts, message("a\n"))
	wantEvents(t, "data: a\n\nda", opts, message("a"))
	wantEvents(t, "data: a\xe2\x82", opts, message("a\uFFFD"))
	wantEvents(t, "\uFEFFdata: a", opts, message("a"))
	wantEvents(t, "id: 1", sse.DecoderOptions{FlushAtEOF: true, IDOnly: true}, event{}.withID("1"))
	if got := mustDecode(t, "id: 1", opts).lastID; got != "1" {
		t.Errorf("LastEventID() = %q, want 1", got)
	}
}

func TestDecoderUnfinished(t *testing.T) {
	d := sse.NewDecoder(strings.NewReader("data: a\n\ndata: b\n"), sse.DecoderOptions{FlushAtEOF: true})
	for _, want := range []bool{false, true} {
		if ev, err := d.Next(); err != nil || ev.Unfinished != want {
			t.Errorf("got %+v, %v, want Unfinished %v", ev, err, want)
		}
	}
}

func TestDecoderFlushAtEOFOnlyWhenClean(t *testing.T) {
	cut := io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(io.ErrUnexpectedEOF))
	got, err := decode(cut, sse.DecoderOptions{FlushAtEOF: true})
	if err != io.ErrUnexpectedEOF {
		t.Errorf("error %v, want io.ErrUnexpectedEOF", err)
	}
	if want := []event{message("a")}; !reflect.DeepEqual(got.events, want) {
		t.Errorf("got %+v, want %+v", got.events, want)
	}
}

func TestDecoderOnComment(t *testing.T) {
	got := mustDecode(t, ":\n: a\r\n:  b\rdata: x\n:c:d\n\n:e", sse.DecoderOptions{})
	if want := []string{"", "a", " b", "c:d"}; !reflect.DeepEqual(got.comments, want) {
		t.Errorf("comments %q, want %q", got.comments, want)
	}
}

func TestDecoderCommentIsHeardAtOnce(t *testing.T) {
	r, w := io.Pipe()
	heard := make(chan string)
	d := sse.NewDecoder(r, sse.DecoderOptions{OnComment: func(text []byte) { heard <- string(text) }})
	go d.Next()
	io.WriteString(w, ": beat\n")
	if got := <-heard; got != "beat" {
		t.Errorf("comment %q, want beat", got)
	}
	w.Close()
}

func TestDecoderErrorIsTheReadersOwnAndStays(t *testing.T) {
	broken := errors.New("broken")
	for _, tc := range []struct {
		name string
		r    io.Reader
		want error
	}{
		{"clean end", strings.NewReader("data: a\n\ndata"), io.EOF},
		{"end with the last bytes", iotest.DataErrReader(strings.NewReader("data: a\n\ndata")), io.EOF},
		{"cut", io.MultiReader(strings.NewReader("data: a\n\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
		{"any other", io.MultiReader(strings.NewReader("data: a\n\n"), iotest.ErrReader(broken)), broken},
		{"timeout", iotest.TimeoutReader(strings.NewReader("data: a\n\n")), iotest.ErrTimeout},
		{"nothing, for ever", io.MultiReader(strings.NewReader("data: a\n\n"), idle{}), io.ErrNoProgress},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := sse.NewDecoder(tc.r, sse.DecoderOptions{})
			if ev, err := d.Next(); err != nil || string(ev.Data) != "a" {
				t.Fatalf("Next() = %q, %v; want the event before the error", ev.Data, err)
			}
			for range 3 {
				if _, err := d.Next(); err != tc.want {
					t.Errorf("Next() error %v, want %v", err, tc.want)
				}
			}
		})
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }
