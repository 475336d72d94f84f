package apidoc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"

	"github.com/freshet-stream/freshet/internal/apidoc"
)

func upgrade(headers ...string) []string {
	return append(headers, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
}

const operations = "Sec-WebSocket-Protocol: freshet.v1.json"

func readRequests() []request {
	const a, json, events, bytes = "/v1/stream/a", "/v1/stream/json", "/v1/stream/events", "/v1/stream/bytes"
	return []request{
		{name: "read", method: "GET", path: a + "?offset=-1", status: 200},
		{name: "read the first page", method: "GET", path: "/v1/stream/long", status: 200},
		{name: "read JSON", method: "GET", path: json, status: 200},
		{name: "read events to their end", method: "GET", path: events, status: 200},
		{name: "read bytes", method: "GET", path: bytes, status: 200},
		{name: "read from now on", method: "GET", path: a + "?offset=now", status: 200},
		{name: "read what is known", method: "GET", path: a, headers: []string{"If-None-Match: *"}, status: 304},
		{name: "read a closed one that is known", method: "GET", path: events, headers: []string{"If-None-Match: *"}, status: 304},
		{name: "long-poll", method: "GET", path: a + "?offset=-1&live=long-poll", status: 200},
		{name: "long-poll for nothing", method: "GET", path: a + "?offset=now&live=long-poll&cursor=1", status: 204},
		{name: "long-poll at the end", method: "GET", path: events + "?offset=now&live=long-poll", status: 204},
		{name: "live=sse", method: "GET", path: bytes + "?offset=-1&live=sse", status: 200},
		{name: "SSE", method: "GET", path: a + "?encoding=json", headers: []string{sse}, status: 200},
		{name: "SSE of bytes", method: "GET", path: bytes, headers: []string{sse}, status: 200},
		{name: "SSE with a foreign id", method: "GET", path: a, headers: []string{sse, "Last-Event-ID: " + foreignOffset}, status: 200},
		{name: "SSE with an id in the query", method: "GET", path: a + "?last-event-id=" + foreignOffset, headers: []string{sse}, status: 200},
		{name: "SSE of what is gone", method: "GET", path: "/v1/stream/missing", headers: []string{sse, "Last-Event-ID: " + foreignOffset}, status: 200},
		{name: "SSE with a known end", method: "GET", path: "/v1/stream/missing", headers: []string{sse, "Last-Event-ID: " + foreignOffset + "-end"}, status: 204},
		{name: "SSE that waits", method: "GET", path: "/v1/stream/later?wait=20", headers: []string{sse}, status: 200},
		{name: "WebSocket", method: "GET", path: a + "?append=a", headers: upgrade(), status: 101},
		{name: "WebSocket with operations", method: "GET", path: a, headers: upgrade(operations), status: 101},
		{name: "compressed WebSocket", method: "GET", path: a, headers: upgrade(operations, "Sec-WebSocket-Extensions: permessage-deflate"), status: 101, server: "deflating"},
		{name: "a bad name", method: "GET", path: "/v1/stream/%2e%2e", status: 400, code: "bad_name"},
		{name: "a bad offset", method: "GET", path: a + "?offset=12", status: 400, code: "bad_offset"},
		{name: "a bad query", method: "GET", path: a + "?live=tv", status: 400, code: "bad_query"},
		{name: "a bad handshake", method: "GET", path: a, headers: []string{"Upgrade: websocket"}, status: 400, code: "bad_upgrade"},
		{name: "appending to the server's own", method: "GET", path: a + "?append=gen/x", headers: upgrade(), status: 403, code: "reserved"},
		{name: "a WebSocket across origins", method: "GET", path: a, headers: upgrade(foreignOrigin), status: 403, code: "origin_not_allowed"},
		{name: "a missing stream", method: "GET", path: "/v1/stream/missing", status: 404},
		{name: "a gap", method: "GET", path: a + "?offset=" + foreignOffset, status: 410},
		{name: "a gap ahead", method: "GET", path: a + "?offset=" + ahead, status: 410},
		{name: "another WebSocket", method: "GET", path: a, headers: []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8"}, status: 426},
		{name: "describe", method: "HEAD", path: a, status: 200},
		{name: "describe a closed one", method: "HEAD", path: "/v1/stream/ttl", status: 200},
		{name: "describe one that expires", method: "HEAD", path: "/v1/stream/expires", status: 200},
		{name: "describe a bad name", method: "HEAD", path: "/v1/stream/", status: 400},
		{name: "describe a missing one", method: "HEAD", path: "/v1/stream/missing", status: 404},
	}
}

func otherRequests() []request {
	const a, set = "/v1/stream/a", `{"streams":[{"stream":"a"}]}`
	return []request{
		{name: "preflight", method: "OPTIONS", path: a, status: 204},
		{name: "preflight of a bad name", method: "OPTIONS", path: "/v1/stream/a//", status: 400},
		{name: "preflight of following many", method: "OPTIONS", path: "/v1/follow", status: 204},
		{name: "preflight of a list", method: "OPTIONS", path: "/v1/streams", status: 204},
		{name: "another method", method: "PATCH", path: a, status: 405},
		{name: "a page that is let in", method: "GET", path: "/v1/streams", headers: []string{"Origin: " + allowedOrigin}, server: "shared", status: 200},
		{name: "a preflight that is let in", method: "OPTIONS", path: "/v1/follow", headers: []string{"Origin: " + allowedOrigin}, server: "shared", status: 204},
		{name: "list", method: "GET", path: "/v1/streams?prefix=a&after=0&limit=1", status: 200},
		{name: "list all", method: "GET", path: "/v1/streams", status: 200},
		{name: "a bad limit", method: "GET", path: "/v1/streams?limit=all", status: 400},
		{name: "changing the list", method: "DELETE", path: "/v1/streams", status: 405},
		{name: "follow", method: "POST", path: "/v1/follow", headers: []string{asJSON, "Last-Event-ID: ?"}, body: set, status: 200},
		{name: "follow nonsense", method: "POST", path: "/v1/follow", headers: []string{asJSON}, body: "[]", status: 400, code: "bad_body"},
		{name: "follow a bad name", method: "POST", path: "/v1/follow", headers: []string{asJSON}, body: `{"streams":[{"stream":"/"}]}`, status: 400, code: "bad_name"},
		{name: "follow from a bad offset", method: "POST", path: "/v1/follow", headers: []string{asJSON}, body: `{"streams":[{"stream":"a","offset":"1"}]}`, status: 400, code: "bad_offset"},
		{name: "follow too much", method: "POST", path: "/v1/follow", headers: []string{asJSON}, body: strings.Repeat(" ", 65<<10), status: 413},
		{name: "follow across origins", method: "POST", path: "/v1/follow", headers: []string{asJSON, foreignOrigin}, body: set, status: 403},
		{name: "follow by GET", method: "GET", path: "/v1/follow", status: 405},
		{name: "follow what is known to have ended", method: "POST", path: "/v1/follow", headers: []string{asJSON, "Last-Event-ID: " + endedSet(set)}, body: set, status: 204},
		{name: "many over WebSocket", method: "GET", path: "/v1/ws", headers: upgrade(operations), status: 101},
		{name: "compressed", method: "GET", path: "/v1/ws", headers: upgrade(operations, "Sec-WebSocket-Extensions: permessage-deflate"), status: 101, server: "deflating"},
		{name: "no operations", method: "GET", path: "/v1/ws", headers: upgrade(), status: 400, code: "bad_upgrade"},
		{name: "a bad query", method: "GET", path: "/v1/ws?a=%zz", headers: upgrade(operations), status: 400, code: "bad_query"},
		{name: "another version", method: "GET", path: "/v1/ws", headers: []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8"}, status: 426},
		{name: "a WebSocket by POST", method: "POST", path: "/v1/ws", status: 405},
		{name: "health", method: "GET", path: "/healthz", status: 200},
		{name: "health by HEAD", method: "HEAD", path: "/healthz", status: 200},
		{name: "health by POST", method: "POST", path: "/healthz", status: 405},
		{name: "health with a foreign Host", method: "GET", path: "/healthz", headers: []string{"Host: 10.0.0.1"}, status: 200},
		{name: "health of a server that stops", method: "GET", path: "/healthz", server: "stopped", status: 200},
		{name: "ready", method: "GET", path: "/readyz", headers: []string{"Host: 10.0.0.1"}, status: 200},
		{name: "ready by HEAD", method: "HEAD", path: "/readyz", status: 200},
		{name: "ready by POST", method: "POST", path: "/readyz", status: 405},
		{name: "not ready while it stops", method: "GET", path: "/readyz", server: "stopped", status: 503, code: "draining"},
		{name: "not ready without a store", method: "GET", path: "/readyz", server: "away", status: 503, code: "store_unavailable"},
		{name: "not ready by HEAD", method: "HEAD", path: "/readyz", server: "away", status: 503},
		{name: "this document", method: "GET", path: "/v1/openapi.yaml", status: 200},
		{name: "the other", method: "HEAD", path: "/v1/asyncapi.yaml", status: 200},
		{name: "this document as JSON", method: "GET", path: "/v1/openapi.json", status: 200},
		{name: "this document again", method: "GET", path: "/v1/asyncapi.json", headers: []string{"If-None-Match: " + tagOf("asyncapi.json")}, status: 304},
		{name: "no document", method: "GET", path: "/v1/api.yaml", status: 404},
		{name: "changing a document", method: "PUT", path: "/v1/openapi.yaml", status: 405},
		{name: "delete", method: "DELETE", path: "/v1/stream/many", status: 204},
		{name: "delete it again", method: "DELETE", path: "/v1/stream/many", status: 404},
		{name: "delete a bad name", method: "DELETE", path: "/v1/stream/", status: 400},
		{name: "delete the server's own", method: "DELETE", path: "/v1/stream/gen/x", status: 403, code: "reserved"},
		{name: "delete across origins", method: "DELETE", path: a, headers: []string{foreignOrigin}, status: 403, code: "origin_not_allowed"},
	}
}

// tagOf returns the ETag of a document.
func tagOf(file string) string {
	w := httptest.NewRecorder()
	apidoc.Serve(w, httptest.NewRequest("GET", "/v1/"+file, nil))
	return w.Header().Get("ETag")
}

// endedSet returns the last event id of a reader of the set in the body who knows
// how its streams have ended.
func endedSet(body string) string {
	var set struct {
		Streams []struct{ Stream, Offset string }
	}
	_ = json.Unmarshal([]byte(body), &set)
	h := sha256.New()
	for _, s := range set.Streams {
		h.Write([]byte(s.Stream + "\x00" + s.Offset + "\x00"))
	}
	raw := append([]byte{1}, h.Sum(nil)[:8]...)
	for range set.Streams {
		raw = append(raw, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// commonRequests bring about what may happen to nearly any request.
func commonRequests() []request {
	const a = "/v1/stream/a"
	var all []request
	each := []request{
		{method: "PUT", path: a}, {method: "POST", path: a, headers: []string{closing}}, {method: "GET", path: a}, {method: "HEAD", path: a},
		{method: "DELETE", path: a}, {method: "OPTIONS", path: a}, {method: "GET", path: "/v1/streams"}, {method: "POST", path: "/v1/follow"},
		{method: "OPTIONS", path: "/v1/follow"}, {method: "OPTIONS", path: "/v1/streams"},
		{method: "GET", path: "/v1/ws"}, {method: "GET", path: "/v1/openapi.yaml"},
	}
	for _, r := range each {
		foreign, large := r, r
		foreign.name, foreign.status, foreign.headers = "a foreign Host", 421, []string{"Host: evil.example"}
		large.name, large.status, large.headers = "large headers", 431, []string{"X-Large: " + strings.Repeat("x", 65<<10)}
		all = append(all, foreign, large)
	}
	all = append(all,
		request{name: "the server stops", method: "GET", path: a, headers: []string{sse}, status: 200, server: "stopped"},
		request{name: "the server stops", method: "POST", path: a, headers: []string{closing}, status: 503, server: "stopped"},
		request{name: "the server stops", method: "GET", path: "/v1/ws", headers: upgrade(operations), status: 503, server: "stopped"},
	)
	for _, r := range each[:7] {
		if r.method == "OPTIONS" {
			continue
		}
		broken, away := r, r
		broken.name, broken.server, broken.status = "a broken store", "broken", 500
		away.name, away.server, away.status = "a store that is away", "away", 503
		all = append(all, broken, away)
	}
	return all
}
