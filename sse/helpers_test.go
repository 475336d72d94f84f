package sse_test

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/sse"
)

// decode reads r to its end and returns all that a Decoder tells.
func decode(r io.Reader, opts sse.DecoderOptions) (transcript, error) {
	var t transcript
	opts.OnComment = func(text []byte) {
		t.comments = append(t.comments, string(sse.AppendValid(nil, text)))
	}
	d := sse.NewDecoder(r, opts)
	for {
		ev, err := d.Next()
		if err != nil {
			t.lastID = d.LastEventID()
			t.retry, t.hasRetry = d.Retry()
			return t, err
		}
		t.events = append(t.events, own(ev))
	}
}

func own(ev sse.Event) event {
	return event{
		typ:     string(ev.Type),
		data:    string(ev.Data),
		id:      string(ev.ID),
		hasData: ev.Data != nil,
		hasID:   ev.HasID,
	}
}

// mustDecode decodes a stream that ends cleanly.
func mustDecode(t *testing.T, stream string, opts sse.DecoderOptions) transcript {
	t.Helper()
	got, err := decode(strings.NewReader(stream), opts)
	if err != io.EOF {
		t.Fatalf("decode %.200q: error %v, want io.EOF", stream, err)
	}
	return got
}

func wantEvents(t *testing.T, stream string, opts sse.DecoderOptions, want ...event) {
	t.Helper()
	got := mustDecode(t, stream, opts).events
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decode %.200q:\n got %.500s\nwant %.500s", stream, fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
}

// pieces is a reader that returns one of its strings a Read.
type pieces []string

func (p *pieces) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	(*p)[0] = (*p)[0][n:]
	if (*p)[0] == "" {
		*p = (*p)[1:]
	}
	return n, nil
}

// endless is a reader that repeats its bytes for ever.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		c := copy(b[n:], e.text[e.at:])
		n += c
		e.at = (e.at + c) % len(e.text)
	}
	return n, nil
}
