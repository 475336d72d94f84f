package ingest

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/freshet-stream/freshet"
)

// Lines emits the values of newline-delimited JSON, one a line of at most limit
// bytes, until the body ends, which ends the last line. Blank lines are skipped.
// The error is emit's, that of reading, upon which an unfinished line is
// dropped, or [freshet.ErrRecord] or [freshet.ErrTooLarge] with the number of the
// line; the lines before it were emitted.
func Lines(body io.Reader, limit int, emit Emit) error {
	l := &lines{emit: emit, limit: limit}
	for {
		l.buf = slices.Grow(l.buf, readBytes)
		n, err := body.Read(l.buf[len(l.buf):cap(l.buf)])
		l.buf = l.buf[:len(l.buf)+n]
		if end := bytes.LastIndexByte(l.buf[len(l.buf)-n:], '\n'); end >= 0 {
			if err := l.take(len(l.buf) - n + end + 1); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return l.take(len(l.buf))
		case err != nil:
			return err
		case len(l.buf) > limit:
			return freshet.ErrTooLarge.With("line %d has more than %d bytes", l.number+1, limit)
		}
	}
}

// AllLines returns the values of a whole body of newline-delimited JSON.
func AllLines(body []byte, limit int) (records []freshet.Record, err error) {
	err = Lines(bytes.NewReader(body), limit, func(found []freshet.Record) error {
		records = append(records, found...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// lines are what has arrived of a body.
type lines struct {
	emit   Emit
	limit  int
	buf    []byte
	number int
}

// take emits the lines in the first n bytes.
func (l *lines) take(n int) error {
	// The records outlive the buffer, and should not keep more alive than they are.
	whole := bytes.Clone(l.buf[:n])
	l.buf = append(l.buf[:0], l.buf[n:]...)
	var records []freshet.Record
	var bad error
	for line := range bytes.Lines(whole) {
		l.number++
		record, some, err := l.record(line)
		if err != nil {
			bad = err
			break
		}
		if some {
			records = append(records, record)
		}
	}
	if len(records) > 0 {
		if err := l.emit(records); err != nil {
			return err
		}
	}
	return bad
}

func (l *lines) record(line []byte) (record freshet.Record, some bool, err error) {
	line = bytes.TrimSpace(line)
	switch {
	case len(line) == 0:
		return record, false, nil
	case len(line) > l.limit:
		return record, false, freshet.ErrTooLarge.With("line %d has %d bytes and may have %d", l.number, len(line), l.limit)
	}
	if record, err = Value(line); err != nil {
		return record, false, freshet.ErrRecord.With("line %d: %v", l.number, err)
	}
	return record, true, nil
}
