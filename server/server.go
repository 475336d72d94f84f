// Package server puts streams on HTTP. A [Server] is an http.Handler that may
// be mounted in any mux, and through which the same process may append and
// follow without HTTP.
package server

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/freshet-stream/freshet/internal/demo"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/gateway"
	"github.com/freshet-stream/freshet/internal/guard"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/transport/durablestreams"
	"github.com/freshet-stream/freshet/internal/transport/sse"
	"github.com/freshet-stream/freshet/internal/transport/websocket"
)

// A Server serves the streams of a store over HTTP. It may be used
// concurrently. Whoever made it closes it.
type Server struct {
	opts  Options
	hub   *hub.Hub
	guard *guard.Guard

	durable   *durablestreams.Transport
	events    *sse.Transport
	websocket *websocket.Transport
	ready     readiness
	// exchanges are what a drain ends, and work is what it waits for.
	exchanges *drain.Group
	work      *drain.Work
	// demo is nil unless there is a page.
	demo *demo.Demo
	// gateway is nil unless there are upstreams.
	gateway *gateway.Gateway
}

// New returns a server. The error is about the options.
func New(opts Options) (*Server, error) {
	if opts.Store == nil {
		return nil, errors.New("new server: no store is given")
	}
	if err := checkName(opts.Name); err != nil {
		return nil, fmt.Errorf("new server: %w", err)
	}
	opts = opts.withDefaults()
	g, err := guard.New(guard.Options{Loopback: opts.Loopback, Hosts: opts.AllowHosts, Origins: opts.AllowOrigins})
	if err != nil {
		return nil, err
	}
	if err := checkUpstreams(opts.Upstreams); err != nil {
		return nil, fmt.Errorf("new server: %w", err)
	}
	h := hub.New(hub.Options{
		Store: opts.Store, Logger: opts.Logger, Limits: opts.Limits,
		WindowBytes: opts.WindowBytes, WindowsBytes: opts.WindowsBytes,
		PagesBytes: opts.PagesBytes, Reads: opts.Reads,
		Watch: watchEvery(opts.DisconnectGrace), Sweep: sweepEvery(opts.GenerationLease),
	})
	exchanges, work := new(drain.Group), drain.NewWork()
	s := &Server{
		opts:  opts,
		hub:   h,
		guard: g,
		durable: durablestreams.New(durablestreams.Options{
			Hub: h, LongPoll: opts.LongPoll, Heartbeat: opts.Heartbeat, Limits: opts.Limits, KeepOpen: opts.KeepOpen, KeepClosed: opts.KeepClosed,
			Exchanges: exchanges,
		}),
		events: sse.New(sse.Options{Hub: h, Heartbeat: opts.Heartbeat, Exchanges: exchanges}),
		websocket: websocket.New(websocket.Options{
			Hub: h, Logger: opts.Logger, Heartbeat: opts.Heartbeat, Limits: opts.Limits, Compression: opts.WebSocketCompression,
			Exchanges: exchanges,
		}),
		ready:     readiness{store: opts.Store, log: opts.Logger},
		exchanges: exchanges,
		work:      work,
	}
	if opts.Page != nil {
		s.demo = demo.New(demo.Options{Hub: h, Work: work, Logger: opts.Logger, KeepClosed: opts.KeepClosed, Name: opts.Name})
	}
	if len(opts.Upstreams) > 0 {
		s.gateway = gateway.New(s.gatewayOptions())
	}
	return s, nil
}

// Close ends at once what the server does: followers over SSE see their connection
// break, so that they come back, to another server if there is one; those over
// WebSocket are closed with 1012. It returns when nothing of the server runs
// any more. It does not close the store. [Server.Drain] before it is kinder.
func (s *Server) Close() {
	s.Unready()
	s.exchanges.End()
	s.work.End()
	if s.demo != nil {
		s.demo.Close()
	}
	if s.gateway != nil {
		s.gateway.Close()
	}
	s.websocket.Close()
	s.hub.Close()
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.sayName(w.Header())
	if s.serveHealth(w, r) {
		return
	}
	if s.ready.isOver() {
		// Over HTTP/2 this is a GOAWAY.
		w.Header().Set("Connection", "close")
	}
	if err := s.guard.Check(w, r); err != nil {
		problem.Write(w, r, err)
		return
	}
	s.route(w, r)
}
