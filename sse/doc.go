// Package sse reads and writes the event stream format, text/event-stream, of
// server-sent events.
//
// It follows the WHATWG HTML standard, chapter "Server-sent events", to the
// letter: section 9.2.5, "Parsing an event stream", and section 9.2.6,
// "Interpreting an event stream". Text is decoded as the Encoding standard
// says: one leading byte order mark is dropped, and each maximal subpart of an
// ill-formed sequence becomes one U+FFFD.
//
// # Words
//
// A stream is a sequence of blocks. A block is a number of lines, each a field
// or a comment, up to and including an empty line. The empty line dispatches
// the block as an event if the block has a data field; otherwise the block has
// no event, though its id and retry fields still count. A line ends with LF,
// CR or CRLF. The last event ID is sticky: each event carries the last one
// that the stream has set, be it in an earlier block.
//
// # Reading
//
// [Decoder] reads events from an [io.Reader]. It delivers an event as soon as
// the first byte of the line end of its empty line has been read, and it calls
// Read only when its buffer holds no further event. A reader that wants to
// treat all the events which arrived together as one batch can therefore end
// the batch in its Read method.
//
// # Writing
//
// The Append functions write to a byte slice, in the manner of [strconv]. They
// do not allocate if it has room, except to repair a string. Whatever their arguments hold, the output is
// well-formed and has no field, event or comment that the caller did not ask
// for: text has its line breaks turned into further lines, and what a field
// cannot carry becomes U+FFFD. [Encoder] puts them before an [io.Writer].
//
// Nothing in this package starts a goroutine or a timer or closes anything.
package sse
