package client

import (
	"fmt"
	"io"

	"github.com/freshet-stream/freshet"
)

// A Record is a piece of a stream.
type Record struct {
	// Offset is the position after the record, at which following can go on. It
	// is "" where the transport does not tell it: of the records in one answer
	// to a long-poll only the last has one. It is not looked at on appending.
	Offset string
	// Type is the event's type, on event streams only.
	Type string
	// Data is the content. Of a text stream it may be several records joined,
	// and always whole characters.
	Data []byte
}

// An EndError says that a stream was closed and that all of it has been read.
// With [errors.Is] it equals [io.EOF].
type EndError struct {
	// Reason is why the stream was closed. After a gap it can also be one of
	// [freshet.GapDeleted], [freshet.GapExpired] and [freshet.GapUnknown], and it
	// is "" if the server does not tell.
	Reason freshet.Reason
	// Offset is the position after the last record.
	Offset string
}

// Error says why the stream ended.
func (e *EndError) Error() string {
	if e.Reason == "" {
		return "the stream is closed"
	}
	return fmt.Sprintf("the stream is closed: %s", e.Reason)
}

// Is reports whether target is [io.EOF].
func (e *EndError) Is(target error) bool { return target == io.EOF }

// A GapError says that the server cannot go on from the last offset. With
// [errors.Is] it equals [freshet.ErrGap].
type GapError struct {
	// Why is one of the Gap constants of package freshet.
	Why string
	// Requested is the offset that cannot be served.
	Requested string
	// Resumed is where following goes on if it is to go on: at the oldest record
	// that the server has, or at "-1", the beginning of a stream that may exist
	// again one day.
	Resumed string
}

// Error says what cannot be read and where it would go on.
func (e *GapError) Error() string {
	switch e.Why {
	case freshet.GapTrimmed:
		return fmt.Sprintf("records are lost: the server no longer has those after %s; the oldest starts at %s", e.Requested, e.Resumed)
	case freshet.GapAhead:
		return fmt.Sprintf("records are lost: %s is beyond the stream's tail", e.Requested)
	case freshet.GapDiverged:
		return fmt.Sprintf("records are lost: %s belongs to another history of the stream, this one starts at %s", e.Requested, e.Resumed)
	}
	return fmt.Sprintf("records may be lost: the stream is gone (%s)", e.Why)
}

// Is reports whether target is [freshet.ErrGap].
func (e *GapError) Is(target error) bool { return target == error(freshet.ErrGap) }
