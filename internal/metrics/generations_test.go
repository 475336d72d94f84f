package metrics_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// Generations are counted by what is bounded: nothing that a caller says is a
// label.
func TestMetricsOfGenerations(t *testing.T) {
	upstream := httptest.NewServer(origin.New(""))
	t.Cleanup(upstream.Close)
	s := newScene(t, func(o *server.Options) {
		o.Upstreams = []server.Upstream{{Name: "origin", Base: upstream.URL + "/v1"}}
	})
	ask := func(prompt string, headers ...string) {
		body := `{"model":"secret","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"` + prompt + `"}]}`
		s.do("POST", "/v1/chat/completions", body, headers...)
	}
	ask("tokens=20 reasoning=5 pace=500", "Idempotency-Key", "k")
	ask("tokens=20 reasoning=5 pace=500", "Idempotency-Key", "k")
	ask("status=429")
	s.do("GET", "/v1/models/secret", "")
	s.do("POST", "/v1/responses/secret/secret", "")
	const at = `{endpoint="/chat/completions",upstream="origin"}`
	const ending = `freshet_ended_generations_total{endpoint="/chat/completions",reason=`
	await(t, func() bool {
		_, values := s.scrape()
		return values["freshet_active_generations"+at] == "0"
	})
	s.want(map[string]string{
		ending + `"completed",upstream="origin"}`:                                                              "1",
		ending + `"failed",upstream="origin"}`:                                                                 "1",
		"freshet_time_to_first_token_seconds_count" + at:                                                       "1",
		"freshet_tokens_per_second_count" + at:                                                                 "1",
		`freshet_tokens_total{endpoint="/chat/completions",from="usage",kind="output",upstream="origin"}`:      "25",
		`freshet_tokens_total{endpoint="/chat/completions",from="usage",kind="reasoning",upstream="origin"}`:   "5",
		`freshet_generation_callers_total{endpoint="/chat/completions",how="key"}`:                             "1",
		`freshet_generation_callers_total{endpoint="/chat/completions",how="new"}`:                             "2",
		`freshet_upstream_calls_total{endpoint="/chat/completions",status="2xx",upstream="origin"}`:            "1",
		`freshet_upstream_calls_total{endpoint="/chat/completions",status="4xx",upstream="origin"}`:            "1",
		`freshet_upstream_calls_total{endpoint="/models",status="4xx",upstream="origin"}`:                      "1",
		`freshet_upstream_calls_total{endpoint="/responses",status="4xx",upstream="origin"}`:                   "1",
		`freshet_time_to_first_token_seconds_bucket{endpoint="/chat/completions",upstream="origin",le="+Inf"}`: "1",
	})
	if said, _ := s.scrape(); strings.Contains(said, "secret") {
		t.Errorf("the metrics say what a caller has said:\n%s", said)
	}
}

// await waits until something is the case, which the test's own deadline bounds.
func await(t *testing.T, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("waited in vain")
		}
	}
}
