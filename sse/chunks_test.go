package sse_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/freshet-stream/freshet/sse"
)

// allOptions are the options under which a stream may mean something else.
var allOptions = []sse.DecoderOptions{
	{},
	{IDOnly: true, LastEventID: "initial"},
	{FlushAtEOF: true},
	{FlushAtEOF: true, IDOnly: true},
}

// checkReader compares what a Decoder makes of r, which reads stream, with what
// the reference does.
func checkReader(t *testing.T, how string, r io.Reader, stream []byte, opts sse.DecoderOptions) {
	t.Helper()
	got, err := decode(r, opts)
	if err != io.EOF {
		t.Fatalf("%s: decode %.300q: error %v, want io.EOF", how, stream, err)
	}
	if want := reference(stream, opts); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: decode %.300q:\n got %.300s\nwant %.300s", how, stream, fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
}

// checkChunks compares reads of many sizes.
func checkChunks(t *testing.T, stream []byte, seed uint64) {
	t.Helper()
	for _, opts := range allOptions {
		reader := func() io.Reader { return bytes.NewReader(stream) }
		checkReader(t, "one read", reader(), stream, opts)
		checkReader(t, "one read with EOF", iotest.DataErrReader(reader()), stream, opts)
		checkReader(t, "one byte a read", iotest.OneByteReader(reader()), stream, opts)
		checkReader(t, "half a buffer a read", iotest.HalfReader(reader()), stream, opts)
		for range 3 {
			r := &ragged{r: reader(), rand: rand.New(rand.NewPCG(seed, 1))}
			checkReader(t, "random reads", r, stream, opts)
			seed++
		}
	}
}

// ragged reads a random number of bytes at a time, mostly few.
type ragged struct {
	r    io.Reader
	rand *rand.Rand
}

func (r *ragged) Read(b []byte) (int, error) {
	size := 1 + r.rand.IntN(1<<r.rand.IntN(8))
	return r.r.Read(b[:min(len(b), size)])
}

// morsels are what generated streams are made of: all that has a meaning of its
// own, whole and in part.
var morsels = []string{
	"\n", "\n", "\n\n", "\r", "\r", "\r\r", "\r\n", "\r\n", "\r\n\r\n", "\n\r",
	"data", "data:", "data: ", "data:  ", "data: x\n\n", "data: hello\r\n", "datum: ",
	"id", "id:", "id: ", "id: 7\n", "id: 8\n\n", "event", "event:", "event: e\r",
	"retry", "retry: ", "retry: 10\n", "retry: 99999999999999\n", "0", "9",
	":", ": ", ":c\n", " ", "x", "hello", "\x00",
	"\uFEFF", "\xef", "\xbb", "\xbf", "é", "€", "😀", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\x80",
	"\xed\xa0\x80", "\xc0\xaf", "\xf4\x90", "\xff", "\uFFFD", "\u2028",
}

func TestDecoderChunksOfGeneratedStreams(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for seed := range uint64(2000) {
		var stream []byte
		for range r.IntN(40) {
			stream = append(stream, morsels[r.IntN(len(morsels))]...)
		}
		checkChunks(t, stream, seed)
	}
}

// Every way to divide a stream into three reads.
func TestDecoderChunksAtEveryByte(t *testing.T) {
	for _, stream := range []string{
		"\uFEFFdata: a\r\ndata: €\r\n\r\nid: 1\r\n\r\n:c\r\ndata",
		"event: e\rdata: a\r\rdata: \xf0\x9f\x98\rid: \x00\r\r\n\ndata\n\n",
		"data:a\n\ndata: \n\ndata\ndata\n\nretry: 12\nid\n\n",
	} {
		for i := range len(stream) + 1 {
			for j := i; j <= len(stream); j++ {
				reads := pieces{stream[:i], stream[i:j], stream[j:]}
				checkReader(t, "three reads", &reads, []byte(stream), sse.DecoderOptions{IDOnly: true})
			}
		}
	}
}

// Every place of a block relative to the end of the buffer, as it is at first
// and as a long line has left it.
func TestDecoderChunksAtBufferEnd(t *testing.T) {
	const block = "event: e\r\ndata: a\r\ndata: \xe2\x82\xac\r\nid: 1\r\n\r\n"
	for _, size := range []int{4 << 10, 64 << 10} {
		for shift := range len(block) + 8 {
			stream := []byte(":" + strings.Repeat("x", size-shift) + "\n" + block + block)
			checkReader(t, "one read", bytes.NewReader(stream), stream, sse.DecoderOptions{})
		}
	}
}

// The memory that a long line took is given up without loss of what follows.
func TestDecoderChunksAfterLargeEvent(t *testing.T) {
	large := "data: " + strings.Repeat("x", 3<<20) + "\ndata: y\n\n"
	small := "id: 1\ndata: small\n\n"
	stream := []byte(large + strings.Repeat(small, 1000) + large + small)
	for _, size := range []int{100, 4 << 10, 1 << 20, 5 << 20} {
		checkReader(t, "reads of one size", &sized{bytes.NewReader(stream), size}, stream, sse.DecoderOptions{})
	}
}

type sized struct {
	r    io.Reader
	size int
}

func (s *sized) Read(b []byte) (int, error) {
	return s.r.Read(b[:min(len(b), s.size)])
}
