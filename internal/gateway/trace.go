package gateway

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
)

// scope names what makes the spans.
const scope = "github.com/freshet-stream/freshet"

// newTracer returns what makes spans: none if there is no provider.
func newTracer(p trace.TracerProvider) trace.Tracer {
	if p == nil {
		p = noop.NewTracerProvider()
	}
	return p.Tracer(scope)
}

// callerOf returns the span within which a caller asks: that of the request if this
// process has one, else the one in the headers (W3C Trace Context).
func callerOf(r *http.Request) trace.SpanContext {
	if span := trace.SpanContextFromContext(r.Context()); span.IsValid() {
		return span
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(r.Header))
	return trace.SpanContextFromContext(ctx)
}

// propagate tells an upstream of the span within which it is asked.
func propagate(ctx context.Context, h http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
}

// startSpan begins the span of the generation, unless it has. It is a child of the
// caller's, although it may outlive that: the answer was asked for there, whoever
// reads it in the end.
func (gen *generation) startSpan() {
	if gen.span != nil {
		return
	}
	q := gen.question
	ctx := trace.ContextWithSpanContext(context.Background(), q.caller)
	ctx, gen.span = gen.g.tracer.Start(ctx, spanName(q),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(q.taken), trace.WithAttributes(gen.askedAttributes()...))
	propagate(ctx, q.header)
}

func spanName(q *question) string {
	if q.model == "" {
		return operation(q.endpoint)
	}
	return operation(q.endpoint) + " " + clip(q.model, modelBytes)
}

// operation is what is asked of a model, in the words of the conventions.
func operation(e *endpoint) string {
	if _, ok := e.dialect.(dialect.Generic); ok {
		return "generate_content"
	}
	return "chat"
}

// askedAttributes are those of a question, by OpenTelemetry's semantic conventions
// for generative AI. There is nothing in them of what was asked.
func (gen *generation) askedAttributes() []attribute.KeyValue {
	q := gen.question
	attributes := []attribute.KeyValue{
		attribute.String("gen_ai.operation.name", operation(q.endpoint)),
		attribute.String("gen_ai.provider.name", providerOf(q.upstream)),
		attribute.Bool("gen_ai.request.stream", true),
		attribute.String("freshet.stream", gen.name),
		attribute.String("freshet.endpoint", q.endpoint.label()),
		attribute.String("freshet.upstream", q.upstream.Name),
	}
	if q.model != "" {
		attributes = append(attributes, attribute.String("gen_ai.request.model", clip(q.model, modelBytes)))
	}
	if host, port := q.upstream.address(); host != "" {
		attributes = append(attributes, attribute.String("server.address", host), attribute.Int("server.port", port))
	}
	return attributes
}

// endSpan ends the span with what has become of the generation.
func (gen *generation) endSpan(now time.Time) {
	m, span := &gen.meter, gen.span
	if !m.first.IsZero() {
		span.AddEvent("freshet.first_token", trace.WithTimestamp(m.first))
	}
	var attributes []attribute.KeyValue
	say := func(key, value string) {
		if value != "" {
			attributes = append(attributes, attribute.String(key, clip(value, modelBytes)))
		}
	}
	count := func(key string, n int64) {
		if n > 0 {
			attributes = append(attributes, attribute.Int64(key, n))
		}
	}
	say("gen_ai.response.id", m.id)
	say("gen_ai.response.model", m.Model)
	if m.Finish != "" {
		attributes = append(attributes, attribute.StringSlice("gen_ai.response.finish_reasons", []string{clip(m.Finish, finishBytes)}))
	}
	if !m.begun.IsZero() {
		attributes = append(attributes, attribute.Float64("gen_ai.response.time_to_first_chunk", m.since(m.begun).Seconds()))
	}
	count("gen_ai.usage.input_tokens", m.Usage.Input)
	count("gen_ai.usage.output_tokens", m.Usage.Output)
	count("gen_ai.usage.cache_read.input_tokens", m.Usage.Cached)
	count("gen_ai.usage.reasoning.output_tokens", m.Usage.Reasoning)
	count("freshet.chunks", m.Chunks)
	closed := gen.closure()
	if closed != nil {
		say("freshet.reason", string(closed.Reason))
	}
	if why := gen.failure(closed); why != "" {
		say("error.type", why)
		span.SetStatus(codes.Error, why)
	}
	span.SetAttributes(attributes...)
	span.End(trace.WithTimestamp(now))
}

// failure returns what kind of error has ended a generation, "" for none: the code
// of the close, or the status of an upstream that has refused.
func (gen *generation) failure(closed *freshet.Closure) string {
	switch {
	case closed == nil:
		return "_OTHER"
	case closed.Reason != freshet.Failed && closed.Reason != freshet.Interrupted:
		return ""
	case len(closed.Detail) == 0 && gen.meta.Status != 0 && gen.meta.Status/100 != 2:
		return strconv.Itoa(gen.meta.Status)
	}
	return dialect.DetailOf(*closed).Code
}

// forgoSpan ends the span of a generation whose stream could not be created.
func (gen *generation) forgoSpan() {
	if gen.span == nil {
		return
	}
	const why = "not_created"
	gen.span.SetAttributes(attribute.String("error.type", why))
	gen.span.SetStatus(codes.Error, why)
	gen.span.End()
}

// providers are the names that the conventions have for hosts.
var providers = map[string]string{
	"api.openai.com":                    "openai",
	"api.anthropic.com":                 "anthropic",
	"generativelanguage.googleapis.com": "gcp.gemini",
	"api.mistral.ai":                    "mistral_ai",
	"api.deepseek.com":                  "deepseek",
	"api.groq.com":                      "groq",
	"api.x.ai":                          "x_ai",
	"api.perplexity.ai":                 "perplexity",
	"api.cohere.com":                    "cohere",
}

// providerOf returns who an upstream is: as the conventions name it, or as the
// configuration does.
func providerOf(u *Upstream) string {
	host, _ := u.address()
	return cmp.Or(providers[host], u.Name)
}

// address returns where an upstream is; "" if that is in this process.
func (u *Upstream) address() (host string, port int) {
	base, err := url.Parse(u.Base)
	if err != nil || u.Base == DemoBase {
		return "", 0
	}
	port = 80
	if base.Scheme == "https" {
		port = 443
	}
	if n, err := strconv.Atoi(base.Port()); err == nil {
		port = n
	}
	return base.Hostname(), port
}
