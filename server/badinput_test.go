package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// serve runs a server as the command does and returns its address.
func serve(t *testing.T, opts server.Options) string {
	t.Helper()
	store := memstore.New(memstore.Options{})
	opts.Store = store
	s, err := server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: s}
	go func() { _ = hs.Serve(listen.Problems(l)) }()
	t.Cleanup(func() {
		s.Close()
		_ = hs.Close()
		_ = store.Close()
	})
	return l.Addr().String()
}

// send sends bytes as they are and returns the answer.
func send(t *testing.T, addr, request string) (*http.Response, []byte) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() { _, _ = io.WriteString(c, request) }()
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	return response, body
}

func request(method, path string, headers ...string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", method, path, strings.Join(append(headers, ""), "\r\n"))
}

func post(path, contentType, body string, headers ...string) string {
	headers = append(headers, "Content-Type: "+contentType, fmt.Sprintf("Content-Length: %d", len(body)))
	return request("POST", path, headers...) + body
}

// DESIGN: bad input gets a clear error and nothing is lost.
func TestBadInputGetsAProblem(t *testing.T) {
	addr := serve(t, server.Options{Loopback: true})
	for _, path := range []string{"text", "json", "events"} {
		contentType := map[string]string{"text": "text/plain", "json": "application/json", "events": "text/event-stream"}[path]
		if response, body := send(t, addr, request("PUT", "/v1/stream/"+path, "Content-Type: "+contentType)); response.StatusCode != 201 {
			t.Fatalf("%s %s", response.Status, body)
		}
	}
	sse := "Accept: text/event-stream"
	upgrade := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	tests := []struct {
		name, request string
		status        int
		code          string
	}{
		{"a malformed offset", request("GET", "/v1/stream/text?offset=12"), 400, "bad_offset"},
		{"a malformed offset over SSE", request("GET", "/v1/stream/text?offset=12", sse), 400, "bad_offset"},
		{"a malformed offset over WebSocket", request("GET", "/v1/stream/text?offset=12", upgrade...), 400, "bad_offset"},
		{"an empty offset", request("GET", "/v1/stream/text?offset="), 400, "bad_offset"},
		{"two offsets", request("GET", "/v1/stream/text?offset=-1&offset=now"), 400, "bad_offset"},
		{"an offset of 5 KB", request("GET", "/v1/stream/text?offset="+strings.Repeat("0", 5000)), 400, "bad_offset"},
		{"a malformed query", request("GET", "/v1/stream/text?a=%zz"), 400, "bad_query"},
		{"an unknown live mode", request("GET", "/v1/stream/text?live=tv"), 400, "bad_query"},
		{"long-poll without an offset", request("GET", "/v1/stream/text?live=long-poll"), 400, "bad_query"},
		{"a name of 10 KB", request("PUT", "/v1/stream/"+strings.Repeat("n", 10<<10)), 400, "bad_name"},
		{"a name of 513 bytes", request("PUT", "/v1/stream/"+strings.Repeat("n", 513)), 400, "bad_name"},
		{"no name", request("PUT", "/v1/stream/"), 400, "bad_name"},
		{"a doubled slash", request("PUT", "/v1/stream/a//b"), 400, "bad_name"},
		{"a trailing slash", request("PUT", "/v1/stream/a/"), 400, "bad_name"},
		{"..", request("PUT", "/v1/stream/a/../b"), 400, "bad_name"},
		{".", request("PUT", "/v1/stream/./b"), 400, "bad_name"},
		{"an escaped ..", request("GET", "/v1/stream/%2e%2e/b"), 400, "bad_name"},
		{"an escaped ../", request("GET", "/v1/stream/%2e%2e%2fb"), 400, "bad_name"},
		{"an escaped slash", request("GET", "/v1/stream/a%2Fb"), 400, "bad_name"},
		{"NUL", request("GET", "/v1/stream/a%00"), 400, "bad_name"},
		{"DEL", request("GET", "/v1/stream/a%7f"), 400, "bad_name"},
		{"invalid UTF-8", request("GET", "/v1/stream/%ff"), 400, "bad_name"},
		{"a bad escape", request("GET", "/v1/stream/%zz"), 400, "bad_request"},
		{"a reserved name", request("PUT", "/v1/stream/gen/x"), 403, "reserved"},
		{"an append to a reserved name", post("/v1/stream/resp/x", "text/plain", "x"), 403, "reserved"},
		{"deleting a reserved name", request("DELETE", "/v1/stream/demo/x"), 403, "reserved"},
		{"a fork", request("PUT", "/v1/stream/f", "Stream-Forked-From: /v1/stream/text"), 501, "not_implemented"},
		{"a body of 1 GiB", request("POST", "/v1/stream/text", "Content-Type: text/plain", "Content-Length: 1073741824"), 413, "too_large"},
		{"a record too large", post("/v1/stream/text", "text/plain", strings.Repeat("x", 16<<20+1)), 413, "too_large"},
		{"invalid JSON", post("/v1/stream/json", "application/json", `{"a":`), 400, "bad_record"},
		{"an empty JSON array", post("/v1/stream/json", "application/json", `[]`), 400, "empty_append"},
		{"a body without an event", post("/v1/stream/events", "text/event-stream", "hello"), 400, "bad_record"},
		{"an event type of ours", post("/v1/stream/events", "text/event-stream", "event: stream-closed\ndata: x\n\n"), 400, "bad_record"},
		{"another content type", post("/v1/stream/text", "application/json", `1`), 409, "content_type_mismatch"},
		{"no content type", request("POST", "/v1/stream/text", "Content-Length: 1") + "x", 400, "bad_content_type"},
		{"a content type that is none", post("/v1/stream/text", "text", "x"), 400, "bad_content_type"},
		{"an empty append", request("POST", "/v1/stream/text", "Content-Type: text/plain", "Content-Length: 0"), 400, "empty_append"},
		{"an unknown reason", request("POST", "/v1/stream/text", "Stream-Closed: true", "Freshet-Close-Reason: bored"), 400, "bad_reason"},
		{"half a producer", post("/v1/stream/text", "text/plain", "x", "Producer-Id: p"), 400, "bad_producer"},
		{"a producer without a number", post("/v1/stream/text", "text/plain", "x", "Producer-Id: p", "Producer-Epoch: one", "Producer-Seq: 0"), 400, "bad_producer"},
		{"a producer that skips", post("/v1/stream/text", "text/plain", "x", "Producer-Id: p", "Producer-Epoch: 0", "Producer-Seq: 7"), 409, "sequence_gap"},
		{"a TTL of words", request("PUT", "/v1/stream/t", "Stream-TTL: long"), 400, "bad_header"},
		{"TTL and expiry", request("PUT", "/v1/stream/t", "Stream-TTL: 5", "Stream-Expires-At: 2099-01-01T00:00:00Z"), 400, "bad_spec"},
		{"an expiry of words", request("PUT", "/v1/stream/t", "Stream-Expires-At: tomorrow"), 400, "bad_header"},
		{"a missing stream", request("GET", "/v1/stream/missing"), 404, "not_found"},
		{"an append to a missing stream", post("/v1/stream/missing", "text/plain", "x"), 404, "not_found"},
		{"an unknown path", request("GET", "/v1/strem/x"), 404, "no_such_path"},
		{"the root without a page", request("GET", "/"), 404, "no_such_path"},
		{"an unknown method", request("BREW", "/v1/stream/text"), 405, "method_not_allowed"},
		{"a method that lists do not have", request("DELETE", "/v1/streams"), 405, "method_not_allowed"},
		{"a limit of words", request("GET", "/v1/streams?limit=all"), 400, "bad_query"},
		{"absurd headers", request("GET", "/v1/stream/text", "X: "+strings.Repeat("x", 100<<10)), 431, "headers_too_large"},
		{"headers beyond net/http", request("GET", "/v1/stream/text", "X: "+strings.Repeat("x", 2<<20)), 431, "bad_request"},
		{"a header without a colon", request("GET", "/v1/stream/text", "what"), 400, "bad_request"},
		{"a foreign Host", "GET /v1/stream/text HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "host_not_allowed"},
		{"a page that writes across origins", post("/v1/stream/text", "text/plain", "x", "Origin: https://evil.example"), 403, "origin_not_allowed"},
		{"a page that opens a WebSocket across origins", request("GET", "/v1/stream/text", append(upgrade, "Origin: https://evil.example")...), 403, "origin_not_allowed"},
		{"a WebSocket of another version", request("GET", "/v1/stream/text", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8", upgrade[3]), 426, "bad_websocket_version"},
		{"a WebSocket without a key", request("GET", "/v1/stream/text", upgrade[:3]...), 400, "bad_upgrade"},
	}
	round := func() {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				response, body := send(t, addr, tt.request)
				if response.StatusCode != tt.status || response.Header.Get("Content-Type") != "application/problem+json" {
					t.Fatalf("got %s, %s, %s", response.Status, response.Header.Get("Content-Type"), body)
				}
				var problem struct {
					Title, Detail, Code string
					Status              int
				}
				if err := json.Unmarshal(body, &problem); err != nil {
					t.Fatalf("%v in %s", err, body)
				}
				if problem.Status != tt.status || problem.Code != tt.code || problem.Title == "" || len(problem.Detail) < 10 {
					t.Errorf("the problem is %+v", problem)
				}
			})
		}
	}
	before := held(t)
	for range 4 {
		round()
	}
	// net/http lingers for half a second on a connection that it refuses.
	after := held(t)
	for patience := time.Now().Add(10 * time.Second); after.exceeds(before) && time.Now().Before(patience); after = held(t) {
		send(t, addr, request("GET", "/healthz", "Connection: close"))
	}
	if after.exceeds(before) {
		t.Errorf("the process holds %+v, and held %+v before", after, before)
	}
	if response, body := send(t, addr, post("/v1/stream/text", "text/plain", "fine")); response.StatusCode != 204 {
		t.Errorf("a good append gets %s %s", response.Status, body)
	}
}

// holdings are what a process holds.
type holdings struct{ goroutines, descriptors int }

func held(t *testing.T) holdings {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return holdings{runtime.NumGoroutine(), len(entries)}
}

// exceeds allows for the connection that is just being closed, and for the
// goroutines that the hub keeps for the next append.
func (h holdings) exceeds(before holdings) bool {
	return h.goroutines > before.goroutines+4 || h.descriptors > before.descriptors+1
}
