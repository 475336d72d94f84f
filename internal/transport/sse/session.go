package sse

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/text"
	"github.com/freshet-stream/freshet/internal/wire"
)

// joinMost bounds the text of several records that is joined in one event, in
// bytes. A connection that is cut often would never get past a larger one.
const joinMost = 32 << 10

// heartbeat is a comment. The empty line is for proxies and clients that pass
// on whole blocks only.
const heartbeat = ":\n\n"

// A session is one response.
type session struct {
	follower *hub.Follower
	response *wire.Response
	formats  *formats
	encoding string
	// format is nil while the stream is waited for.
	format *format
	// wait is for how long, and told says that a gap at the start was told.
	wait   time.Duration
	told   bool
	holder text.Holder
	// joined is how many bytes of text the event that is being written has; 0
	// if none is. last is the offset that will be its id.
	joined int
	last   freshet.Offset
}

// errWaited ends a response whose stream was not created in time.
var errWaited = errors.New("nobody has created the stream")

// chooseFormat finds how to write the stream, or reports that it does not exist
// yet.
func (s *session) chooseFormat() bool {
	info, ok := s.follower.Info()
	if ok && s.format == nil {
		s.format = s.formats.choose(freshet.KindOf(info.Spec.ContentType), s.encoding)
	}
	return ok
}

// appendBegin appends what begins the response.
func (s *session) appendBegin(dst []byte, from *start) []byte {
	at, gap := s.follower.At()
	if gap = gapOf(from, gap, at); gap == nil {
		return appendPrelude(dst, at.String())
	}
	s.told = true
	return appendGap(appendPrelude(dst, ""), from.requested(), gap.Why, gap.Resumed.String())
}

// run writes events until the stream ends, the reader is gone, or the response is
// to end. It aborts the response unless the end was told.
func (s *session) run() {
	ctx := s.response.Context()
	waiting := ctx
	if s.format == nil {
		limited, cancel := context.WithTimeoutCause(ctx, s.wait, errWaited)
		defer cancel()
		waiting = limited
	}
	for {
		batch, err := s.follower.Next(waiting)
		if err == nil && waiting != ctx && s.chooseFormat() {
			waiting = ctx
		}
		if ended := s.deliver(&batch, err); ended {
			s.response.End()
			return
		}
	}
}

// deliver writes what the follower got, and reports whether that was the end.
// It aborts the response if it cannot go on.
func (s *session) deliver(batch *hub.Batch, err error) (ended bool) {
	out := wire.Buffer()
	switch {
	case err != nil:
		*out, ended = s.appendEnd(*out, err)
	case batch.Idle:
		*out = append(*out, heartbeat...)
	case batch.Gap != nil && !s.told:
		*out = appendGap(*out, batch.Gap.Requested.String(), batch.Gap.Why, batch.Gap.Resumed.String())
		s.holder.Reset()
	case batch.Gap == nil:
		*out = s.appendBatch(*out, batch)
		batch.Release()
		ended = batch.Closed != nil
	}
	s.told = false
	if err != nil && !ended || len(*out) > 0 && s.response.Write(*out) != nil {
		s.response.Abort()
	}
	wire.Recycle(out)
	return ended
}

// appendEnd appends what the client is told when following has failed, and
// reports whether that ends its response as a whole one.
func (s *session) appendEnd(dst []byte, err error) (_ []byte, ended bool) {
	var gone *freshet.GapError
	switch at, _ := s.follower.At(); {
	case errors.As(err, &gone):
		return appendGone(dst, at.String(), gone.Why, at), true
	case errors.Is(err, io.EOF):
		return dst, true
	}
	return dst, false
}

// appendBatch appends the events of a batch, and the stream's end if it comes
// after them.
func (s *session) appendBatch(dst []byte, b *hub.Batch) []byte {
	for i := range b.Len() {
		if !s.format.joins {
			dst = b.Append(dst, i, s.format.fragment)
			continue
		}
		dst = s.appendText(dst, b, i)
	}
	if b.Closed != nil && s.holder.Holding() {
		s.last = b.Offset
		dst = s.appendJoined(dst, s.holder.Flush())
	}
	dst = s.shut(dst)
	if b.Closed != nil {
		dst = appendClosed(dst, string(b.Closed.Reason), b.Offset)
	}
	return dst
}

// appendText appends a record of text to the event that is being written,
// unless it ends inside a character.
func (s *session) appendText(dst []byte, b *hub.Batch, i int) []byte {
	record := b.Record(i)
	data, alone, ok := s.holder.Take(record.Data)
	if !ok {
		return dst
	}
	if s.joined > 0 && s.joined+len(data) > joinMost {
		dst = s.shut(dst)
	}
	s.last = record.Offset
	if !alone {
		return s.appendJoined(dst, data)
	}
	dst = s.open(dst)
	s.joined += len(data)
	return b.Append(dst, i, s.format.fragment)
}

// appendJoined appends text that several records make together.
func (s *session) appendJoined(dst, data []byte) []byte {
	dst = s.open(dst)
	s.joined += len(data)
	return s.format.fragment.Encode(dst, &freshet.Record{Data: data})
}

// open begins an event unless one is begun.
func (s *session) open(dst []byte) []byte {
	if s.joined > 0 {
		return dst
	}
	return append(dst, s.format.open...)
}

// shut ends the event that is begun, if one is.
func (s *session) shut(dst []byte) []byte {
	if s.joined == 0 {
		return dst
	}
	s.joined = 0
	dst = append(dst, s.format.shut...)
	return appendID(dst, s.last)
}
