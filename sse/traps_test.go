package sse_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/freshet-stream/freshet/sse"
)

// What is known to break other decoders, each under its name.
func TestDecoderTraps(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream string
		want   []event
	}{
		{"CR: lines", "data: a\rdata: b\r\rdata: c\r\r", []event{message("a\nb"), message("c")}},
		{"CR: then LF CR is two ends", "data: a\n\rdata: b\n\r", []event{message("a"), message("b")}},
		{"CR: CR CR LF is two ends", "data: a\r\r\ndata: b\r\r\n", []event{message("a"), message("b")}},
		{"CRLF: lines", "data: a\r\ndata: b\r\n\r\n", []event{message("a\nb")}},
		{"CRLF: one end, not two", "data: a\r\ndata: b\r\n", nil},
		{"CRLF: mixed with LF and CR", "data: a\r\ndata: b\ndata: c\rdata: d\n\r\n", []event{message("a\nb\nc\nd")}},
		{"CRLF: LF CRLF", "data: a\n\r\ndata: b\n\r\n", []event{message("a"), message("b")}},
		{"NEL, LS, PS, VT and FF are no line ends", "data: a\u0085\u2028\u2029\v\fb\n\n", []event{message("a\u0085\u2028\u2029\v\fb")}},

		{"NUL: id is ignored", "id: 1\x002\ndata: a\n\n", []event{message("a")}},
		{"NUL: an earlier id stands", "id: 1\ndata: a\n\nid: \x00\ndata: b\n\n", []event{message("a").withID("1"), message("b").after("1")}},
		{"NUL: in data", "data: \x00\n\n", []event{message("\x00")}},
		{"NUL: in a name", "data\x00: a\n\n", nil},

		{"BOM: dropped", "\uFEFFdata: a\n\n", []event{message("a")}},
		{"BOM: only one", "\uFEFF\uFEFFdata: a\ndata: b\n\n", []event{message("b")}},
		{"BOM: only at the start", "data: a\n\n\uFEFFdata: b\n\ndata: c\n\n", []event{message("a"), message("c")}},
		{"BOM: not after an empty line", "\n\uFEFFdata: a\n\ndata: b\n\n", []event{message("b")}},
		{"BOM: alone in its line", "\uFEFF\ndata: a\n\n", []event{message("a")}},
		{"BOM: before a comment", "\uFEFF:\ndata: a\n\n", []event{message("a")}},
		{"BOM: kept in data", "data:\uFEFFa\n\n", []event{message("\uFEFFa")}},
		{"BOM: half of one", "\xef\xbbdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n", []event{message("c")}},
		{"BOM: of UTF-16", "\xff\xfedata: a\n\ndata: b\n\n", []event{message("b")}},

		{"invalid UTF-8: in data, type and id", "data: \xff\nevent: a\x80\nid: \xc0\xaf\n\n", []event{message("\uFFFD").withType("a\uFFFD").withID("\uFFFD\uFFFD")}},
		{"invalid UTF-8: one U+FFFD for a cut character", "data: \xe2\x82x\xf0\x9f\x98x\n\n", []event{message("\uFFFDx\uFFFDx")}},
		{"invalid UTF-8: cut by a line end", "data: \xf0\x9f\x98\ndata: \x80\n\n", []event{message("\uFFFD\n\uFFFD")}},
		{"invalid UTF-8: cut by CR", "data: \xe2\x82\r\r", []event{message("\uFFFD")}},
		{"invalid UTF-8: cut by the colon", "data\xe2: a\n:\n\n", nil},
		{"invalid UTF-8: surrogates", "data: \xed\xa0\x80\n\n", []event{message("\uFFFD\uFFFD\uFFFD")}},
		{"invalid UTF-8: beyond U+10FFFF", "data: \xf4\x90\x80\x80\n\n", []event{message("\uFFFD\uFFFD\uFFFD\uFFFD")}},
		{"invalid UTF-8: overlong", "data: \xe0\x80\x8a\xc0\x8a\n\n", []event{message("\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD")}},
		{"invalid UTF-8: in the second line only", "data: a\ndata: \xff\ndata: b\n\n", []event{message("a\n\uFFFD\nb")}},
		{"U+FFFD as sent", "data: \uFFFD\n\n", []event{message("\uFFFD")}},

		{"unterminated: last block", "data: a\n\ndata: b\nid: 1\n", []event{message("a")}},
		{"unterminated: last line", "data: a\n\ndata: b", []event{message("a")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantEvents(t, tc.stream, sse.DecoderOptions{}, tc.want...)
		})
	}
}

// The same event has to come out wherever the reads divide it, which they do
// here at the place that each name tells.
func TestDecoderTrapSplitReads(t *testing.T) {
	for _, tc := range []struct {
		name  string
		reads pieces
		want  event
	}{
		{"between CR and LF", pieces{"data: a\r", "\ndata: b\r", "\n\r", "\n"}, message("a\nb")},
		{"BOM after its first byte", pieces{"\xef", "\xbb\xbfdata: a\n\n"}, message("a")},
		{"BOM after its second byte", pieces{"\xef\xbb", "\xbfdata: a\n\n"}, message("a")},
		{"BOM after its last byte", pieces{"\xef\xbb\xbf", "data: a\n\n"}, message("a")},
		{"rune split over reads", pieces{"data: \xf0", "\x9f", "\x98", "\x80\n\n"}, message("😀")},
		{"invalid UTF-8 split over reads", pieces{"data: \xf0\x9f", "\x98", "x\n\n"}, message("\uFFFDx")},
		{"within a name", pieces{"da", "ta: a\n\n"}, message("a")},
		{"before the colon", pieces{"data", ": a\n\n"}, message("a")},
		{"before the space", pieces{"data:", " a\n\n"}, message("a")},
		{"before the empty line", pieces{"data: a\n", "\n"}, message("a")},
		{"between an empty data line and the empty line", pieces{"data\n", "\n"}, message("")},
		{"between data lines", pieces{"data: a\n", "data: b\n", "\n"}, message("a\nb")},
		{"between all fields", pieces{"event: e\n", "data: a\n", "id: 1\n", "\n"}, message("a").withType("e").withID("1")},
		{"with empty reads", pieces{"", "data: a\n", "", "", "\n"}, message("a")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decode(&tc.reads, sse.DecoderOptions{})
			if err != io.EOF || len(got.events) != 1 || got.events[0] != tc.want {
				t.Errorf("got %+v, %v; want %+v", got.events, err, tc.want)
			}
		})
	}
}

// A reader may block for ever after each of these reads: the event must be out
// before the next one.
func TestDecoderTrapEventWaitsForNothing(t *testing.T) {
	for _, tc := range []struct {
		name  string
		reads pieces
		want  []string
	}{
		{"LF LF", pieces{"data: a\n\n", "data: b\n\n"}, []string{"a", "b"}},
		{"CR CR", pieces{"data: a\r\r", "data: b\r\r"}, []string{"a", "b"}},
		{"CR CR, LF late", pieces{"data: a\r\r", "\ndata: b\r\r", "\n"}, []string{"a", "b"}},
		{"CRLF CR, LF late", pieces{"data: a\r\n\r", "\ndata: b\r\n\r", "\n"}, []string{"a", "b"}},
		{"CR LF: both are seen", pieces{"data: a\n\r", "\ndata: b\n\r"}, []string{"a", "b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := sse.NewDecoder(&tc.reads, sse.DecoderOptions{})
			unread := len(tc.reads)
			for _, want := range tc.want {
				ev, err := d.Next()
				if err != nil || string(ev.Data) != want {
					t.Fatalf("Next() = %q, %v; want %q", ev.Data, err, want)
				}
				if unread--; len(tc.reads) != unread {
					t.Fatalf("event %q took %d reads too many", want, unread-len(tc.reads))
				}
			}
		})
	}
}

// The promise of the package documentation on which batching builds.
func TestDecoderReadsOnlyWhenNoEventIsBuffered(t *testing.T) {
	reads := pieces{"data: a\n\n: x\n\nid: 1\n\ndata: b\r\n\r\ndata: c\n\ndata: d", "\n\n"}
	d := sse.NewDecoder(&reads, sse.DecoderOptions{})
	for _, want := range []struct {
		data   string
		unread int
	}{{"a", 1}, {"b", 1}, {"c", 1}, {"d", 0}} {
		ev, err := d.Next()
		if err != nil || string(ev.Data) != want.data || len(reads) != want.unread {
			t.Errorf("Next() = %q, %v with %d reads left; want %+v", ev.Data, err, len(reads), want)
		}
	}
}

func TestDecoderTrap16MiBRecord(t *testing.T) {
	const size = 16 << 20
	for _, line := range []int{size, 1 << 20, 1000} {
		t.Run(fmt.Sprintf("lines of %d", line), func(t *testing.T) {
			data := []byte(strings.Repeat("x", size))
			for i := line; i < size; i += line {
				data[i] = '\n'
			}
			stream := sse.AppendEvent(nil, "", data, "1")
			stream = sse.AppendEvent(stream, "", []byte("next"), "2")
			wantEvents(t, string(stream), sse.DecoderOptions{MaxEventBytes: size},
				message(string(data)).withID("1"), message("next").withID("2"))
		})
	}
}

// A line that comes a byte at a time must not be moved or searched for each.
func TestDecoderTrapLongLineInTinyReads(t *testing.T) {
	const size = 1 << 20
	stream := "\n\ndata: " + strings.Repeat("x", size) + "\n\n"
	got, err := decode(iotest.OneByteReader(strings.NewReader(stream)), sse.DecoderOptions{})
	if err != io.EOF || len(got.events) != 1 || len(got.events[0].data) != size {
		t.Errorf("got %d events, %v; want one of %d bytes", len(got.events), err, size)
	}
}

func TestDecoderTrapMillionTinyEvents(t *testing.T) {
	const count = 1_000_000
	for _, block := range []string{"data:x\n\n", "data:x\r\r", "data:x\r\n\r\n"} {
		d := sse.NewDecoder(io.LimitReader(&endless{text: block}, int64(count*len(block))), sse.DecoderOptions{})
		n := 0
		for {
			ev, err := d.Next()
			if err == io.EOF {
				break
			}
			if err != nil || string(ev.Data) != "x" {
				t.Fatalf("%q: event %d is %q, %v", block, n, ev.Data, err)
			}
			n++
		}
		if n != count {
			t.Errorf("%q: %d events, want %d", block, n, count)
		}
	}
}

// A million lines that follow a long one, so that the buffer is large, must not
// each be searched for in all of it.
func TestDecoderTrapMillionLinesInOneEvent(t *testing.T) {
	const count = 1_000_000
	for _, end := range []string{"\n", "\r", "\r\n"} {
		stream := ":" + strings.Repeat("x", 8<<20) + end + strings.Repeat("data"+end, count) + end
		wantEvents(t, stream, sse.DecoderOptions{}, message(strings.Repeat("\n", count-1)))
	}
}
