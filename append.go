package freshet

import (
	"strconv"
	"time"
)

// A Producer names one append of a writer that wants to be able to repeat it.
// Sequence numbers start at 0 in each epoch and rise by one with each append;
// a higher epoch fences the lower ones (Durable Streams, section 5.2.1).
type Producer struct {
	ID         string
	Epoch, Seq uint64
}

// MaxProducerNumber is the largest epoch and sequence number of a producer.
const MaxProducerNumber = 1<<53 - 1

// ParseProducer reads the three values as they come in headers. All three
// empty is no producer. The error is [ErrProducer].
func ParseProducer(id, epoch, seq string, present int) (*Producer, error) {
	switch {
	case present == 0:
		return nil, nil
	case present < 3:
		return nil, ErrProducer.With("Producer-Id, Producer-Epoch and Producer-Seq go together; send all three or none")
	}
	e, err := parseProducerNumber("Producer-Epoch", epoch)
	if err != nil {
		return nil, err
	}
	s, err := parseProducerNumber("Producer-Seq", seq)
	if err != nil {
		return nil, err
	}
	p := &Producer{ID: id, Epoch: e, Seq: s}
	return p, p.Validate()
}

func parseProducerNumber(header, s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > MaxProducerNumber || s[0] == '+' {
		return 0, ErrProducer.With("%s is %s and has to be a whole number from 0 to 2^53-1", header, quote(s))
	}
	return n, nil
}

// Validate returns [ErrProducer] if p cannot name an append.
func (p *Producer) Validate() error {
	switch {
	case p.ID == "":
		return ErrProducer.With("the producer's id is empty")
	case len(p.ID) > MaxProducerIDBytes:
		return ErrProducer.With("the producer's id has %d bytes and may have %d", len(p.ID), MaxProducerIDBytes)
	case p.Epoch > MaxProducerNumber || p.Seq > MaxProducerNumber:
		return ErrProducer.With("the producer's epoch and sequence may be 2^53-1 at most")
	}
	return nil
}

// An Append is what is to happen to a stream in one step: all of it or nothing.
type Append struct {
	// Records to write, in order. May be empty if the append does something
	// else.
	Records []Record
	// ContentType, if not "", has to be the stream's.
	ContentType string
	// Producer, if not nil, makes the append one that can be repeated.
	Producer *Producer
	// PerRecord says that the producer counts records instead of appends: its
	// sequence number is that of the first of Records. Those of them that have
	// landed before are left out.
	PerRecord bool
	// StreamSeq, if not "", has to be greater, byte by byte, than that of the
	// last append which had one.
	StreamSeq string
	// Expect, if not nil, has to be the stream's tail.
	Expect *Offset
	// Close, if not nil, closes the stream after the records.
	Close *Closing
	// Lease, if not zero, lets the stream be closed as interrupted when it was
	// not renewed for as long.
	Lease time.Duration
	// Meta, if not nil, replaces the stream's.
	Meta []byte
}

// Limits bound what one append may carry, in bytes.
type Limits struct {
	// Record is the largest record, inclusive. 0 means 16 MiB.
	Record int
	// Append is the largest append, inclusive. 0 means 64 MiB.
	Append int
}

// WithDefaults returns l with its zero fields filled in.
func (l Limits) WithDefaults() Limits {
	if l.Record <= 0 {
		l.Record = 16 << 20
	}
	if l.Append <= 0 {
		l.Append = 64 << 20
	}
	return l
}

// Validate reports what in the append no stream would take, as [ErrEmpty],
// [ErrTooLarge], [ErrProducer], [ErrReason], [ErrRecord] or [ErrStale]. Every transport's
// append passes here.
func (a *Append) Validate(limits Limits) error {
	limits = limits.WithDefaults()
	if len(a.Records) == 0 && a.Close == nil && a.Lease == 0 && a.Meta == nil {
		return ErrEmpty
	}
	size := 0
	for i := range a.Records {
		r := &a.Records[i]
		if r.Size() > limits.Record {
			return ErrTooLarge.With("record %d has %d bytes and may have %d; split it, or raise --max-record", i, r.Size(), limits.Record)
		}
		if err := validateType(r.Type); err != nil {
			return err
		}
		size += r.Size()
	}
	switch {
	case size > limits.Append:
		return ErrTooLarge.With("the append has %d bytes and may have %d; send it in pieces, or raise --max-body", size, limits.Append)
	case len(a.Meta) > MaxMetaBytes:
		return ErrTooLarge.With("meta has %d bytes and may have %d", len(a.Meta), MaxMetaBytes)
	case len(a.StreamSeq) > maxStreamSeqBytes:
		return ErrStale.With("Stream-Seq has %d bytes and may have %d", len(a.StreamSeq), maxStreamSeqBytes)
	case a.Lease < 0:
		return ErrSpec.With("the lease is negative")
	}
	if a.Close != nil {
		if len(a.Close.Detail) > MaxDetailBytes {
			return ErrTooLarge.With("the close's detail has %d bytes and may have %d", len(a.Close.Detail), MaxDetailBytes)
		}
		if _, err := ParseReason(string(a.Close.Reason)); err != nil {
			return err
		}
	}
	switch {
	case a.Producer == nil && a.PerRecord, a.PerRecord && len(a.Records) == 0:
		return ErrProducer.With("an append that counts records needs a producer and records")
	case a.Producer == nil:
		return nil
	case a.lastSeq() > MaxProducerNumber:
		return ErrProducer.With("the producer's sequence may be 2^53-1 at most")
	}
	return a.Producer.Validate()
}

// lastSeq returns the sequence number that the append's producer has reached
// with it.
func (a *Append) lastSeq() uint64 {
	if a.PerRecord {
		return a.Producer.Seq + uint64(len(a.Records)) - 1
	}
	return a.Producer.Seq
}

// The types of the events with which a transport itself tells an end and a
// gap; no record may have them.
const (
	TypeClosed = "stream-closed"
	TypeGap    = "stream-gap"
)

func validateType(t string) error {
	if t == TypeClosed || t == TypeGap {
		return ErrRecord.With("the event type %q belongs to the server; choose another", t)
	}
	for i := range len(t) {
		if t[i] == '\n' || t[i] == '\r' {
			return ErrRecord.With("an event type cannot contain a line break")
		}
	}
	return nil
}

// A Result is how one append was judged.
type Result struct {
	// Err is nil if the append landed, now or before. It is one of [ErrClosed],
	// [ErrTypeMismatch], [ErrStale], [ErrExpected], [ErrFenced],
	// [ErrEpochStart], [ErrSequence], [ErrProducers], [ErrEmpty] and
	// [ErrUncertain]; the fields below are set all the same.
	Err error
	// Duplicate says that the producer's append had landed before.
	Duplicate bool
	// From and Tail are the stream's tail before and after.
	From, Tail Offset
	// Closed is the stream's closure, nil while it is open.
	Closed *Closure
	// Known says that the stream knows the append's producer: Epoch is its
	// epoch and Seq the last sequence number that landed in it.
	Known      bool
	Epoch, Seq uint64
}

// Expected returns the sequence number that the producer has to send next.
func (r *Result) Expected() uint64 {
	if !r.Known {
		return 0
	}
	return r.Seq + 1
}

// Landed reports whether an append of p is in the stream for certain, although
// a retry of it may have been refused since the stream was closed meanwhile.
func (r *Result) Landed(p Producer) bool {
	return r.Err == nil || r.Known && r.Epoch == p.Epoch && p.Seq <= r.Seq
}
