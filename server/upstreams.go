package server

import (
	"time"

	"github.com/freshet-stream/freshet/internal/gateway"
)

// DemoUpstream returns the upstream that serves those who have no key: it is in
// the server, has no model, and says so in its first words.
func DemoUpstream() Upstream { return Upstream{Name: "demo", Base: gateway.DemoBase} }

// upstreamsOf returns upstreams as the gateway has them.
func upstreamsOf(upstreams []Upstream) []gateway.Upstream {
	var converted []gateway.Upstream
	for _, u := range upstreams {
		converted = append(converted, gateway.Upstream(u))
	}
	return converted
}

func checkUpstreams(upstreams []Upstream) error {
	return gateway.CheckUpstreams(upstreamsOf(upstreams))
}

func (s *Server) gatewayOptions() gateway.Options {
	return gateway.Options{
		Hub: s.hub, Work: s.work, Logger: s.opts.Logger, Upstreams: upstreamsOf(s.opts.Upstreams), ChatModel: s.opts.ChatModel,
		Head: s.opts.UpstreamHead, Stall: s.opts.UpstreamStall, Grace: s.opts.DisconnectGrace, Lease: s.opts.GenerationLease, Heartbeat: s.opts.Heartbeat,
		KeepOpen: s.opts.KeepOpen, KeepClosed: s.opts.KeepClosed, Limits: s.opts.Limits, Observer: s.observer(), TracerProvider: s.opts.TracerProvider,
	}
}

// watchEvery returns how often readers are told of, when a generation goes on for
// as long as grace without any: one lost word of it must not matter.
func watchEvery(grace time.Duration) time.Duration { return grace / 3 }

// sweepEvery returns how often the store is asked to close what has lost its
// server.
func sweepEvery(lease time.Duration) time.Duration { return min(5*time.Second, lease/3) }
