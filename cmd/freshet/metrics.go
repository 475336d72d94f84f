package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/freshet-stream/freshet/internal/metrics"
	"github.com/freshet-stream/freshet/server"
)

// serveMetrics has metrics served: at an address of their own if there is one,
// and otherwise by the server itself, unless other machines can reach that. The
// caller calls stop.
func (c *ServeCmd) serveMetrics(h http.Handler, opts *server.Options) (stop func(), err error) {
	if c.MetricsListen == "" {
		if opts.Loopback {
			opts.Metrics = h
		}
		return func() {}, nil
	}
	l, err := net.Listen("tcp", c.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for metrics: %w", c.MetricsListen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	s := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	opts.Logger.Info("serving metrics", "url", "http://"+reachable(l.Addr())+"/metrics")
	go func() { _ = s.Serve(l) }()
	return func() { _ = s.Close() }, nil
}

// limits are the bounds that flags set.
func (c *ServeCmd) limits() metrics.Limits {
	return metrics.Limits{
		"record_bytes":  float64(c.MaxRecord),
		"append_bytes":  float64(c.MaxBody),
		"window_bytes":  float64(c.Window),
		"windows_bytes": float64(c.Windows),
		"pages_bytes":   float64(c.Pages),
		"store_reads":   float64(c.Reads),
	}
}
