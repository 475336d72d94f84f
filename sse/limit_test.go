package sse_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/freshet-stream/freshet/sse"
)

func TestDecoderMaxEventBytes(t *testing.T) {
	const limit = 10
	fits, over := strings.Repeat("x", limit), strings.Repeat("x", limit+1)
	long := strings.Repeat("x", 100)
	for _, tc := range []struct {
		name   string
		stream string
		want   string // the message names it, if the stream is refused
	}{
		{"data at the limit", "data: " + fits + "\n\n", ""},
		{"data at the limit, after a BOM", "\uFEFFdata: " + fits + "\n\n", ""},
		{"data at the limit, before an id", "event: " + fits + "\ndata: " + fits + "\nid: " + fits + "\n\n", ""},
		{"data at the limit in two lines", "data: 12345\ndata: 7890\n\n", ""},
		{"data at the limit in many lines", strings.Repeat("data\n", limit+1) + "\n", ""},
		{"data at the limit once decoded", "data: xxxx\xff\xff\n\n", ""},
		{"many comments in one block", strings.Repeat(": xxxxx\n", 100) + "data: " + fits + "\n\n", ""},
		{"data over the limit", "data: " + over + "\n\n", "data"},
		{"data over the limit without a space", "data:" + over + "\n\n", "data"},
		{"data over the limit in two lines", "data: 12345\ndata: 78901\n\n", "data"},
		{"data over the limit in many lines", strings.Repeat("data\n", limit+2) + "\n", "data"},
		{"data over the limit once decoded", "data: xxxx\xff\xff\xff\n\n", "data"},
		{"data far over the limit", "data: " + long + "\n\n", "line"},
		{"endless data", "data: " + long, "line"},
		{"endless comment", ":" + long, "line"},
		{"endless type", "event: " + long, "line"},
		{"endless id", "id: " + long, "line"},
		{"endless name", long, "line"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			opts := sse.DecoderOptions{MaxEventBytes: limit}
			stream := "data: first\n\n" + tc.stream
			if strings.HasPrefix(tc.stream, "\uFEFF") {
				stream = tc.stream
			}
			whole, err := decode(strings.NewReader(stream), opts)
			if tc.want == "" {
				if err != io.EOF {
					t.Fatalf("error %v, want io.EOF", err)
				}
				if last := whole.events[len(whole.events)-1]; len(last.data) != limit {
					t.Errorf("%d bytes of data, want %d", len(last.data), limit)
				}
				return
			}
			if !errors.Is(err, sse.ErrTooLarge) || !strings.Contains(err.Error(), tc.want+" over") || !strings.Contains(err.Error(), "MaxEventBytes of 10 bytes") {
				t.Fatalf("error %v, want ErrTooLarge naming %s and the limit", err, tc.want)
			}
			if want := []event{message("first")}; !reflect.DeepEqual(whole.events, want) {
				t.Errorf("events before the error %+v, want %+v", whole.events, want)
			}
			bytewise, bytewiseErr := decode(iotest.OneByteReader(strings.NewReader(stream)), opts)
			if !reflect.DeepEqual(bytewise, whole) || fmt.Sprint(bytewiseErr) != fmt.Sprint(err) {
				t.Errorf("byte by byte: %+v, %v; in one read: %+v, %v", bytewise, bytewiseErr, whole, err)
			}
		})
	}
}

func TestDecoderTooLargeStays(t *testing.T) {
	d := sse.NewDecoder(strings.NewReader("data: 123\n\ndata: 1\n\n"), sse.DecoderOptions{MaxEventBytes: 2})
	for range 3 {
		if _, err := d.Next(); !errors.Is(err, sse.ErrTooLarge) {
			t.Fatalf("Next() error %v, want ErrTooLarge", err)
		}
	}
}

func TestDecoderMaxEventBytesAtEOF(t *testing.T) {
	opts := sse.DecoderOptions{MaxEventBytes: 2, FlushAtEOF: true}
	wantEvents(t, "data: 12", opts, message("12"))
	if _, err := decode(strings.NewReader("data: 123"), opts); !errors.Is(err, sse.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
}

func TestDecoderMaxEventBytesHugeIsNoLimit(t *testing.T) {
	wantEvents(t, "data: x\n\n", sse.DecoderOptions{MaxEventBytes: math.MaxInt}, message("x"))
	wantEvents(t, "data: x\n\n", sse.DecoderOptions{MaxEventBytes: -1}, message("x"))
}

// A source that sends no line end is given up as soon as the limit is passed,
// not when memory is.
func TestDecoderStopsReadingOverTheLimit(t *testing.T) {
	src := &endless{text: "x"}
	counted := &counter{r: src}
	_, err := sse.NewDecoder(counted, sse.DecoderOptions{MaxEventBytes: 1 << 20}).Next()
	if !errors.Is(err, sse.ErrTooLarge) {
		t.Fatalf("error %v, want ErrTooLarge", err)
	}
	if counted.n > 4<<20 {
		t.Errorf("read %d bytes for a limit of 1 MiB", counted.n)
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}
