package gateway

import (
	"net/http"
	"slices"
	"strings"
)

// asked are the headers of a caller that the upstream gets. Those which say who
// the caller is are not among them, nor is Idempotency-Key: it would let net/http
// repeat a request that may have been received.
var asked = []string{"Accept", "Content-Type", "Anthropic-Version", "Anthropic-Beta", "Openai-Beta"}

// askedHeaders returns what the upstream is told of a caller's headers.
func askedHeaders(from http.Header) http.Header {
	h := http.Header{"User-Agent": {"freshet"}, "Accept-Encoding": {"identity"}}
	for _, name := range asked {
		if values := from.Values(name); len(values) > 0 {
			h[name] = slices.Clone(values)
		}
	}
	return h
}

// answered are the headers of an upstream that its callers get, and
// answeredPrefixes what others begin with.
var (
	answered         = []string{"Content-Type", "Retry-After", "Retry-After-Ms", "X-Should-Retry", "X-Request-Id", "Request-Id"}
	answeredPrefixes = []string{"X-Ratelimit-", "Anthropic-Ratelimit-", "Openai-"}
)

// answeredBytes bounds them: they are kept in the meta of a stream.
const answeredBytes = 2 << 10

// answeredHeaders returns what callers are told of an upstream's headers.
func answeredHeaders(from http.Header) http.Header {
	h, size := http.Header{}, 0
	take := func(name string) {
		for _, value := range from.Values(name) {
			if size += len(name) + jsonBytes(value) + len(`"":[""],`); size <= answeredBytes {
				h.Add(name, value)
			}
		}
	}
	for _, name := range answered {
		take(name)
	}
	var others []string
	for name := range from {
		if slices.ContainsFunc(answeredPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for _, name := range others {
		take(name)
	}
	return h
}

// setWhole sets the headers of an answer that is passed on whole. An upstream's page,
// such as one that says what was wrong with a path, is none of this server's: what a
// browser that is led there shows of it runs no script.
func setWhole(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "sandbox")
}

// copyHeaders sets the headers from on to.
func copyHeaders(to, from http.Header) {
	for name, values := range from {
		to[name] = slices.Clone(values)
	}
}
