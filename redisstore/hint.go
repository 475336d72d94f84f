package redisstore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
)

// decodeHint reads what hint() of apply.lua writes: a line with the position
// before, the tail, the number of blocks and, if the stream was closed, the
// reason, the time, the size of the detail and the producer; the detail and the
// producer's id; and each block after a line of its own. Nothing at all is a
// hint without a batch.
func decodeHint(message string) (freshet.Hint, error) {
	if message == "" {
		return freshet.Hint{}, nil
	}
	b := &freshet.Batch{}
	h := hintReader{rest: message}
	h.line()
	b.From, b.Tail = h.offset(), h.offset()
	blocks := h.int()
	if len(h.fields) > 0 {
		b.Closed = h.closure()
	}
	for range blocks {
		h.line()
		last, size := h.int(), h.int()
		about, data := strings.Join(h.fields, " "), h.take(size)
		if h.failed {
			break
		}
		err := decodeBlock(uint64(last), about, data, func(r freshet.Record) bool {
			b.Records = append(b.Records, r)
			return true
		})
		if err != nil {
			return freshet.Hint{}, err
		}
	}
	if h.failed || len(h.rest) > 0 {
		return freshet.Hint{}, fmt.Errorf("read hint: %w", errDamaged)
	}
	return freshet.Hint{Batch: b}, nil
}

type hintReader struct {
	rest   string
	fields []string
	failed bool
}

// line makes the next line the one whose fields are read.
func (h *hintReader) line() {
	line, rest, ok := strings.Cut(h.rest, "\n")
	h.rest, h.fields = rest, strings.Split(line, " ")
	h.failed = h.failed || !ok
}

func (h *hintReader) word() (s string) {
	if len(h.fields) == 0 {
		h.failed = true
		return ""
	}
	s, h.fields = h.fields[0], h.fields[1:]
	return s
}

func (h *hintReader) int() int64 {
	n, err := strconv.ParseInt(h.word(), 10, 64)
	h.failed = h.failed || err != nil
	return n
}

func (h *hintReader) offset() freshet.Offset {
	o := freshet.Offset{Seq: uint64(h.int())}
	mark, err := parseMark(h.word())
	h.failed = h.failed || err != nil
	o.Mark = mark
	return o
}

func (h *hintReader) take(n int64) string {
	if n < 0 || n > int64(len(h.rest)) {
		h.failed = true
		return ""
	}
	s := h.rest[:n]
	h.rest = h.rest[n:]
	return s
}

func (h *hintReader) closure() *freshet.Closure {
	c := &freshet.Closure{Closing: freshet.Closing{Reason: freshet.Reason(h.word())}}
	c.At = time.UnixMilli(h.int()).UTC()
	detail := h.int()
	by := &freshet.Producer{Epoch: uint64(h.int()), Seq: uint64(h.int())}
	id := h.int()
	c.Detail = []byte(h.take(detail))
	if id >= 0 {
		by.ID = h.take(id)
		c.By = by
	}
	return c
}
