package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// The last spans are sent before the process ends, as OTLP over HTTP, to where the
// standard variables say.
func TestTracesAreSent(t *testing.T) {
	var mu sync.Mutex
	var got []*tracepb.ResourceSpans
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		// The request of the protocol has the same form on the wire.
		var traces tracepb.TracesData
		if err != nil || proto.Unmarshal(body, &traces) != nil || r.URL.Path != "/v1/traces" ||
			r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("X-Team") != "a" {
			t.Errorf("got %s %v, %v", r.URL, r.Header, err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, traces.ResourceSpans...)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	upstream := httptest.NewServer(origin.New(""))
	defer upstream.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")

	s := serveProcess(t, "--name=server-1", "--upstream=origin="+upstream.URL+"/v1")
	const body = `{"model":"m","stream":true,"messages":[{"role":"user","content":"sesame tokens=3"}]}`
	response, err := http.Post(s.url+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	s.signal()
	if err := s.end(); err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || len(got[0].ScopeSpans) != 1 || len(got[0].ScopeSpans[0].Spans) != 1 {
		t.Fatalf("got %v\n%s", got, s.log)
	}
	if span := got[0].ScopeSpans[0].Spans[0]; span.Name != "chat m" || span.Kind != tracepb.Span_SPAN_KIND_CLIENT {
		t.Errorf("got %v", span)
	}
	about := map[string]string{}
	for _, a := range got[0].Resource.Attributes {
		about[a.Key] = a.Value.GetStringValue()
	}
	if about["service.name"] != "freshet" || about["service.instance.id"] != "server-1" || about["deployment.environment.name"] != "test" {
		t.Errorf("the resource is %v", about)
	}
	if said := got[0].String(); strings.Contains(said, "sesame") {
		t.Errorf("content is in %s", said)
	}
}

// Nothing is sent unless that was asked for, and what cannot be done is said.
func TestTraceEndpoint(t *testing.T) {
	for name, tt := range map[string]struct{ variables, to, err string }{
		"nothing":            {"", "", ""},
		"an endpoint":        {"EXPORTER_OTLP_ENDPOINT=http://c:4318", "http://c:4318", ""},
		"one for traces":     {"EXPORTER_OTLP_TRACES_ENDPOINT=https://c/x EXPORTER_OTLP_ENDPOINT=http://d", "https://c/x", ""},
		"no password":        {"EXPORTER_OTLP_ENDPOINT=http://u:sesame@c", "http://u:xxxxx@c", ""},
		"turned off":         {"SDK_DISABLED=true EXPORTER_OTLP_ENDPOINT=http://c", "", ""},
		"no exporter":        {"TRACES_EXPORTER=none EXPORTER_OTLP_ENDPOINT=http://c", "", ""},
		"another exporter":   {"TRACES_EXPORTER=zipkin EXPORTER_OTLP_ENDPOINT=http://c", "", "OTEL_TRACES_EXPORTER is zipkin"},
		"another protocol":   {"EXPORTER_OTLP_PROTOCOL=grpc EXPORTER_OTLP_ENDPOINT=http://c:4317", "", "may be http/protobuf"},
		"an address, no URL": {"EXPORTER_OTLP_ENDPOINT=localhost:4318", "", "has to be a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{"EXPORTER_OTLP_ENDPOINT", "EXPORTER_OTLP_TRACES_ENDPOINT", "EXPORTER_OTLP_PROTOCOL", "EXPORTER_OTLP_TRACES_PROTOCOL", "TRACES_EXPORTER", "SDK_DISABLED"} {
				t.Setenv("OTEL_"+v, "")
			}
			for _, v := range strings.Fields(tt.variables) {
				name, value, _ := strings.Cut(v, "=")
				t.Setenv("OTEL_"+name, value)
			}
			to, err := traceEndpoint()
			if to != tt.to || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %q, %v", to, err)
			}
		})
	}
}
