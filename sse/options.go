package sse

import "math"

// DefaultMaxEventBytes is the value of [DecoderOptions.MaxEventBytes] if none
// is given: 32 MiB.
const DefaultMaxEventBytes = 32 << 20

// DecoderOptions changes how a [Decoder] reads. The zero value reads as an
// EventSource does.
type DecoderOptions struct {
	// MaxEventBytes bounds the size of an event's data, after decoding, and of
	// any line, not counting the name of its field, in bytes. Data of exactly
	// this size is accepted; larger data or a longer line makes [Decoder.Next]
	// return [ErrTooLarge]. The number of comments and of ignored fields in a
	// block is not bounded, as they are not kept. A Decoder holds a few times
	// as much memory at worst, and gives up what a large event took before it
	// waits for the next. 0 or less means [DefaultMaxEventBytes].
	MaxEventBytes int

	// FlushAtEOF makes the end of the input end the last line and the last
	// block. Without it, a last block that has no empty line is dropped, as the
	// standard says, because it may be incomplete. It suits
	// a body whose end is known to be one, such as that of an HTTP request. An error other than
	// [io.EOF] never ends a block.
	FlushAtEOF bool

	// IDOnly makes [Decoder.Next] also return each block that sets the last
	// event ID but has no data field. Its Data is nil. By the standard such a
	// block moves the last event ID and dispatches nothing.
	IDOnly bool

	// LastEventID is the last event ID before the first block. A client that
	// has reconnected gives the one at which its previous response ended.
	LastEventID string

	// OnComment, if not nil, is called for each comment line with what follows
	// the colon and one optional space, exactly as received. It is called by
	// Next, in the goroutine of the caller, and must not retain text nor use
	// the Decoder. Servers send comments so that something arrives on an
	// otherwise silent stream.
	OnComment func(text []byte)
}

func (o *DecoderOptions) maxEventBytes() int {
	if o.MaxEventBytes <= 0 {
		return DefaultMaxEventBytes
	}
	return min(o.MaxEventBytes, math.MaxInt-maxNameBytes-1)
}
