package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

// traced has spans kept, of which await gets the n-th.
func traced(spans *tracetest.InMemoryExporter) func(*server.Options) {
	return func(o *server.Options) {
		o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	}
}

func spanOf(t *testing.T, spans *tracetest.InMemoryExporter, n int) (tracetest.SpanStub, map[attribute.Key]attribute.Value) {
	t.Helper()
	await(t, func() bool { return len(spans.GetSpans()) >= n })
	span, attributes := spans.GetSpans()[n-1], map[attribute.Key]attribute.Value{}
	for _, a := range span.Attributes {
		attributes[a.Key] = a.Value
	}
	return span, attributes
}

const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	callersSpan  = "b7ad6b7169203331"
)

// A span tells what the conventions ask for, and nothing of what was said.
func TestSpanOfAnAnswer(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	r := newRig(t, 1, traced(spans))
	for i, path := range []string{completions, "/v1/responses", "/v1/messages"} {
		body := question(path, "tokens=20 reasoning=3 pace=500 sesame")
		if path == completions {
			body = strings.Replace(body, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
		}
		response := r.post(0, path, body, "Authorization", "Bearer sesame")
		answer := read(t, response)
		span, got := spanOf(t, spans, i+1)
		if span.Name != "chat m" || span.SpanKind != trace.SpanKindClient || span.Status.Code != codes.Unset || span.Parent.IsValid() {
			t.Errorf("%s: got %+v", path, span)
		}
		host, port, _ := strings.Cut(strings.TrimPrefix(r.upstream, "http://"), ":")
		for key, want := range map[attribute.Key]string{
			"gen_ai.operation.name": "chat", "gen_ai.provider.name": "origin", "gen_ai.request.model": "m", "gen_ai.request.stream": "true",
			"gen_ai.response.model": "m", "server.address": host, "server.port": port,
			"freshet.stream": streamOf(t, response), "freshet.reason": "completed",
		} {
			if value := got[key]; value.String() != want {
				t.Errorf("%s: %s is %q, not %q", path, key, value.String(), want)
			}
		}
		if id := got["gen_ai.response.id"]; id.AsString() == "" || !strings.Contains(answer, id.AsString()) {
			t.Errorf("%s: the id is %q", path, id.AsString())
		}
		input, output := got["gen_ai.usage.input_tokens"], got["gen_ai.usage.output_tokens"]
		finish, first := got["gen_ai.response.finish_reasons"], got["gen_ai.response.time_to_first_chunk"]
		if input.AsInt64() == 0 || output.AsInt64() < 20 || len(finish.AsStringSlice()) != 1 || first.AsFloat64() <= 0 {
			t.Errorf("%s: got %v", path, got)
		}
		if len(span.Events) != 1 || span.Events[0].Name != "freshet.first_token" ||
			span.Events[0].Time.Before(span.StartTime) || span.Events[0].Time.After(span.EndTime) {
			t.Errorf("%s: got the events %+v", path, span.Events)
		}
		if told := fmt.Sprintf("%+v", span); strings.Contains(told, "sesame") || strings.Contains(told, "pace=") {
			t.Errorf("%s: content is in %s", path, told)
		}
	}
}

// The error of a span has few values, and not the upstream's words: these may
// quote what was asked. A stop is no error, and what was counted by chunks is not
// the upstream's usage.
func TestSpansOfOtherEnds(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	r := newRig(t, 1, traced(spans))
	for i, tt := range []struct{ prompt, err string }{
		{"status=429", "429"}, {"end=5", "upstream_truncated"}, {"cut=5", "upstream_error"}, {"error=5", "upstream_error"},
	} {
		_ = read(t, r.post(0, completions, question(completions, tt.prompt)))
		span, got := spanOf(t, spans, i+1)
		why := got["error.type"]
		if span.Status.Code != codes.Error || why.AsString() != tt.err || span.Status.Description != tt.err {
			t.Errorf("%s: got %+v, %v", tt.prompt, span.Status, why.AsString())
		}
		if _, ok := got["gen_ai.usage.output_tokens"]; ok {
			t.Errorf("%s: usage that was not told is %v", tt.prompt, got)
		}
	}
	response := r.post(0, completions, question(completions, "stall=6"))
	_ = readEvents(t, response, 6)
	_, err := r.servers[0].Append(t.Context(), streamOf(t, response), freshet.Append{Close: &freshet.Closing{Reason: freshet.Cancelled}})
	if err != nil {
		t.Fatal(err)
	}
	span, got := spanOf(t, spans, 5)
	reason, n := got["freshet.reason"], got["freshet.chunks"]
	if span.Status.Code != codes.Unset || reason.AsString() != "cancelled" || n.AsInt64() < 4 {
		t.Errorf("stopped: got %+v", span)
	}
}

// headers is an upstream that tells what it was sent, and answers as a stream if
// that was asked for.
func headers(sent chan<- http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		sent <- r.Header.Clone()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: [DONE]\n\n")
	})
}

// The span is the caller's child, and the upstream is told of the span; a retry
// that finds the answer has none of its own. Whether it is one that shares a key
// makes no difference.
func TestSpanIsTheCallersChild(t *testing.T) {
	spans, sent := tracetest.NewInMemoryExporter(), make(chan http.Header, 1)
	r := newRigBefore(t, 1, headers(sent), traced(spans))
	from := []string{"Traceparent", "00-" + callersTrace + "-" + callersSpan + "-01", "Tracestate", "v=1"}
	for i, more := range [][]string{nil, {"Idempotency-Key", "k"}} {
		_ = read(t, r.post(0, completions, question(completions, "x"), append(from, more...)...))
		h := <-sent
		span, _ := spanOf(t, spans, i+1)
		own := span.SpanContext
		if own.TraceID().String() != callersTrace || span.Parent.SpanID().String() != callersSpan || !span.Parent.IsRemote() {
			t.Errorf("got the parent %+v", span.Parent)
		}
		if got := h.Get("Traceparent"); got != "00-"+callersTrace+"-"+own.SpanID().String()+"-01" || h.Get("Tracestate") != "v=1" {
			t.Errorf("the upstream got %q, %q", got, h.Get("Tracestate"))
		}
	}
	_ = read(t, r.post(0, completions, question(completions, "x"), append(from, "Idempotency-Key", "k")...))
	_ = read(t, r.post(0, completions, question(completions, "y"), from...))
	<-sent
	if _, _ = spanOf(t, spans, 3); len(spans.GetSpans()) != 3 {
		t.Errorf("got %d spans", len(spans.GetSpans()))
	}
}

// Without tracing, and where an answer is passed through, the caller's trace goes
// on; baggage, which has anything in it, does not.
func TestTraceGoesThrough(t *testing.T) {
	sent := make(chan http.Header, 1)
	r := newRigBefore(t, 1, headers(sent))
	const parent = "00-" + callersTrace + "-" + callersSpan + "-01"
	for _, stream := range []string{"true", "false"} {
		body := strings.Replace(question(completions, "x"), "true", stream, 1)
		_ = read(t, r.post(0, completions, body, "Traceparent", parent, "Baggage", "user=1"))
		if h := <-sent; h.Get("Traceparent") != parent || h.Get("Baggage") != "" {
			t.Errorf("stream %s: the upstream got %v", stream, h)
		}
		_ = read(t, r.post(0, completions, body, "Traceparent", "00-nonsense"))
		if h := <-sent; h.Get("Traceparent") != "" {
			t.Errorf("stream %s: the upstream got %v", stream, h)
		}
	}
}
