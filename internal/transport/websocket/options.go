package websocket

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
)

// Options configure a [Transport]. All but Hub may be left zero, which means
// the value that is named.
type Options struct {
	// Hub serves the streams. It is closed after the transport.
	Hub *hub.Hub
	// Logger takes what operators should know; slog.Default.
	Logger *slog.Logger
	// Limits bound appends, and with them messages.
	Limits freshet.Limits
	// Heartbeat is the time between two pings (15 s).
	Heartbeat time.Duration
	// Timeout is for how long a peer may send nothing, not even the answer to a
	// ping, or take nothing of what is written to it (4 heartbeats).
	Timeout time.Duration
	// CloseWait bounds how long ending a connection takes (5 s).
	CloseWait time.Duration
	// Compression takes the offers of clients to compress messages (RFC 7692).
	Compression bool
	// Follows is how many streams one connection may follow at a time (128).
	Follows int
	// Exchanges is the group in which connections are; one of its own.
	Exchanges *drain.Group
	// Wrap, if not nil, returns what is used in place of a connection once it
	// has become a WebSocket.
	Wrap func(net.Conn, *http.Request) net.Conn
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Limits = o.Limits.WithDefaults()
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 4 * o.Heartbeat
	}
	if o.CloseWait <= 0 {
		o.CloseWait = 5 * time.Second
	}
	if o.Follows <= 0 {
		o.Follows = 128
	}
	if o.Exchanges == nil {
		o.Exchanges = new(drain.Group)
	}
	if o.Wrap == nil {
		o.Wrap = func(c net.Conn, _ *http.Request) net.Conn { return c }
	}
	return o
}

// envelopeBytes is what a message may have beside its records.
const envelopeBytes = 64 << 10

// plainLimit and operationLimit bound a client's message, in bytes. In an
// operation, binary data grows by a third.
func (o *Options) plainLimit() int     { return o.Limits.Record + envelopeBytes }
func (o *Options) operationLimit() int { return o.Limits.Record/3*4 + envelopeBytes }
