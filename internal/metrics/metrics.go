// Package metrics tells Prometheus what a server does: what it holds, what goes
// through it, and how its store answers. No metric has the name of a stream, a
// producer or a client.
package metrics

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/freshet-stream/freshet/server"
)

// Metrics are those of one process. Its methods may be called concurrently.
type Metrics struct {
	registry *prometheus.Registry
	store    storeMetrics
	// generations is shared with the server that it observes.
	generations *generationMetrics
}

// New returns metrics of the process with this version, and of nothing else yet.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), store: newStoreMetrics(), generations: newGenerationMetrics()}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "freshet_build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, &m.store,
	)
	m.registry.MustRegister(m.generations.all()...)
	return m
}

// Watch adds the metrics of a server, and the bounds that its options set. It is
// called once.
func (m *Metrics) Watch(s *server.Server, limits Limits) {
	m.registry.MustRegister(&serverMetrics{stats: s.Stats, limits: limits})
}

// Handler serves the metrics in the formats of Prometheus.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: 4,
	})
}
