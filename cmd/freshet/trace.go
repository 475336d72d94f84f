package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// traceTime bounds how long the last spans take to be sent.
const traceTime = 5 * time.Second

// startTracing returns what takes spans, nil unless OpenTelemetry's variables say
// where they are to go; all other settings of the exporter, of sampling and of
// batches are in such variables too. The caller calls stop, which sends what is
// left.
func startTracing(name string, log *slog.Logger) (p trace.TracerProvider, stop func(), err error) {
	to, err := traceEndpoint()
	if to == "" || err != nil {
		return nil, func() {}, err
	}
	ctx := context.Background()
	about, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", "freshet"),
			attribute.String("service.version", version()),
			attribute.String("service.instance.id", name),
		),
		resource.WithTelemetrySDK(), resource.WithFromEnv(),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("start tracing: %w", err)
	}
	// The SDK has no other way to say that spans could not be sent.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("trace", "error", err) }))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	log.Info("sending traces", "to", to)
	return provider, func() {
		ctx, cancel := context.WithTimeout(ctx, traceTime)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("send the last traces", "error", err)
		}
	}, nil
}

// traceEndpoint returns where spans go, "" for nowhere, as it may be logged.
func traceEndpoint() (string, error) {
	const endpoint, protocol = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
	to := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv(endpoint))
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); {
	case os.Getenv("OTEL_SDK_DISABLED") == "true", to == "", exporter == "none":
		return "", nil
	case exporter != "" && exporter != "otlp":
		return "", fmt.Errorf("OTEL_TRACES_EXPORTER is %s and may be otlp or none", exporter)
	}
	if p := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv(protocol)); p != "" && p != "http/protobuf" {
		return "", fmt.Errorf("%s is %s and may be http/protobuf, for which collectors listen on port 4318", protocol, p)
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%s has to be a URL, as in http://localhost:4318", endpoint)
	}
	return u.Redacted(), nil
}
