// Package gateway makes a stream of every answer of an LLM. It takes a request
// as its upstream would, calls the upstream, records the events of the answer
// verbatim in the event stream gen/ID, and serves the caller as that stream's
// first follower: there is one delivery path, and it can always be resumed.
//
// What belongs to a generation is in its stream: the facts in the stream's meta
// (see [Meta]), how it ended in its close. So any server of a fleet serves a
// retry, a resumption and a stop; only the one that has created the stream, the
// owner, reads the upstream.
package gateway

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
)

// Options configure a [Gateway]. Zero fields have the values that are named.
type Options struct {
	Hub *hub.Hub
	// Work is what generations and their callers are part of.
	Work *drain.Work
	// Logger takes what operators should know; slog.Default.
	Logger *slog.Logger
	// Upstreams are where requests go: to the one that the model names, else to
	// the first. There is one at least, and they have passed [CheckUpstreams].
	Upstreams []Upstream
	// Head is for how long the head of an upstream's answer is waited for (10 min),
	// and Stall after how much silence an upstream is given up whose answer has begun
	// (60 s).
	Head, Stall time.Duration
	// Grace is for how long a generation that is to be cancelled without readers
	// goes on without any (15 s).
	Grace time.Duration
	// ChatModel is the model of a conversation whose client names none; where the
	// demo answers, demo.
	ChatModel string
	// Lease is after how long a generation is closed as interrupted whose server has
	// disappeared (15 s).
	Lease time.Duration
	// Heartbeat is after how much silence a caller is sent a comment (15 s).
	Heartbeat time.Duration
	// KeepOpen and KeepClosed are for how long a generation is kept after its last
	// event and after its end. 0 is for ever.
	KeepOpen, KeepClosed time.Duration
	// Observer, if not nil, is told what becomes of requests.
	Observer Observer
	// TracerProvider, if not nil, takes a span of each generation.
	TracerProvider trace.TracerProvider
	// Limits bound the body of a request, and of an answer that is no stream.
	Limits freshet.Limits
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Head <= 0 {
		o.Head = 10 * time.Minute
	}
	if o.Stall <= 0 {
		o.Stall = 60 * time.Second
	}
	if o.Grace <= 0 {
		o.Grace = 15 * time.Second
	}
	if o.Lease <= 0 {
		o.Lease = 15 * time.Second
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.ChatModel == "" && o.Upstreams[0].Base == DemoBase {
		o.ChatModel = "demo"
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	o.Limits = o.Limits.WithDefaults()
	return o
}

// A Gateway serves LLM endpoints. It may be used concurrently. Whoever made it
// closes it, once the work has ended.
type Gateway struct {
	opts   Options
	client *http.Transport
	routes routes
	tracer trace.Tracer
	// callers are the responses that follow generations. A drain does not end
	// them: their clients would not come back.
	callers drain.Group
}

// New returns a gateway.
func New(opts Options) *Gateway {
	all, err := routesOf(opts.Upstreams)
	if err != nil {
		panic(err) // the upstreams have not passed CheckUpstreams
	}
	return &Gateway{opts: opts.withDefaults(), client: newTransport(), routes: all, tracer: newTracer(opts.TracerProvider)}
}

// Close ends the callers that are left and the connections to upstreams.
func (g *Gateway) Close() {
	g.callers.End()
	g.client.CloseIdleConnections()
}

// prefix is what the paths of the gateway begin with.
const prefix = "/v1"

// after returns what comes after the prefix in a path, or "".
func after(path string) string {
	rest, _ := strings.CutPrefix(path, prefix)
	if len(rest) == len(path) {
		return ""
	}
	return rest
}

// Serves reports whether a path, as it was sent, is the gateway's.
func (g *Gateway) Serves(path string) bool {
	path = after(path)
	return isModels(path) || isHelper(path) || isResponse(path) || isChat(path) || g.endpoint(path) != nil
}

// ServeHTTP serves a request whose path it [Gateway.Serves].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, method, serve := after(r.URL.EscapedPath()), http.MethodPost, g.serveGenerate
	switch {
	case isModels(path):
		method, serve = http.MethodGet, g.serveModels
	case isHelper(path):
		serve = g.serveHelper
	case isResponse(path):
		method, serve = r.Method, g.serveResponse
	case g.endpoint(path) == nil:
		method, serve = r.Method, g.serveChat
	}
	if r.Method != method {
		problem.WriteMethod(w, r, method)
		return
	}
	if err := serve(w, r, path); err != nil {
		problem.WriteCall(w, r, err)
	}
}
