package server

import (
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/freshet-stream/freshet"
)

// Options configure a [Server]. Only Store is needed; other zero fields have
// the values that are named.
type Options struct {
	// Store is where streams are kept. It is the caller's, who closes it after
	// the server.
	Store freshet.Store
	// Logger takes what operators should know; slog.Default.
	Logger *slog.Logger
	// Heartbeat is after how much silence a follower is sent a sign of life
	// (15 s).
	Heartbeat time.Duration
	// LongPoll is for how long a long-poll waits (25 s).
	LongPoll time.Duration
	// KeepOpen and KeepClosed are for how long a stream is kept after its last
	// append and after its close, unless its creator said otherwise (7 days and
	// 24 hours). Negative is for ever.
	KeepOpen, KeepClosed time.Duration
	// DrainWindow is over how long a drain spreads the end of followers and of
	// streamed bodies (10 s), DrainGrace for how long it lets go on what nobody
	// could take up elsewhere (60 s). Negative is not at all.
	DrainWindow, DrainGrace time.Duration
	// Limits bound records and bodies.
	Limits freshet.Limits
	// WindowBytes bounds the recent records that are held in memory of one
	// stream (256 KiB), WindowsBytes those of all streams together (256 MiB).
	WindowBytes  int
	WindowsBytes int64
	// PagesBytes bounds the older records that are held for a moment for readers
	// that catch up together (32 MiB), and Reads how many reads of the store are
	// under way for readers at once (64).
	PagesBytes int64
	Reads      int
	// Loopback says that the server can be reached on loopback only. A Host
	// that is neither loopback nor in AllowHosts is then refused, which keeps
	// pages out that were rebound by DNS.
	Loopback bool
	// AllowHosts are names that Host may have.
	AllowHosts []string
	// AllowOrigins are the origins, as in https://example.com, whose pages may
	// write and open WebSockets. Those of the server's own origin always may.
	AllowOrigins []string
	// WebSocketCompression offers permessage-deflate (RFC 7692) to clients that
	// ask for it. It costs processor time for each message of 512 bytes and more.
	WebSocketCompression bool
	// Metrics, if not nil, is served at /metrics.
	Metrics http.Handler
	// Page, if not nil, is served at / and beside it, with what it needs to show
	// streams at work under /v1/demo.
	Page http.Handler
	// Name is what the server calls itself, so that one can tell which of a fleet
	// has answered: in the header [NameHeader] and on the page. It is up to 128
	// visible ASCII characters; without any the server has no name.
	Name string
	// Upstreams are where the LLM endpoints /v1/chat/completions, /v1/responses and
	// /v1/messages send their requests. Without any there are no such endpoints.
	Upstreams []Upstream
	// ChatModel is the model of a conversation at /v1/chat whose client names none,
	// as those of the AI SDK do by themselves.
	ChatModel string
	// UpstreamHead is for how long the head of an upstream's answer is waited for
	// (10 min), and UpstreamStall after how much silence an upstream is given up
	// whose answer has begun (60 s).
	UpstreamHead, UpstreamStall time.Duration
	// DisconnectGrace is for how long a generation goes on that nobody reads, if
	// its request has said Freshet-On-Disconnect: cancel (15 s).
	DisconnectGrace time.Duration
	// Observer, if not nil, is told what becomes of LLM requests.
	Observer Observer
	// TracerProvider, if not nil, takes a span of each answer that this server gets
	// from an upstream, without what was asked and answered. It is the caller's, who
	// shuts it down after the server.
	TracerProvider trace.TracerProvider
	// GenerationLease is after how long the other servers close a generation as
	// interrupted whose server has disappeared (15 s). It takes them up to a third
	// longer, and 5 s at most.
	GenerationLease time.Duration
}

// An Upstream answers LLM requests.
type Upstream struct {
	// Name chooses it: the model NAME/x is asked for there as x. Any other model
	// is asked for at the upstream that has it among its Models or Aliases, or else
	// at the first.
	Name string
	// Base is the URL to which what comes after /v1 in a path is appended, as in
	// https://api.example.com/v1.
	Base string
	// Key is the secret that is sent there, if there is one.
	Key string
	// Auth is how: "bearer", "none", or the name of a header. "" is as the endpoint
	// has it: x-api-key with /messages, otherwise a bearer token.
	Auth string
	// Header is sent with each request, instead of what the caller says.
	Header map[string]string
	// Models are those that go there by their own names: exact ones, or what they
	// begin with and a *. Aliases are names that callers use for models, and what
	// the upstream calls those.
	Models  []string
	Aliases map[string]string
	// Paths are further paths, as in /v1/agents/run, that lead there whatever the
	// model is, and the paths after Base to which they lead; "" is the same after
	// /v1. A segment {NAME} stands for any one. What answers a POST there becomes a
	// stream.
	Paths map[string]string
	// HeadTimeout and StallTimeout, unless they are 0, are for it instead of
	// UpstreamHead and UpstreamStall.
	HeadTimeout, StallTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.LongPoll <= 0 {
		o.LongPoll = 25 * time.Second
	}
	o.KeepOpen = orNone(o.KeepOpen, 7*24*time.Hour)
	o.KeepClosed = orNone(o.KeepClosed, 24*time.Hour)
	o.DrainWindow = orNone(o.DrainWindow, 10*time.Second)
	o.DrainGrace = orNone(o.DrainGrace, 60*time.Second)
	if o.DisconnectGrace <= 0 {
		o.DisconnectGrace = 15 * time.Second
	}
	if o.GenerationLease <= 0 {
		o.GenerationLease = 15 * time.Second
	}
	o.Limits = o.Limits.WithDefaults()
	return o
}

// orNone returns d, its default if it is zero, or zero if it is negative.
func orNone(d, def time.Duration) time.Duration {
	switch {
	case d == 0:
		return def
	case d < 0:
		return 0
	}
	return d
}
