package redisstore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/freshet-stream/freshet"
)

const (
	resultDuplicate = 1 << iota
	resultClosed
	resultKnown
)

// results reads what the scripts have made of the appends of a call: the tail
// before, a line for each, and the closure. The marks follow from the nonce.
func (r *reply) results(call *freshet.Call) []freshet.Result {
	tail, list, closed := r.offset(), r.list(), r.closure()
	results := make([]freshet.Result, len(list.rest))
	for i := range results {
		result, written, err := decodeResult(list.word())
		if err != nil && r.err == nil {
			r.err = err
		}
		result.From = tail
		if written > 0 {
			tail = freshet.Offset{Seq: tail.Seq + written, Mark: tail.Mark.Next(call.Nonce, i)}
		}
		result.Tail = tail
		if result.Closed != nil {
			result.Closed = closed
		}
		results[i] = result
	}
	return results
}

// decodeResult reads what encode() of judge.lua writes. Closed is a mere sign
// that the stream was closed.
func decodeResult(line string) (r freshet.Result, written uint64, err error) {
	fields := strings.SplitN(line, " ", 6)
	if len(fields) < 6 {
		return r, 0, fmt.Errorf("read result %q: %w", line, errDamaged)
	}
	var numbers [4]uint64
	for i := range numbers {
		if numbers[i], err = strconv.ParseUint(fields[i], 10, 64); err != nil {
			return r, 0, fmt.Errorf("read result %q: %w", line, errDamaged)
		}
	}
	flags := numbers[0]
	r.Duplicate, r.Known = flags&resultDuplicate != 0, flags&resultKnown != 0
	r.Epoch, r.Seq = numbers[2], numbers[3]
	if flags&resultClosed != 0 {
		r.Closed = &freshet.Closure{}
	}
	r.Err = refusal(fields[4], fields[5])
	return r, numbers[1], nil
}

// refusal is the error with a code, in the words of [freshet.State.Judge].
func refusal(code, about string) error {
	switch code {
	case "-":
		return nil
	case freshet.ErrTypeMismatch.Code:
		return freshet.ErrTypeMismatch.With("the stream has the content type %s; send that", about)
	case freshet.ErrStale.Code:
		return freshet.ErrStale.With("the Stream-Seq is not greater than the last one, %s", strconv.QuoteToASCII(about))
	}
	return freshet.ErrorByCode(code)
}
