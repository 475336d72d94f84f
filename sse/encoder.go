package sse

import (
	"io"
	"time"
)

// Encoder writes a stream to an [io.Writer]. Create it with [NewEncoder].
//
// Each method makes one call of Write, with what the Append function of the
// like name appends, and returns the error of Write as it is. It does not
// flush: over HTTP, that is for [net/http.ResponseController]. An Encoder must
// not be used by two goroutines at the same time. It does not close its writer.
type Encoder struct {
	w   io.Writer
	buf []byte
}

// NewEncoder returns an Encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder {
	return &Encoder{w: w}
}

// Event writes a block with typ, data and id, as by [AppendEvent].
func (e *Encoder) Event(typ string, data []byte, id string) error {
	return e.write(AppendEvent(e.buf, typ, data, id))
}

// ID writes a block with only an id, as by [AppendID].
func (e *Encoder) ID(id string) error {
	return e.write(AppendID(e.buf, id))
}

// Comment writes a comment, as by [AppendComment]. It serves as a heartbeat.
func (e *Encoder) Comment(text string) error {
	return e.write(AppendComment(e.buf, text))
}

// Retry writes a reconnection time, as by [AppendRetry].
func (e *Encoder) Retry(d time.Duration) error {
	return e.write(AppendRetry(e.buf, d))
}

func (e *Encoder) write(b []byte) error {
	_, err := e.w.Write(b)
	e.buf = recycle(b)
	return err
}
