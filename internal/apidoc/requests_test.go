package apidoc_test

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	allowedOrigin = "https://app.example"
	foreignOrigin = "Origin: https://evil.example"
	text          = "Content-Type: text/plain"
	asJSON        = "Content-Type: application/json"
	asEvents      = "Content-Type: text/event-stream"
	closing       = "Stream-Closed: true"
	sse           = "Accept: text/event-stream"
	// foreignOffset is one that no stream here has.
	foreignOffset = "0000000000000001_0123456789abcdef"
	ahead         = "0000000000000099_0123456789abcdef"
)

// A request is sent to a server by [TestOpenAPI], after those before it.
type request struct {
	name         string
	method, path string
	headers      []string
	body         string
	// unsized says that the body is sent without its length.
	unsized bool
	// stalls says that it is sent so and does not end.
	stalls bool
	// cut says that the body is shorter than its announced length.
	cut bool
	// server is one of [startServers]; "" is plain.
	server string
	// status and, if not "", the problem's code are what it is answered by.
	status int
	code   string
}

// header returns the value of a header of the request.
func (r *request) header(name string) string {
	for _, h := range r.headers {
		if n, value, _ := strings.Cut(h, ": "); http.CanonicalHeaderKey(n) == http.CanonicalHeaderKey(name) {
			return value
		}
	}
	return ""
}

func producer(id string, epoch, seq int) []string {
	return []string{"Producer-Id: " + id, fmt.Sprint("Producer-Epoch: ", epoch), fmt.Sprint("Producer-Seq: ", seq)}
}

func with(headers []string, more ...string) []string { return append(more, headers...) }

// requests returns all of them, in order.
func requests() []request {
	all := createRequests()
	all = append(all, appendRequests()...)
	all = append(all, readRequests()...)
	all = append(all, otherRequests()...)
	all = append(all, llmRequests()...)
	return append(all, commonRequests()...)
}

func createRequests() []request {
	const a = "/v1/stream/a"
	large := strings.Repeat("x", 16<<20+1)
	return []request{
		{name: "create", method: "PUT", path: a, headers: []string{text}, body: "Hello", status: 201},
		{name: "create again", method: "PUT", path: a, headers: []string{text}, status: 200},
		{name: "create otherwise", method: "PUT", path: a, headers: []string{asJSON}, status: 409, code: "exists"},
		{name: "create closed what is open", method: "PUT", path: a, headers: []string{text, closing}, status: 409, code: "exists"},
		{name: "create with all there is", method: "PUT", path: "/v1/stream/ttl", body: "Hi", status: 201, headers: with(producer("p", 0, 0), text, closing,
			"Freshet-Close-Reason: failed", "Stream-TTL: 3600", "Stream-Seq: 1", "Freshet-Lease: 30")},
		{name: "create it again", method: "PUT", path: "/v1/stream/ttl", status: 200, headers: []string{text, closing, "Stream-TTL: 3600"}},
		{name: "create open what is closed", method: "PUT", path: "/v1/stream/ttl", status: 409, code: "exists", headers: []string{text, "Stream-TTL: 3600"}},
		{name: "create with an expiry", method: "PUT", path: "/v1/stream/expires", headers: []string{text, "Stream-Expires-At: 2099-01-01T00:00:00Z", "Freshet-Retain: records=10"}, status: 201},
		{name: "create it again", method: "PUT", path: "/v1/stream/expires", headers: []string{text, "Stream-Expires-At: 2099-01-01T00:00:00Z", "Freshet-Retain: records=10"}, status: 200},
		{name: "create JSON", method: "PUT", path: "/v1/stream/json", headers: []string{asJSON}, body: `[{"n":1}]`, status: 201},
		{name: "create events", method: "PUT", path: "/v1/stream/events", headers: []string{asEvents}, body: "event: delta\ndata: Hel\n\n", status: 201},
		{name: "create bytes", method: "PUT", path: "/v1/stream/bytes", headers: []string{"Content-Type: application/octet-stream"}, body: "\x00\x01", status: 201},
		{name: "create a page and a half", method: "PUT", path: "/v1/stream/long", headers: []string{text}, status: 201},
		{name: "a bad name", method: "PUT", path: "/v1/stream/a//b", status: 400, code: "bad_name"},
		{name: "a bad TTL", method: "PUT", path: "/v1/stream/x", headers: []string{"Stream-TTL: soon"}, status: 400, code: "bad_header"},
		{name: "a bad content type", method: "PUT", path: "/v1/stream/x", headers: []string{"Content-Type: text"}, status: 400, code: "bad_content_type"},
		{name: "TTL and expiry", method: "PUT", path: "/v1/stream/x", headers: []string{"Stream-TTL: 5", "Stream-Expires-At: 2099-01-01T00:00:00Z"}, status: 400, code: "bad_spec"},
		{name: "bad JSON", method: "PUT", path: "/v1/stream/x", headers: []string{asJSON}, body: "{", status: 400, code: "bad_record"},
		{name: "a bad reason", method: "PUT", path: "/v1/stream/x", headers: []string{closing, "Freshet-Close-Reason: bored"}, status: 400, code: "bad_reason"},
		{name: "half a producer", method: "PUT", path: "/v1/stream/x", headers: []string{"Producer-Id: p"}, status: 400, code: "bad_producer"},
		{name: "a body that breaks off", method: "PUT", path: "/v1/stream/x", headers: []string{text}, body: "x", cut: true, status: 400, code: "bad_body"},
		{name: "a reserved name", method: "PUT", path: "/v1/stream/gen/x", status: 403, code: "reserved"},
		{name: "across origins", method: "PUT", path: "/v1/stream/x", headers: []string{foreignOrigin}, status: 403, code: "origin_not_allowed"},
		{name: "a producer that does not begin at 0", method: "PUT", path: "/v1/stream/x", headers: with(producer("p", 0, 5), text), body: "x", status: 409, code: "sequence_gap"},
		{name: "too large", method: "PUT", path: "/v1/stream/x", headers: []string{text}, body: large, status: 413},
		{name: "a fork", method: "PUT", path: "/v1/stream/x", headers: []string{"Stream-Forked-From: /v1/stream/a"}, status: 501},
	}
}

func appendRequests() []request {
	const a, json, events = "/v1/stream/a", "/v1/stream/json", "/v1/stream/events"
	all := []request{
		{name: "append", method: "POST", path: a, headers: []string{text}, body: "!", status: 204},
		{name: "append in order", method: "POST", path: a, headers: []string{text, "Stream-Seq: 2", "Freshet-Lease: 300"}, body: "!", status: 204},
		{name: "append out of order", method: "POST", path: a, headers: []string{text, "Stream-Seq: 1"}, body: "!", status: 409, code: "stale_sequence"},
		{name: "append by a producer", method: "POST", path: a, headers: with(producer("p", 1, 0), text), body: "!", status: 200},
		{name: "append it again", method: "POST", path: a, headers: with(producer("p", 1, 0), text), body: "!", status: 204},
		{name: "a producer that skips", method: "POST", path: a, headers: with(producer("p", 1, 5), text), body: "!", status: 409, code: "sequence_gap"},
		{name: "a producer of the past", method: "POST", path: a, headers: with(producer("p", 0, 1), text), body: "!", status: 403, code: "fenced"},
		{name: "an epoch not begun", method: "POST", path: a, headers: with(producer("p", 2, 1), text), body: "!", status: 400, code: "bad_epoch_start"},
		{name: "append text as it comes", method: "POST", path: a, headers: []string{text}, body: "abc", unsized: true, status: 204},
		{name: "append JSON", method: "POST", path: json, headers: []string{asJSON}, body: `{"n":2}`, status: 204},
		{name: "append lines", method: "POST", path: json, headers: with(producer("p", 0, 0), "Content-Type: application/x-ndjson"), body: "{\"n\":3}\n{\"n\":4}\n", unsized: true, status: 200},
		{name: "append a bad line", method: "POST", path: json, headers: with(producer("p", 0, 2), "Content-Type: application/x-ndjson"), body: "{\"n\":5}\n{\n", unsized: true, status: 400, code: "bad_record"},
		{name: "append too long a line", method: "POST", path: json, headers: []string{"Content-Type: application/x-ndjson"}, body: "1\n\"" + strings.Repeat("x", 16<<20+1), unsized: true, status: 413},
		{name: "create on a server that drains", method: "PUT", path: json, headers: []string{asJSON}, server: "draining", status: 201},
		{name: "append lines while it drains", method: "POST", path: json, headers: with(producer("p", 0, 0), "Content-Type: application/x-ndjson"), body: "1\n", stalls: true, server: "draining", status: 503, code: "shutting_down"},
		{name: "append events", method: "POST", path: events, headers: with(producer("p", 0, 0), asEvents, "Freshet-Producer-Scope: record"), body: "data: a\n\ndata: b\n\n", unsized: true, status: 200},
		{name: "append bytes", method: "POST", path: "/v1/stream/bytes", headers: []string{"Content-Type: application/octet-stream"}, body: "\x02", status: 204},
		{name: "another content type", method: "POST", path: a, headers: []string{asJSON}, body: "1", status: 409, code: "content_type_mismatch"},
		{name: "a bad name", method: "POST", path: "/v1/stream/a/../b", status: 400, code: "bad_name"},
		{name: "a bad lease", method: "POST", path: a, headers: []string{"Freshet-Lease: long"}, status: 400, code: "bad_header"},
		{name: "no content type", method: "POST", path: a, body: "x", status: 400, code: "bad_content_type"},
		{name: "a bad reason", method: "POST", path: a, headers: []string{closing, "Freshet-Close-Reason: bored"}, status: 400, code: "bad_reason"},
		{name: "half a producer", method: "POST", path: a, headers: []string{"Producer-Id: p"}, status: 400, code: "bad_producer"},
		{name: "nothing", method: "POST", path: a, headers: []string{text}, status: 400, code: "empty_append"},
		{name: "a body that breaks off", method: "POST", path: a, headers: []string{text}, body: "x", cut: true, status: 400, code: "bad_body"},
		{name: "a reserved name", method: "POST", path: "/v1/stream/gen/x", headers: []string{text}, body: "x", status: 403, code: "reserved"},
		{name: "across origins", method: "POST", path: a, headers: []string{foreignOrigin}, status: 403, code: "origin_not_allowed"},
		{name: "a missing stream", method: "POST", path: "/v1/stream/missing", headers: []string{text}, body: "x", status: 404},
		{name: "it is not known", method: "POST", path: a, headers: []string{text}, body: "x", server: "uncertain", status: 503, code: "uncertain"},
		{name: "close", method: "POST", path: events, headers: []string{closing, "Freshet-Close-Reason: cancelled"}, status: 204},
		{name: "append to what is closed", method: "POST", path: events, headers: []string{asEvents}, body: "data: c\n\n", status: 409, code: "closed"},
		{name: "append and close", method: "POST", path: "/v1/stream/expires", headers: with(producer("p", 0, 0), text, closing), body: "x", status: 200},
		{name: "create what many write", method: "PUT", path: "/v1/stream/many", headers: []string{text}, status: 201},
	}
	for i := range 1024 {
		all = append(all, request{name: "one of many producers", method: "POST", path: "/v1/stream/many", headers: with(producer(fmt.Sprint(i), 0, 0), text), body: "x", status: 200})
	}
	all = append(all, request{name: "one producer too many", method: "POST", path: "/v1/stream/many", headers: with(producer("last", 0, 0), text), body: "x", status: 429})
	for range 3 {
		all = append(all, request{name: "fill pages", method: "POST", path: "/v1/stream/long", headers: []string{text}, body: strings.Repeat("x", 600<<10), status: 204})
	}
	return all
}
