package sse_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/sse"
)

// BenchmarkDecode decodes one event per operation.
func BenchmarkDecode(b *testing.B) {
	for _, s := range streams {
		b.Run(s.name, func(b *testing.B) {
			d := sse.NewDecoder(repeat(s.block), sse.DecoderOptions{})
			b.SetBytes(int64(len(s.block)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeScanner is the same work in the usual way, with a
// bufio.Scanner over lines: LF only, no limits, no UTF-8 decoding.
func BenchmarkDecodeScanner(b *testing.B) {
	for _, s := range streams[:2] {
		b.Run(s.name, func(b *testing.B) {
			d := scannerDecoder{lines: bufio.NewScanner(repeat(s.block))}
			b.SetBytes(int64(len(s.block)))
			b.ReportAllocs()
			for b.Loop() {
				if !d.next() {
					b.Fatal(d.lines.Err())
				}
			}
		})
	}
}

// repeat is an endless stream of a block, in long pieces so that reading costs
// next to nothing.
func repeat(block string) io.Reader {
	return &endless{text: strings.Repeat(block, 1+64<<10/len(block))}
}

type scannerDecoder struct {
	lines         *bufio.Scanner
	typ, data, id []byte
}

func (d *scannerDecoder) next() bool {
	d.typ, d.data = d.typ[:0], d.data[:0]
	for d.lines.Scan() {
		line := d.lines.Bytes()
		if len(line) == 0 && len(d.data) > 0 {
			return true
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			d.data = append(append(d.data, value...), '\n')
		case "event":
			d.typ = append(d.typ[:0], value...)
		case "id":
			d.id = append(d.id[:0], value...)
		}
	}
	return false
}

// BenchmarkAppendEvent encodes one event per operation.
func BenchmarkAppendEvent(b *testing.B) {
	for _, bc := range []struct {
		name, data string
	}{
		{"one line", text128},
		{"lines of 16", strings.Repeat(text128[:15]+"\n", 8)},
		{"Cyrillic", strings.Repeat("поток", 13)},
		{"invalid UTF-8", strings.Repeat(text128[:31]+"\xff", 4)},
		{"64 KiB", strings.Repeat(text128, 512)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			data, dst := []byte(bc.data), make([]byte, 0, 2*len(bc.data)+256)
			b.SetBytes(int64(len(sse.AppendEvent(dst, "token", data, offset))))
			b.ReportAllocs()
			for b.Loop() {
				sse.AppendEvent(dst, "token", data, offset)
			}
		})
	}
}

// BenchmarkFprintf encodes one event in the usual way, with nothing checked.
func BenchmarkFprintf(b *testing.B) {
	data := []byte(text128)
	b.SetBytes(int64(len(sse.AppendEvent(nil, "token", data, offset))))
	b.ReportAllocs()
	for b.Loop() {
		fmt.Fprintf(io.Discard, "event: %s\ndata: %s\nid: %s\n\n", "token", data, offset)
	}
}
