package freshet

import "time"

// A Span is the records of one append, which are kept or given up together.
type Span struct {
	// Last is the position after the last of them, and Bytes their size.
	Last  Offset
	Bytes int64
	// At is when they landed.
	At time.Time
}

// Spans returns the spans of consecutive whole appends that landed at a time,
// as a [Change] has them: their records have one mark.
func Spans(records []Record, at time.Time) (spans []Span) {
	for i := range records {
		r := &records[i]
		if i == 0 || records[i-1].Offset.Mark != r.Offset.Mark {
			spans = append(spans, Span{At: at})
		}
		last := &spans[len(spans)-1]
		last.Last = r.Offset
		last.Bytes += int64(r.Size())
	}
	return spans
}

// Trim gives up the oldest spans of a stream until what is left is within the
// bounds of [Spec].Retain on records and bytes, or is the last one. A store
// does it with the info of each [Change] that has records, before it writes the
// change, which then has an Oldest that has moved. next returns the span that
// begins at the position before, the first time that which begins at Oldest; it
// is not called for nothing. The error is that of next.
func (i *Info) Trim(next func() (Span, error)) error {
	trimmed := false
	for i.Spec.Retain.Exceeded(i.Tail.Seq-i.Oldest.Seq, i.Bytes) {
		span, err := next()
		switch {
		case err != nil:
			return err
		case span.Last == i.Tail:
			i.aging(span)
			return nil
		}
		i.giveUp(span)
		trimmed = true
	}
	if !trimmed || i.Spec.Retain.Age == 0 {
		return nil
	}
	span, err := next()
	if err == nil {
		i.aging(span)
	}
	return err
}

// TrimAged gives up the spans that are as old at the time now as
// [Spec].Retain.Age allows. next is as in Trim.
func (i *Info) TrimAged(now time.Time, next func() (Span, error)) error {
	for i.Aged(now) {
		span, err := next()
		if err != nil {
			return err
		}
		i.aging(span)
		if !i.Aged(now) {
			return nil
		}
		i.giveUp(span)
	}
	return nil
}

// Aged reports whether Sweep has records to give up at the time now, since they
// are too old.
func (i *Info) Aged(now time.Time) bool {
	at := i.agesAt()
	return !at.IsZero() && !now.Before(at)
}

// agesAt returns when the oldest records are too old, or the zero time if never.
func (i *Info) agesAt() time.Time {
	if i.OldestAt.IsZero() {
		return time.Time{}
	}
	return i.OldestAt.Add(i.Spec.Retain.Age)
}

// aging notes that a span is the oldest that is kept.
func (i *Info) aging(span Span) {
	if i.Spec.Retain.Age > 0 {
		i.OldestAt = span.At
	}
}

// giveUp takes out the oldest span.
func (i *Info) giveUp(span Span) {
	i.Oldest = span.Last
	i.Bytes -= span.Bytes
	if i.Oldest == i.Tail {
		i.OldestAt = time.Time{}
	}
}
