package sse_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/sse"
)

// streams are kinds of traffic, each an endless repetition of one event.
var streams = []struct {
	name, block string
}{
	{"data", "data: " + text128 + "\n\n"},
	{"event data id", "event: token\ndata: " + text128 + "\nid: " + offset + "\n\n"},
	{"CRLF", "event: token\r\ndata: " + text128 + "\r\nid: " + offset + "\r\n\r\n"},
	{"CR", "event: token\rdata: " + text128 + "\rid: " + offset + "\r\r"},
	{"lines of 16", strings.Repeat("data: "+text128[:16]+"\n", 8) + "\n"},
	{"Cyrillic", "data: " + strings.Repeat("поток", 13) + "\n\n"},
	{"invalid UTF-8", "data: " + strings.Repeat(text128[:31]+"\xff", 4) + "\n\n"},
	{"comments", ": " + text128 + "\n\ndata: x\n\n"},
	{"64 KiB", "data: " + strings.Repeat(text128, 512) + "\n\n"},
}

var text128 = strings.Repeat(`{"delta":"hello, world","n":42}.`, 4)

const offset = "0000000000000042_00c0ffee00c0ffee"

func TestDecoderAllocatesNothingPerEvent(t *testing.T) {
	for _, s := range streams {
		t.Run(s.name, func(t *testing.T) {
			comments := 0
			d := sse.NewDecoder(&endless{text: s.block}, sse.DecoderOptions{OnComment: func([]byte) { comments++ }})
			next := func() {
				if _, err := d.Next(); err != nil {
					t.Fatal(err)
				}
			}
			for range 100 { // let the buffers grow
				next()
			}
			if n := testing.AllocsPerRun(1000, next); n != 0 {
				t.Errorf("%v allocations an event, want 0", n)
			}
		})
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 4096)
	data := []byte(text128)
	lines := []byte(strings.Repeat(text128[:16]+"\r\n", 8))
	invalid := []byte(strings.Repeat(text128[:31]+"\xff", 4))
	comment := strings.Repeat("heartbeat ", 10)
	e := sse.NewEncoder(io.Discard)
	for name, f := range map[string]func(){
		"AppendEvent":              func() { sse.AppendEvent(dst, "token", data, offset) },
		"AppendEvent lines":        func() { sse.AppendEvent(dst, "token", lines, offset) },
		"AppendEvent invalid data": func() { sse.AppendEvent(dst, "token", invalid, offset) },
		"AppendData":               func() { sse.AppendData(dst, data) },
		"AppendText":               func() { sse.AppendText(dst, lines) },
		"AppendValid":              func() { sse.AppendValid(dst, invalid) },
		"AppendID":                 func() { sse.AppendID(dst, offset) },
		"AppendRetry":              func() { sse.AppendRetry(dst, time.Second) },
		"AppendComment":            func() { sse.AppendComment(dst, comment) },
		"Encoder.Event":            func() { e.Event("token", data, offset) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}
