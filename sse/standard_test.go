package sse_test

import (
	"testing"
	"time"

	"github.com/freshet-stream/freshet/sse"
)

// The streams that sections 9.2.1 and 9.2.6 of the HTML standard show.
func TestDecoderStandardExamples(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream string
		want   []event
	}{
		{
			name: "three messages, the second of two lines",
			stream: "data: This is the first message.\n\n" +
				"data: This is the second message, it\ndata: has two lines.\n\n" +
				"data: This is the third message.\n\n",
			want: []event{
				message("This is the first message."),
				message("This is the second message, it\nhas two lines."),
				message("This is the third message."),
			},
		},
		{
			name: "event types",
			stream: "event: add\ndata: 73857293\n\n" +
				"event: remove\ndata: 2153\n\n" +
				"event: add\ndata: 113411\n\n",
			want: []event{
				message("73857293").withType("add"),
				message("2153").withType("remove"),
				message("113411").withType("add"),
			},
		},
		{
			name:   "stock quote",
			stream: "data: YHOO\ndata: +2\ndata: 10\n\n",
			want:   []event{message("YHOO\n+2\n10")},
		},
		{
			name: "test stream: comment, id, id reset, last block incomplete",
			stream: ": test stream\n\n" +
				"data: first event\nid: 1\n\n" +
				"data:second event\nid\n\n" +
				"data:  third event\n",
			want: []event{
				message("first event").withID("1"),
				message("second event").withID(""),
			},
		},
		{
			name: "test stream, third block completed: one space of two is data",
			stream: ": test stream\n\n" +
				"data: first event\nid: 1\n\n" +
				"data:second event\nid\n\n" +
				"data:  third event\n\n",
			want: []event{
				message("first event").withID("1"),
				message("second event").withID(""),
				message(" third event"),
			},
		},
		{
			name:   "two events: empty, then one newline; the third is discarded",
			stream: "data\n\ndata\ndata\n\ndata:",
			want:   []event{message(""), message("\n")},
		},
		{
			name:   "two identical events: the space is optional",
			stream: "data:test\n\ndata: test\n\n",
			want:   []event{message("test"), message("test")},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantEvents(t, tc.stream, sse.DecoderOptions{}, tc.want...)
		})
	}
}

// The rules of section 9.2.6, one by one.
func TestDecoderRules(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream string
		want   []event
	}{
		{"empty stream", "", nil},
		{"only empty lines", "\n\r\n\r\r\n\n", nil},
		{"block without data is no event", "event: a\n\ndata: x\n\n", []event{message("x")}},
		{"last event field wins", "event: a\nevent: b\ndata: x\n\n", []event{message("x").withType("b")}},
		{"event field may be emptied", "event: a\nevent\ndata: x\n\n", []event{message("x")}},
		{"last id field wins", "id: a\nid: b\ndata: x\n\n", []event{message("x").withID("b")}},
		{"id is sticky", "id: a\ndata: x\n\ndata: y\n\n", []event{message("x").withID("a"), message("y").after("a")}},
		{"id of a block without data counts", "id: a\n\ndata: y\n\n", []event{message("y").after("a")}},
		{"unknown fields are ignored", "dat: 1\ndata : 2\n data: 3\nDATA: 4\ndatas: 5\nx\ndata: 6\n\n", []event{message("6")}},
		{"fields without a colon", "event\nid\ndata\n\n", []event{message("").withID("")}},
		{"only the first colon divides", "data: a: b:c\n\n", []event{message("a: b:c")}},
		{"value of colons", "data:::\n\n", []event{message("::")}},
		{"only a space is dropped", "data:\tx\n\ndata:\u00a0x\n\n", []event{message("\tx"), message("\u00a0x")}},
		{"trailing space is kept", "data: x \nevent: e \nid: 1 \n\n", []event{message("x ").withType("e ").withID("1 ")}},
		{"comments within a block", "data: a\n:\n: b\n:data: c\ndata: d\n\n", []event{message("a\nd")}},
		{"fields in any order", "id: 1\ndata: a\nevent: e\ndata: b\n\n", []event{message("a\nb").withType("e").withID("1")}},
		{"lone empty data among others", "data: a\ndata\ndata: b\n\n", []event{message("a\n\nb")}},
		{"type and id may hold anything else", "event: a:b é\nid: \u2028\t\ndata: x\n\n", []event{message("x").withType("a:b é").withID("\u2028\t")}},
		{"type may hold NUL", "event: a\x00b\ndata: x\x00y\n\n", []event{message("x\x00y").withType("a\x00b")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantEvents(t, tc.stream, sse.DecoderOptions{}, tc.want...)
		})
	}
}

func TestDecoderRetry(t *testing.T) {
	const longest = 9223372036854 * time.Millisecond
	for _, tc := range []struct {
		stream string
		want   time.Duration
		wantOK bool
	}{
		{"", 0, false},
		{"retry: 1000\n", time.Second, true},
		{"retry:7\n\n", 7 * time.Millisecond, true},
		{"retry: 0\n", 0, true},
		{"retry: 0000000000000000000000000000012\n", 12 * time.Millisecond, true},
		{"retry: 1\nretry: 2\n", 2 * time.Millisecond, true},
		{"retry: 1\nretry: x\n", time.Millisecond, true},
		{"retry\n", 0, false},
		{"retry:\n", 0, false},
		{"retry: \n", 0, false},
		{"retry:  1\n", 0, false},
		{"retry: 1 \n", 0, false},
		{"retry: -1\n", 0, false},
		{"retry: +1\n", 0, false},
		{"retry: 1.5\n", 0, false},
		{"retry: 1e3\n", 0, false},
		{"retry: 0x10\n", 0, false},
		{"retry: 1_000\n", 0, false},
		{"retry: ١٢\n", 0, false},
		{"retry: 9223372036854\n", longest, true},
		{"retry: 9223372036855\n", longest, true},
		{"retry: 92233720368547758070\n", longest, true},
		{"retry: 99999999999999999999999999999999\n", longest, true},
		{"retry: 99999999999999999999999999999999x\n", 0, false},
		{"retry: 5", 0, false}, // the line has no end
	} {
		got := mustDecode(t, tc.stream, sse.DecoderOptions{})
		if got.retry != tc.want || got.hasRetry != tc.wantOK {
			t.Errorf("%q: Retry() = %v, %v; want %v, %v", tc.stream, got.retry, got.hasRetry, tc.want, tc.wantOK)
		}
		if ref := reference([]byte(tc.stream), sse.DecoderOptions{}); got.retry != ref.retry || got.hasRetry != ref.hasRetry {
			t.Errorf("%q: reference has %v, %v", tc.stream, ref.retry, ref.hasRetry)
		}
	}
}

func TestDecoderLastEventID(t *testing.T) {
	opts := sse.DecoderOptions{LastEventID: "old"}
	for _, tc := range []struct {
		name, stream, want string
	}{
		{"initial", "", "old"},
		{"block without id", "data: x\n\n", "old"},
		{"event", "id: 1\ndata: x\n\n", "1"},
		{"block with only an id", "id: 1\n\n", "1"},
		{"unfinished block", "id: 1\ndata: x\n\nid: 2\ndata: y\n", "1"},
		{"reset", "id\n\n", ""},
		{"NUL", "id: 1\x00\n\n", "old"},
		{"NUL after a valid one", "id: 1\nid: \x00\n\n", "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := mustDecode(t, tc.stream, opts).lastID; got != tc.want {
				t.Errorf("LastEventID() = %q, want %q", got, tc.want)
			}
		})
	}
	wantEvents(t, "data: x\n\n", opts, message("x").after("old"))
}
