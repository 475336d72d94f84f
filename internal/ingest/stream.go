package ingest

import (
	"bytes"
	"errors"
	"io"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/sse"
)

// An Emit takes the records of a body that have arrived, before more is waited
// for. They are its own.
type Emit func([]freshet.Record) error

// readBytes is how much of a body is read at once.
const readBytes = 64 << 10

// Pieces emits a body as it arrives, cut anywhere, until it ends. The error is
// emit's, or that of reading.
func Pieces(body io.Reader, emit Emit) error {
	buf := make([]byte, readBytes)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if err := emit([]freshet.Record{{Data: bytes.Clone(buf[:n])}}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Events emits the events of an event stream, of at most limit bytes each, until
// it ends, which ends the last event. The error is emit's, that of reading, upon
// which an unfinished event is dropped, or [freshet.ErrTooLarge].
func Events(body io.Reader, limit int, emit Emit) error {
	source := &eventSource{body: body, emit: emit}
	d := sse.NewDecoder(source, sse.DecoderOptions{FlushAtEOF: true, MaxEventBytes: limit})
	for {
		event, err := d.Next()
		switch {
		case errors.Is(err, io.EOF):
			return source.flush()
		case errors.Is(err, sse.ErrTooLarge):
			return errors.Join(source.flush(), freshet.ErrTooLarge.With("an event has more than %d bytes", limit))
		case err != nil:
			return err
		}
		source.found = append(source.found, eventRecord(&event))
	}
}

// An eventSource emits what the decoder has found when the decoder needs more.
type eventSource struct {
	body  io.Reader
	emit  Emit
	found []freshet.Record
}

func (s *eventSource) Read(p []byte) (int, error) {
	if err := s.flush(); err != nil {
		return 0, err
	}
	return s.body.Read(p)
}

func (s *eventSource) flush() error {
	found := s.found
	s.found = nil
	if len(found) == 0 {
		return nil
	}
	return s.emit(found)
}

// eventRecord returns an event as a record, which shares nothing with it.
func eventRecord(e *sse.Event) freshet.Record {
	r := freshet.Record{Type: string(e.Type), Data: bytes.Clone(e.Data)}
	if e.HasID {
		r.ID = string(e.ID)
	}
	return r
}
