package server_test

import (
	"testing"

	"github.com/freshet-stream/freshet/server"
)

// A browser sends a preflight before a page of another origin may POST JSON, and
// gives up unless it is answered by a 2xx (Fetch standard, section 4.8).
func TestPreflight(t *testing.T) {
	const origin = "https://app.example"
	addr := serve(t, server.Options{Loopback: true, AllowOrigins: []string{origin}})
	for path, methods := range map[string]string{
		"/v1/stream/a": "GET, HEAD, PUT, POST, DELETE, OPTIONS",
		"/v1/streams":  "GET, HEAD, OPTIONS",
		"/v1/follow":   "POST, OPTIONS",
	} {
		response, body := send(t, addr, request("OPTIONS", path, "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"))
		h := response.Header
		if response.StatusCode != 204 || h.Get("Allow") != methods || h.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%s: %s %v %s", path, response.Status, h, body)
		}
	}
}

// The answer that stops an EventSource is about this moment: nobody keeps it.
func TestNoContentIsNotKept(t *testing.T) {
	addr := serve(t, server.Options{Loopback: true})
	response, _ := send(t, addr, request("GET", "/v1/stream/a", "Accept: text/event-stream", "Last-Event-ID: 0000000000000001_0123456789abcdef-end"))
	if response.StatusCode != 204 || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", response.Status, response.Header)
	}
}

func TestManyOverWebSocketTakesGetOnly(t *testing.T) {
	addr := serve(t, server.Options{Loopback: true})
	response, _ := send(t, addr, request("POST", "/v1/ws"))
	if response.StatusCode != 405 || response.Header.Get("Allow") != "GET" {
		t.Errorf("%s %v", response.Status, response.Header)
	}
}
