package listen

import (
	"log/slog"
	"net/http"
	"time"
)

const (
	// headerTime is for how long a request line and its headers may take.
	headerTime = 10 * time.Second
	// idleTime is for how long a connection may be without a request.
	idleTime = 2 * time.Minute

	// streamsMost is how many requests one connection of HTTP/2 may have open at
	// a time. Most of ours are long, and a proxy puts many clients' on one.
	streamsMost = 1000
	// connectionWindow and streamWindow bound what of bodies is received before
	// it is asked for (RFC 9113, section 5.2). A body that waits for the store
	// leaves three quarters to the others of its connection.
	connectionWindow = 2 << 20
	streamWindow     = 512 << 10
	// frameBytes is the largest frame that clients may send, which a connection
	// needs a buffer for. It has to fit the window.
	frameBytes = 64 << 10
)

// NewServer returns a server of HTTP/1.1 and HTTP/2, over TLS and, by prior
// knowledge (RFC 9113, section 3.3), without, for handlers whose responses are
// long: they have no time limit, but a peer that is silent for four heartbeats
// although it was asked for a sign of life is gone, as over WebSocket. It may
// serve what [TLS] and [Problems] return.
func NewServer(handler http.Handler, heartbeat time.Duration, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		Protocols:         protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          streamsMost,
			MaxReceiveBufferPerConnection: connectionWindow,
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReadFrameSize:              frameBytes,
			SendPingTimeout:               2 * heartbeat,
			PingTimeout:                   2 * heartbeat,
			WriteByteTimeout:              4 * heartbeat,
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
