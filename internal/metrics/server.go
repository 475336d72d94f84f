package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/freshet-stream/freshet/server"
)

// Limits are bounds by the name of what they bound, as the metric freshet_limit
// has them.
type Limits map[string]float64

// serverMetrics are collected when they are asked for.
type serverMetrics struct {
	stats  func() server.Stats
	limits Limits
}

// A reading is a metric that is read from a server's stats.
type reading struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*server.Stats) float64
}

func gauge(name, help string, of func(*server.Stats) float64) reading {
	return reading{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, of}
}

func counter(name, help string, of func(*server.Stats) float64) reading {
	return reading{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, of}
}

// readings are all of a server that have one value.
func readings() []reading {
	return []reading{
		gauge("freshet_streams", "Streams that are followed or appended to here, or were a moment ago.",
			func(s *server.Stats) float64 { return float64(s.Streams) }),
		gauge("freshet_followers", "Cursors that follow a stream; one connection may have several.",
			func(s *server.Stats) float64 { return float64(s.Followers) }),
		gauge("freshet_window_bytes", "Recent records that are held in memory.",
			func(s *server.Stats) float64 { return float64(s.WindowBytes) }),
		gauge("freshet_page_bytes", "Older records that are held in memory for a moment.",
			func(s *server.Stats) float64 { return float64(s.PageBytes) }),
		counter("freshet_delivered_records_total", "Records that followers got, each counted for every follower.",
			func(s *server.Stats) float64 { return float64(s.Delivered) }),
		gauge("freshet_append_queue_appends", "Appends that wait to be sent to the store.",
			func(s *server.Stats) float64 { return float64(s.Waiting) }),
		gauge("freshet_append_queue_bytes", "Size of the appends that wait to be sent to the store.",
			func(s *server.Stats) float64 { return float64(s.WaitingBytes) }),
		counter("freshet_append_queue_full_total", "How often an append had to wait for room in the queue of its stream.",
			func(s *server.Stats) float64 { return float64(s.Full) }),
		gauge("freshet_generations", "Work that a drain waits for.",
			func(s *server.Stats) float64 { return float64(s.Generations) }),
		gauge("freshet_draining", "1 if the server is not ready any more.",
			func(s *server.Stats) float64 { return one(s.Draining) }),
	}
}

var (
	exchangesDesc = prometheus.NewDesc("freshet_exchanges",
		"Responses, connections and request bodies that go on until somebody ends them.", []string{"transport"}, nil)
	sentDesc = prometheus.NewDesc("freshet_sent_bytes_total",
		"Bytes written to responses and connections that go on.", []string{"transport"}, nil)
	limitDesc = prometheus.NewDesc("freshet_limit",
		"The bounds that are set.", []string{"of"}, nil)
)

// Describe implements [prometheus.Collector].
func (m *serverMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, r := range readings() {
		descs <- r.desc
	}
	descs <- exchangesDesc
	descs <- sentDesc
	descs <- limitDesc
}

// Collect implements [prometheus.Collector].
func (m *serverMetrics) Collect(metrics chan<- prometheus.Metric) {
	stats := m.stats()
	for _, r := range readings() {
		metrics <- prometheus.MustNewConstMetric(r.desc, r.kind, r.of(&stats))
	}
	for _, e := range stats.Exchanges {
		metrics <- prometheus.MustNewConstMetric(exchangesDesc, prometheus.GaugeValue, float64(e.Open), e.Transport)
		if e.Sent > 0 || e.Transport != "upload" && e.Transport != "long-poll" {
			metrics <- prometheus.MustNewConstMetric(sentDesc, prometheus.CounterValue, float64(e.Sent), e.Transport)
		}
	}
	for of, value := range m.limits {
		metrics <- prometheus.MustNewConstMetric(limitDesc, prometheus.GaugeValue, value, of)
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
