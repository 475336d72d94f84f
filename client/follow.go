package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/freshet-stream/freshet"
)

// errIdle is the cause of a drop for want of anything arriving.
var errIdle = errors.New("nothing has arrived for too long, not even a heartbeat")

// A Follower reads a stream as it grows, to its end. It comes back by itself
// after any drop, with pauses that grow until something arrives again, and
// continues with exactly the next record. It runs no goroutine of its own; while
// nobody calls Next it reads nothing, and the server lets it catch up later.
//
// A Follower is used by one goroutine at a time. Close may be called by any.
type Follower struct {
	client *Client
	name   string
	opts   FollowOptions
	ctx    context.Context
	cancel context.CancelCauseFunc
	// until is when Wait is over.
	until time.Time
	pause backoff

	// at is the position after all that was returned or is in queue. resumed
	// says that a server gave it.
	at      string
	resumed bool
	// kind is that of the stream's content, if known.
	kind  freshet.Kind
	known bool

	source source
	queue  []Record
	// given is the position after what was returned.
	given string
	err   error
}

// A source is one connection of a follower.
type source interface {
	// next waits for the next message. Its error is final or a drop, see
	// isFinal, and then the source is only closed.
	next() (message, error)
	close()
}

// Follow returns a follower of the stream with this name, which reads until the
// stream ends, ctx ends, or Close is called. It does not connect; Next does. The
// stream may not exist yet, see Wait.
func (c *Client) Follow(ctx context.Context, name string, opts FollowOptions) *Follower {
	if opts.IdleTimeout <= 0 {
		opts.IdleTimeout = defaultIdle
		if opts.Via == LongPoll {
			opts.IdleTimeout = defaultPollIdle
		}
	}
	f := &Follower{client: c, name: name, opts: opts, at: opts.Offset, given: opts.Offset, until: time.Now().Add(opts.Wait)}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	return f
}

// now is the offset of the tail as it is when the server is asked.
const now = "now"

// resolve replaces "now" by the tail, for transports over which a drop before
// the first record would have it mean a later one.
func (f *Follower) resolve() error {
	if f.at != now {
		return nil
	}
	info, err := f.client.Info(f.ctx, f.name)
	if err == nil {
		f.at, f.resumed = info.Tail, true
	}
	return err
}

// errClosed is what Next returns after Close.
var errClosed = errors.New("the follower is closed")

// Close ends the following. It is safe to call at any time, more than once.
func (f *Follower) Close() { f.cancel(errClosed) }

// Offset returns the position after the last record that Next has returned, as
// far as the server told it: where another follower would go on.
func (f *Follower) Offset() string { return f.given }

// Next returns the next record. The error is final: an [*EndError] when all of a
// closed stream was read, a [*GapError], an [*Error] if the server refuses to
// serve the stream, [ErrProtocol], or the cause for which the context ended.
// The record's Data belongs to the caller.
func (f *Follower) Next() (Record, error) {
	for len(f.queue) == 0 {
		if f.err == nil {
			f.err = f.advance()
		}
		if f.err != nil && len(f.queue) == 0 {
			f.given = f.at
			f.disconnect()
			f.cancel(errClosed)
			return Record{}, f.err
		}
	}
	record := f.queue[0]
	f.queue = f.queue[1:]
	if record.Offset != "" {
		f.given = record.Offset
	}
	return record, nil
}

// Kind returns how the stream's content is cut into records. It asks the server
// if that is not known yet, as it may be before the first record.
func (f *Follower) Kind() (freshet.Kind, error) { return f.learn() }

// advance takes in one message, or connects, or waits to.
func (f *Follower) advance() error {
	err := f.ctx.Err()
	var m message
	if err == nil && f.source == nil {
		f.source, err = f.connect()
	}
	if err == nil {
		m, err = f.source.next()
	}
	if err == nil {
		err = f.take(&m)
	}
	switch {
	case err == nil:
		return nil
	case f.ctx.Err() != nil:
		return fmt.Errorf("follow stream: %w", context.Cause(f.ctx))
	case isEnd(err):
		return err
	case isFinal(err) && !f.awaits(err):
		return fmt.Errorf("follow stream: %w", err)
	}
	return f.rest(err)
}

// rest waits after a drop until it is time to come back.
func (f *Follower) rest(err error) error {
	f.disconnect()
	if f.awaits(err) && f.at == now {
		// All of a stream that does not exist yet is still to come.
		f.at = ""
	}
	wait := f.pause.next(waitAfter(err))
	if f.opts.Wait > 0 && !f.isReal() {
		wait = min(wait, time.Second)
	}
	if f.opts.OnDrop != nil && !f.awaits(err) {
		f.opts.OnDrop(err, wait)
	}
	if err := sleep(f.ctx, wait); err != nil {
		return fmt.Errorf("follow stream: %w", err)
	}
	return nil
}

func (f *Follower) connect() (source, error) {
	switch f.opts.Via {
	case WebSocket:
		return f.openWebSocket()
	case LongPoll:
		return f.openLongPoll()
	}
	return f.openSSE()
}

func (f *Follower) disconnect() {
	if f.source != nil {
		f.source.close()
		f.source = nil
	}
}

// take makes a message part of what was read. The error ends the following.
func (f *Follower) take(m *message) error {
	if m.at != "" {
		if len(m.records) > 0 && f.resumed && m.at <= f.at {
			return fmt.Errorf("%w: it sent a record at %s, after %s", ErrProtocol, m.at, f.at)
		}
		if m.at != f.at || m.gap != nil {
			f.pause.reset()
		}
		f.at, f.resumed = m.at, true
	}
	f.queue = m.records
	switch {
	case m.end != nil:
		if m.end.Offset == "" {
			m.end.Offset = f.at
		}
		return m.end
	case m.gap != nil:
		return f.takeGap(m.gap)
	}
	return nil
}

func (f *Follower) takeGap(gap *GapError) error {
	if f.opts.OnGap == nil {
		return gap
	}
	// What exists under the name now may be of another kind.
	f.known = false
	// After a gap the numbers may start again.
	f.at, f.resumed = gap.Resumed, false
	if err := f.opts.OnGap(gap); err != nil {
		return &stopError{err}
	}
	return nil
}

// isReal reports whether the follower has a position that a server gave out, so
// that the stream has existed.
func (f *Follower) isReal() bool {
	cursor, err := freshet.ParseCursor(f.at)
	return err != nil || cursor.IsReal()
}

// awaits reports whether err only says that the stream does not exist yet, and
// there is time to wait for it.
func (f *Follower) awaits(err error) bool {
	return errors.Is(err, freshet.ErrNotFound) && !f.isReal() && time.Now().Before(f.until)
}

// errGone is the drop of a connection to a stream that was just deleted.
var errGone = errors.New("the stream was deleted while it was read")

// learn finds out the kind of the stream's content.
func (f *Follower) learn() (freshet.Kind, error) {
	if f.known {
		return f.kind, nil
	}
	info, err := f.client.Info(f.ctx, f.name)
	switch {
	case errors.Is(err, freshet.ErrNotFound):
		// It was there a moment ago. Whoever comes back will be told of a gap.
		return 0, errGone
	case err != nil:
		return 0, err
	}
	f.kind, f.known = info.Kind(), true
	return f.kind, nil
}

// A stopError is what OnGap returned; it ends the following as it is.
type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// isEnd reports whether err is to be returned by Next as it is.
func isEnd(err error) bool {
	var end *EndError
	var gap *GapError
	var stop *stopError
	return errors.As(err, &end) || errors.As(err, &gap) || errors.As(err, &stop)
}
