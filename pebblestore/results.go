package pebblestore

import (
	"encoding/binary"
	"errors"

	"github.com/freshet-stream/freshet"
)

// The results of a call are kept so that the call can come again. Most of what
// is in one follows from the one before: an append starts where that one ended.

const (
	resultErr = 1 << iota
	resultDuplicate
	resultClosed
	resultKnown
	resultMoved
)

func appendResults(dst []byte, results []freshet.Result) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(results)))
	if len(results) > 0 {
		dst = appendOffset(dst, results[0].From)
	}
	for i := range results {
		dst = appendResult(dst, &results[i])
	}
	return dst
}

func appendResult(dst []byte, r *freshet.Result) []byte {
	var flags byte
	if r.Err != nil {
		flags |= resultErr
	}
	if r.Duplicate {
		flags |= resultDuplicate
	}
	if r.Closed != nil {
		flags |= resultClosed
	}
	if r.Known {
		flags |= resultKnown
	}
	if r.Tail != r.From {
		flags |= resultMoved
	}
	dst = append(dst, flags)
	if r.Err != nil {
		dst = appendError(dst, r.Err)
	}
	if r.Known {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, r.Epoch), r.Seq)
	}
	if r.Tail != r.From {
		dst = appendMark(binary.AppendUvarint(dst, r.Tail.Seq-r.From.Seq), r.Tail.Mark)
	}
	return dst
}

// results is the inverse of appendResults. closed is the stream's closure: the
// one that a result has can only be that.
func (d *decoder) results(closed *freshet.Closure) []freshet.Result {
	n := d.uint()
	if n > uint64(len(d.rest)) { // each takes a byte at least
		d.fail()
		return nil
	}
	results := make([]freshet.Result, n)
	var tail freshet.Offset
	if n > 0 {
		tail = d.offset()
	}
	for i := range results {
		r := &results[i]
		flags := d.byte()
		r.From = tail
		r.Duplicate, r.Known = flags&resultDuplicate != 0, flags&resultKnown != 0
		if flags&resultErr != 0 {
			r.Err = d.error()
		}
		if r.Known {
			r.Epoch, r.Seq = d.uint(), d.uint()
		}
		if flags&resultMoved != 0 {
			tail = freshet.Offset{Seq: tail.Seq + d.uint(), Mark: d.mark()}
		}
		if flags&resultClosed != 0 {
			r.Closed = closed
		}
		r.Tail = tail
	}
	return results
}

func appendError(dst []byte, err error) []byte {
	var coded *freshet.Error
	if !errors.As(err, &coded) {
		coded = freshet.ErrUnavailable.With("%v", err)
	}
	return appendBytes(appendBytes(dst, coded.Code), coded.Detail)
}

func (d *decoder) error() error {
	code, detail := d.string(), d.string()
	err := freshet.ErrorByCode(code)
	if err == nil || err.Error() == detail {
		return err
	}
	return &freshet.Error{Code: code, Detail: detail}
}
