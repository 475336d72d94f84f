package freshet

import "fmt"

// An Error is what went wrong under a stable code. Compare with [errors.Is]
// and the sentinels below, which looks at the code alone.
type Error struct {
	// Code is stable: programs may compare it.
	Code string
	// Detail is for people and says what to do. It may change.
	Detail string
}

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// Is reports whether target is an [Error] with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// With returns an error of the same code with a detail of its own.
func (e *Error) With(format string, args ...any) *Error {
	return &Error{Code: e.Code, Detail: fmt.Sprintf(format, args...)}
}

// The errors of the domain, each with its code.
var (
	ErrName        = &Error{"bad_name", "the stream's name is not valid"}
	ErrReserved    = &Error{"reserved", "clients may not create or append under this name"}
	ErrOffset      = &Error{"bad_offset", "the offset is malformed"}
	ErrReason      = &Error{"bad_reason", "the close reason is unknown"}
	ErrContentType = &Error{"bad_content_type", "the content type is malformed"}
	ErrSpec        = &Error{"bad_spec", "the stream cannot be created so"}

	ErrNotFound = &Error{"not_found", "the stream does not exist; create it with PUT"}
	ErrGap      = &Error{"gap", "the stream cannot be continued from this offset"}
	ErrConflict = &Error{"exists", "the stream exists and is configured differently"}

	ErrEmpty        = &Error{"empty_append", "the append has nothing to append; send records, or close the stream"}
	ErrRecord       = &Error{"bad_record", "the content cannot be a record of this stream"}
	ErrTooLarge     = &Error{"too_large", "the content is too large"}
	ErrTypeMismatch = &Error{"content_type_mismatch", "the stream has another content type"}
	ErrClosed       = &Error{"closed", "the stream is closed and takes no more records"}
	ErrStale        = &Error{"stale_sequence", "the Stream-Seq is not greater than the last one"}
	ErrExpected     = &Error{"unexpected_tail", "the stream's tail is not the expected one"}

	ErrProducer   = &Error{"bad_producer", "the producer's id, epoch or sequence is malformed"}
	ErrFenced     = &Error{"fenced", "a newer epoch of this producer has taken over"}
	ErrEpochStart = &Error{"bad_epoch_start", "a new epoch has to start at sequence 0"}
	ErrSequence   = &Error{"sequence_gap", "appends of this producer are missing in between"}
	ErrProducers  = &Error{"too_many_producers", "the stream remembers as many producers as it can; try again later"}

	ErrUncertain   = &Error{"uncertain", "the append may or may not have landed; look before you repeat it, or name the producer"}
	ErrUnavailable = &Error{"unavailable", "the store cannot be reached; try again"}
	ErrOverloaded  = &Error{"overloaded", "too much is waiting to be written; slow down and try again"}
	ErrShutdown    = &Error{"shutting_down", "the server is shutting down; try another, or this one again soon"}
)

// sentinels finds an error by its code, to read back what was stored.
var sentinels = map[string]*Error{
	ErrEmpty.Code: ErrEmpty, ErrTypeMismatch.Code: ErrTypeMismatch, ErrClosed.Code: ErrClosed,
	ErrStale.Code: ErrStale, ErrExpected.Code: ErrExpected, ErrFenced.Code: ErrFenced,
	ErrEpochStart.Code: ErrEpochStart, ErrSequence.Code: ErrSequence,
	ErrProducers.Code: ErrProducers, ErrUncertain.Code: ErrUncertain,
}

// ErrorByCode returns the sentinel that judging an append gives under this
// code, for stores that keep results. It returns nil for "", and for a code it
// does not know an error with that code.
func ErrorByCode(code string) error {
	if code == "" {
		return nil
	}
	if err, ok := sentinels[code]; ok {
		return err
	}
	return &Error{Code: code, Detail: code}
}

// The reasons for which a cursor cannot be served.
const (
	// GapTrimmed: the records after the cursor were given up by retention.
	GapTrimmed = "trimmed"
	// GapAhead: the cursor is beyond the tail, or knows of an end that is none.
	GapAhead = "ahead"
	// GapDiverged: the cursor belongs to another history: to an earlier
	// stream of this name, to another stream, or to a tail that was lost.
	GapDiverged = "diverged"
	// GapDeleted: the stream was deleted.
	GapDeleted = "deleted"
	// GapExpired: the stream's time was over.
	GapExpired = "expired"
	// GapUnknown: there is no such stream, and nothing is known of one.
	GapUnknown = "unknown"
)

// A GapError says that a cursor cannot be served. It is an [ErrGap].
type GapError struct {
	// Why is one of the Gap constants.
	Why string
	// Oldest is the position before the oldest retained record.
	Oldest Offset
	// Tail is the position after the last record.
	Tail Offset
}

// Error says why the cursor cannot be served and where to go on.
func (e *GapError) Error() string {
	switch e.Why {
	case GapTrimmed:
		return fmt.Sprintf("the records after the offset are no longer retained; the oldest starts at %v", e.Oldest)
	case GapAhead:
		return fmt.Sprintf("the offset is beyond the tail, %v", e.Tail)
	case GapDiverged:
		return fmt.Sprintf("the offset belongs to another history of the stream; this one starts at %v", e.Oldest)
	}
	return "the stream is gone: " + e.Why
}

// Is reports whether target is [ErrGap].
func (e *GapError) Is(target error) bool { return target == error(ErrGap) }
