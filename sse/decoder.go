package sse

import (
	"io"
	"time"
)

// Decoder reads the events of one stream, by sections 9.2.5 and 9.2.6 of the
// HTML standard. Create it with [NewDecoder].
//
// A Decoder must not be used by two goroutines at the same time. It does not
// close its reader; to end a Next that waits, make the reader's Read return.
type Decoder struct {
	opts  DecoderOptions
	limit int // of the data of an event, in bytes
	in    lines
	block block
	err   error // what Next returns from now on

	id       []byte // the standard's "last event ID string"
	retry    time.Duration
	hasRetry bool
}

// NewDecoder returns a Decoder that reads from r. It reads ahead, so that r
// must not be used for anything else until the Decoder is done with.
func NewDecoder(r io.Reader, opts DecoderOptions) *Decoder {
	limit := opts.maxEventBytes()
	return &Decoder{
		opts:  opts,
		limit: limit,
		in:    lines{src: r, max: limit + maxNameBytes},
		id:    []byte(opts.LastEventID),
	}
}

// Next returns the next event. Its slices are valid until the next call.
//
// The error is [io.EOF] at the end of the input, one that wraps [ErrTooLarge]
// if an event exceeds its limit, [io.ErrNoProgress] if the reader keeps
// returning nothing, and otherwise the reader's own, as it is. All events that
// are complete before the error are returned first. Once Next has returned an
// error it does not read again, and returns the same error.
func (d *Decoder) Next() (Event, error) {
	if d.err != nil {
		return Event{}, d.err
	}
	d.block.reset()
	for d.err == nil {
		line, ok := d.in.next()
		switch {
		case !ok:
			d.err = d.read()
		case len(line) > 0:
			d.err = d.interpret(line)
		default:
			if ev, ok := d.dispatch(); ok {
				return ev, nil
			}
			d.block.reset()
		}
	}
	if d.err == io.EOF && d.opts.FlushAtEOF {
		return d.flush()
	}
	return Event{}, d.err
}

// LastEventID returns the last event ID after the last finished block, which
// is what a client sends in the Last-Event-ID header to resume the stream:
// the option LastEventID until the stream sets another. It counts the id of a
// block without data, too, and never that of an unfinished block.
func (d *Decoder) LastEventID() string {
	return string(d.id)
}

// Retry returns the reconnection time that the stream's last valid retry field
// has set, and whether there has been one. A value beyond the range of
// [time.Duration] is returned as the largest number of milliseconds in it.
func (d *Decoder) Retry() (time.Duration, bool) {
	return d.retry, d.hasRetry
}

// read reads more of a line of which the buffer does not hold the end.
func (d *Decoder) read() error {
	if d.in.overlong() {
		return tooLarge("line", d.limit)
	}
	d.block.detach()
	return d.in.fill()
}

// dispatch ends the block and returns it if it is for the caller: "dispatch
// the event" of section 9.2.6.
func (d *Decoder) dispatch() (Event, bool) {
	b := &d.block
	if b.hasID {
		d.id, b.id = b.id, d.id
	}
	ev := Event{Type: b.typ, Data: b.data(), ID: d.id, HasID: b.hasID}
	return ev, ev.Data != nil || b.hasID && d.opts.IDOnly
}

// flush ends the last line and the last block at the end of the input.
func (d *Decoder) flush() (Event, error) {
	if line := d.in.rest(); len(line) > 0 {
		if err := d.interpret(line); err != nil {
			d.err = err
			return Event{}, err
		}
	}
	if ev, ok := d.dispatch(); ok {
		ev.Unfinished = true
		return ev, nil
	}
	return Event{}, d.err
}
