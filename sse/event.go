package sse

// Event is one event of a stream, in the form in which section 9.2.6 of the
// HTML standard dispatches it.
//
// The slices of an Event returned by [Decoder.Next] belong to the Decoder and
// are valid until the next call of Next. They are well-formed UTF-8.
type Event struct {
	// Type is the value of the block's last event field. If it is empty, the
	// event is of the type "message".
	Type []byte

	// Data holds the values of the block's data fields, joined with LF. It is
	// nil if the block has no data field, which only an event returned because
	// of [DecoderOptions.IDOnly] can lack; the value of an empty data field is
	// empty but not nil.
	Data []byte

	// ID is the last event ID of the stream after this block, whether this
	// block set it or an earlier one did, or empty if there is none.
	ID []byte

	// HasID reports whether this block set ID itself, even to the value that
	// it had before or to the empty one.
	HasID bool

	// Unfinished reports whether the input ended before the empty line of this
	// block, which is then returned only because of [DecoderOptions.FlushAtEOF].
	Unfinished bool
}
