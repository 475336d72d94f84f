package server_test

import (
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// Every answer says which server gave it, whatever it is.
func TestEveryAnswerNamesItsServer(t *testing.T) {
	const origin = "https://app.example"
	upgrade := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}
	addr := serve(t, server.Options{Name: "server-1", Loopback: true, AllowOrigins: []string{origin}})
	for _, tt := range []struct {
		status       int
		method, path string
		headers      []string
	}{
		{201, "PUT", "/v1/stream/a", []string{"Content-Type: text/plain"}},
		{200, "GET", "/v1/stream/a", nil},
		{204, "GET", "/v1/stream/gone", []string{"Accept: text/event-stream", "Last-Event-ID: 0000000000000001_0123456789abcdef-end"}},
		{204, "OPTIONS", "/v1/stream/a", []string{"Origin: " + origin, "Access-Control-Request-Method: POST"}},
		{101, "GET", "/v1/stream/a", upgrade},
		{101, "GET", "/v1/ws", append(upgrade, "Sec-WebSocket-Protocol: freshet.v1.json")},
		{426, "GET", "/v1/stream/a", []string{"Connection: Upgrade", "Upgrade: websocket"}},
		{200, "GET", "/healthz", nil},
		{404, "GET", "/nothing", nil},
		{400, "GET", "/v1/stream/a//b", nil},
		{421, "GET", "http://elsewhere.example/v1/streams", nil},
		{403, "POST", "/v1/stream/a", []string{"Origin: https://evil.example"}},
	} {
		response, body := send(t, addr, request(tt.method, tt.path, tt.headers...))
		if response.StatusCode != tt.status || response.Header.Get(server.NameHeader) != "server-1" {
			t.Errorf("%s %s: %s %v %s", tt.method, tt.path, response.Status, response.Header, body)
		}
	}
}

func TestNamesThatCannotBeSent(t *testing.T) {
	store := memstore.New(memstore.Options{})
	defer store.Close()
	for _, name := range []string{"two words", "line\r\nbreak", "größe", strings.Repeat("x", 129)} {
		if _, err := server.New(server.Options{Store: store, Name: name}); err == nil {
			t.Errorf("a server is called %q", name)
		}
	}
}
