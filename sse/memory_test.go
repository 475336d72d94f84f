package sse_test

import (
	"io"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/sse"
)

// What a large event took is given up by the time a Decoder waits for the event
// after the next.
func TestDecoderGivesUpMemoryAfterLargeEvent(t *testing.T) {
	const size = 8 << 20
	large := strings.Repeat("x", size)
	for _, tc := range []struct {
		name  string
		block []string
		takes int
	}{
		{"data in one line", []string{"data: " + large + "\n\n"}, size},
		{"data in two lines", []string{"data: " + large + "\n", "data: " + large + "\n\n"}, 2 * size},
		{"type", []string{"event: " + large + "\ndata: x\n\n"}, size},
		{"id", []string{"id: " + large + "\ndata: x\n\n"}, size},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reads := append(pieces(tc.block), "id: 1\ndata: x\n\n", "id: 2\ndata: x\n\n", "id: 3\ndata: x\n\n")
			d := sse.NewDecoder(&reads, sse.DecoderOptions{})
			next := func() {
				t.Helper()
				if _, err := d.Next(); err != nil {
					t.Fatal(err)
				}
			}
			next()
			if n := sse.DecoderMemory(d); n < tc.takes {
				t.Fatalf("holds %d bytes with the large event, want at least %d", n, tc.takes)
			}
			next()
			next()
			next()
			if n := sse.DecoderMemory(d); n > 3<<20 {
				t.Errorf("holds %d bytes after the large event, want at most 3 MiB", n)
			}
		})
	}
}

// The largest record that a limit allows does not take twice its size.
func TestDecoderMemoryForLargestEvent(t *testing.T) {
	const size = 16 << 20
	stream := io.MultiReader(strings.NewReader("data: "+strings.Repeat("x", size)), strings.NewReader("\n\n"))
	d := sse.NewDecoder(stream, sse.DecoderOptions{MaxEventBytes: size})
	if ev, err := d.Next(); err != nil || len(ev.Data) != size {
		t.Fatalf("Next() = %d bytes, %v", len(ev.Data), err)
	}
	if n := sse.DecoderMemory(d); n > size+100 {
		t.Errorf("holds %d bytes for data of %d", n, size)
	}
}
