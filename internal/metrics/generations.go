package metrics

import (
	"cmp"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/freshet-stream/freshet/server"
)

// generationMetrics are what is seen of LLM requests. Upstreams are those of the
// configuration and endpoints few; models are the callers' words, and no labels.
type generationMetrics struct {
	active                         *prometheus.GaugeVec
	ended, tokens, callers, called *prometheus.CounterVec
	firstToken, rate               *prometheus.HistogramVec
}

func newGenerationMetrics() *generationMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets ...float64) *prometheus.HistogramVec {
		opts := prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}
		return prometheus.NewHistogramVec(opts, []string{"upstream", "endpoint"})
	}
	return &generationMetrics{
		active: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "freshet_active_generations", Help: "Answers that this server gets from an upstream now.",
		}, []string{"upstream", "endpoint"}),
		ended: counter("freshet_ended_generations_total",
			"Answers that this server got from an upstream, by how their stream was closed.", "upstream", "endpoint", "reason"),
		tokens: counter("freshet_tokens_total",
			"Tokens by kind: input, of which cached; output, of which reasoning. From usage is the upstream's count, from chunks that of events.",
			"upstream", "endpoint", "kind", "from"),
		callers: counter("freshet_generation_callers_total",
			"Callers that got an answer, by how they came to it: any but new is one that was under way or done.", "endpoint", "how"),
		called: counter("freshet_upstream_calls_total",
			"Calls to upstreams, by the class of the status that they answered, none if they did not.", "upstream", "endpoint", "status"),
		firstToken: histogram("freshet_time_to_first_token_seconds",
			"From a question to the first token of its answer.", .05, .1, .2, .35, .5, .75, 1, 1.5, 2.5, 5, 10, 20, 60),
		rate: histogram("freshet_tokens_per_second",
			"Tokens per second of an answer, from its first token to the last.", 1, 5, 10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000),
	}
}

func (m *generationMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.active, m.ended, m.tokens, m.callers, m.called, m.firstToken, m.rate}
}

// Observer returns what counts the generations of a server, as one of its options.
func (m *Metrics) Observer() server.Observer { return m.generations }

// Called implements [server.Observer].
func (m *generationMetrics) Called(upstream, endpoint string, status int) {
	class := "none"
	if status != 0 {
		class = strconv.Itoa(status/100) + "xx"
	}
	m.called.WithLabelValues(upstream, endpoint, class).Inc()
}

// Came implements [server.Observer].
func (m *generationMetrics) Came(endpoint string, how server.Arrival) {
	m.callers.WithLabelValues(endpoint, string(how)).Inc()
}

// Begun implements [server.Observer].
func (m *generationMetrics) Begun(upstream, endpoint string) {
	m.active.WithLabelValues(upstream, endpoint).Inc()
}

// Ended implements [server.Observer].
func (m *generationMetrics) Ended(g server.Generation) {
	m.active.WithLabelValues(g.Upstream, g.Endpoint).Dec()
	m.ended.WithLabelValues(g.Upstream, g.Endpoint, cmp.Or(string(g.Reason), "unknown")).Inc()
	if g.FirstToken > 0 {
		m.firstToken.WithLabelValues(g.Upstream, g.Endpoint).Observe(g.FirstToken.Seconds())
	}
	if g.TokensPerSecond > 0 {
		m.rate.WithLabelValues(g.Upstream, g.Endpoint).Observe(g.TokensPerSecond)
	}
	m.count(&g, "input", "usage", g.Input)
	m.count(&g, "cached", "usage", g.Cached)
	m.count(&g, "reasoning", "usage", g.Reasoning)
	from := "chunks"
	if g.Counted {
		from = "usage"
	}
	m.count(&g, "output", from, g.Tokens)
}

func (m *generationMetrics) count(g *server.Generation, kind, from string, n int64) {
	if n > 0 {
		m.tokens.WithLabelValues(g.Upstream, g.Endpoint, kind, from).Add(float64(n))
	}
}
