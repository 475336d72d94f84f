package client

import "time"

// A Transport is how a [Follower] reads.
type Transport uint8

const (
	// SSE reads Server-Sent Events over HTTP.
	SSE Transport = iota
	// WebSocket reads over a WebSocket with the subprotocol freshet.v1.json.
	WebSocket
	// LongPoll reads answer after answer as Durable Streams has it (sections
	// 5.6 and 5.7). It is the one that other servers of that protocol know too.
	LongPoll
)

const (
	// defaultIdle is three heartbeats of a server with default settings.
	defaultIdle = 45 * time.Second
	// defaultPollIdle leaves room for servers that hold a long-poll for a minute.
	defaultPollIdle = 2 * time.Minute
)

// FollowOptions changes how a [Follower] reads. The zero value works.
type FollowOptions struct {
	// Via is the transport.
	Via Transport
	// Offset is where to start: an offset, "now" for what comes from now on, or
	// "-1" or "" for the beginning.
	Offset string
	// Wait is for how long a stream that does not exist yet is waited for. After
	// it, or with 0, that is [freshet.ErrNotFound].
	Wait time.Duration
	// IdleTimeout is after how long without any byte, heartbeats included, a
	// connection counts as dropped. 0 means 45 s, and with LongPoll 2 min.
	IdleTimeout time.Duration
	// OnDrop, if not nil, is called before each wait that precedes coming back,
	// with what went wrong, in the goroutine of Next.
	OnDrop func(err error, wait time.Duration)
	// OnGap, if not nil, is called when the server cannot go on from the last
	// offset, in the goroutine of Next. If it returns nil, following goes on at
	// gap.Resumed; otherwise Next returns its error. Without it a gap ends the
	// following with the [*GapError].
	OnGap func(gap *GapError) error
}
