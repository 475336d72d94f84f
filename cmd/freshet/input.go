package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/freshet-stream/freshet/sse"
)

const (
	// pieceBytes is how much is read at once.
	pieceBytes = 16 << 10
	// maxLine is how long a line may be, in bytes: as long as a record.
	maxLine = 16 << 20
)

// readPieces calls send with the input as it arrives. Text is cut only between
// characters, and not within a CRLF that is there as a whole, since readers may
// be shown a piece before the next one is there. A piece is valid during the
// call.
func readPieces(in io.Reader, isText bool, send func(piece []byte) error) error {
	buf := make([]byte, pieceBytes)
	held := 0
	for {
		n, err := in.Read(buf[held:])
		have := buf[:held+n]
		ready := len(have)
		if err == nil && isText {
			ready = cut(have, len(have) == len(buf))
		}
		if ready > 0 {
			if err := send(have[:ready]); err != nil {
				return err
			}
		}
		held = copy(buf, have[ready:])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read input: %w", err)
		}
	}
}

// cut returns how much of the text can leave. It holds back a character that
// has only begun and, if more is there to be read at once, a CR whose LF may
// come.
func cut(text []byte, more bool) int {
	n := len(text)
	if more && n > 1 && text[n-1] == '\r' {
		return n - 1
	}
	for i := n - 1; i >= max(0, n-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return i
			}
			break
		}
	}
	return n
}

// readLines calls send with each line of the input, its line end included. A
// line is valid during the call.
func readLines(in io.Reader, send func(line []byte) error) error {
	r := bufio.NewReaderSize(in, pieceBytes)
	var long []byte
	for number := 1; ; {
		part, err := r.ReadSlice('\n')
		if len(long)+len(part) > maxLine {
			return fmt.Errorf("line %d of the input has more than %d bytes", number, maxLine)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		line := part
		if len(long) > 0 {
			line = append(long, part...)
		}
		if len(line) > 0 {
			if err := send(line); err != nil {
				return err
			}
		}
		long = long[:0]
		number++
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read input: %w", err)
		}
	}
}

// readValues calls send with each line that is not empty, which should be a JSON
// value.
func readValues(in io.Reader, send func(value []byte) error) error {
	number := 0
	return readLines(in, func(line []byte) error {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			return nil
		}
		if err := send(line); err != nil {
			return fmt.Errorf("line %d of the input: %w", number, err)
		}
		return nil
	})
}

// readEvents calls send with each event of the input.
func readEvents(in io.Reader, send func(typ string, data []byte) error) error {
	d := sse.NewDecoder(in, sse.DecoderOptions{FlushAtEOF: true})
	for {
		event, err := d.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read input: %w", err)
		}
		if err := send(string(event.Type), event.Data); err != nil {
			return err
		}
	}
}
