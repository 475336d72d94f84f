package freshet

import (
	"bytes"
	"time"
)

// An Info is what is known of a stream beside its records.
type Info struct {
	Name string
	Spec Spec
	// Created is when, by the store's clock; all times here are.
	Created time.Time
	// Oldest is the position before the oldest retained record. Its number and
	// mark stay known when the record before it is gone.
	Oldest Offset
	// OldestAt is when the append after Oldest landed. It is kept, while there
	// is one, of streams that bound the age of records.
	OldestAt time.Time
	// Tail is the position after the last record.
	Tail Offset
	// Bytes is the size of the retained records.
	Bytes int64
	// Appended is when the last append landed, or Created.
	Appended time.Time
	// Touched is when the stream was last used in the sense of [Spec].TTL.
	Touched time.Time
	// Closed is nil while the stream is open.
	Closed *Closure
	// Lease, if not zero, is when the stream is closed as [Interrupted]
	// unless an append or a renewal moves it.
	Lease time.Time
	// LeaseTerm is by how much an append moves Lease.
	LeaseTerm time.Duration
	// Watched, if not zero, is until when some server has said that it has
	// followers.
	Watched time.Time
	// Meta belongs to the creator, and is replaced by appends that carry one.
	Meta []byte
}

// Expiry returns when the stream ends, or the zero time if it does not.
func (i *Info) Expiry() time.Time {
	switch s := &i.Spec; {
	case !s.Expires.IsZero():
		return s.Expires
	case s.TTL > 0:
		return i.Touched.Add(s.TTL)
	case i.Closed != nil && s.KeepClosed > 0:
		return i.Closed.At.Add(s.KeepClosed)
	case i.Closed == nil && s.KeepOpen > 0:
		return i.Appended.Add(s.KeepOpen)
	}
	return time.Time{}
}

// Expired reports whether the stream has ended at the time now.
func (i *Info) Expired(now time.Time) bool {
	at := i.Expiry()
	return !at.IsZero() && !now.Before(at)
}

// EndsAt reports whether the stream is closed and nothing comes after a position.
// Without records, that is so of its beginning too, whose reader need not know
// the mark.
func (i *Info) EndsAt(told Offset) bool {
	return i.Closed != nil && (told == i.Tail || told.IsBeginning() && i.Tail.Seq == 0)
}

// Overdue reports whether the stream's lease has run out at the time now.
func (i *Info) Overdue(now time.Time) bool {
	return i.Closed == nil && !i.Lease.IsZero() && !now.Before(i.Lease)
}

// Deadline returns when [Store].Sweep next has work with the stream, or the
// zero time if never.
func (i *Info) Deadline() time.Time {
	at := i.Expiry()
	if i.Closed == nil {
		at = earlier(at, i.Lease)
	}
	return earlier(at, i.agesAt())
}

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Clone returns a copy that shares nothing which may change.
func (i Info) Clone() Info {
	i.Meta = bytes.Clone(i.Meta)
	if i.Closed != nil {
		closed := *i.Closed
		i.Closed = &closed
	}
	return i
}

// Locate checks that a position lies in the stream's history. It returns where
// reading starts, or a [*GapError]. It calls mark for the mark of the retained
// record with the given number, if it has to.
func (i *Info) Locate(from Offset, mark func(seq uint64) (Mark, error)) (Offset, error) {
	gap := func(why string) error { return &GapError{Why: why, Oldest: i.Oldest, Tail: i.Tail} }
	known := Offset{Seq: from.Seq}
	switch {
	case from.IsBeginning():
		return i.Oldest, nil
	case from.Seq > i.Tail.Seq:
		return from, gap(GapAhead)
	case from.Seq < i.Oldest.Seq:
		return from, gap(GapTrimmed)
	case from.Seq == i.Tail.Seq:
		known = i.Tail
	case from.Seq == i.Oldest.Seq:
		known = i.Oldest
	default:
		m, err := mark(from.Seq)
		if err != nil {
			return from, err
		}
		known.Mark = m
	}
	if from != known {
		return from, gap(GapDiverged)
	}
	return from, nil
}
