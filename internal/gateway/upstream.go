package gateway

import (
	"net/http"
	"strings"
	"time"
)

// DemoBase is the base of the upstream that is in the server.
const DemoBase = "demo://freshet/v1"

// An Upstream is where requests are sent.
type Upstream struct {
	// Name chooses the upstream: the model NAME/x goes there as x.
	Name string
	// Base is the URL to which the rest of a path is appended that begins with
	// /v1, as in https://api.example.com/v1.
	Base string
	// Key is the secret that is sent with each request, "" for none.
	Key string
	// Auth is how: "bearer", "none", or the name of a header. "" is as the endpoint
	// has it: x-api-key for /messages, a bearer token elsewhere.
	Auth string
	// Header is sent with each request, instead of what the caller says.
	Header map[string]string
	// Models are those that go there by their own names: exact ones, or what they
	// begin with and a *. Aliases are names that callers use for models, and what
	// the upstream calls those.
	Models  []string
	Aliases map[string]string
	// Paths are further paths, as in /v1/agents/run, that lead there whatever the
	// model is, and the paths after Base to which they lead; "" is the same after
	// /v1. A segment {NAME} stands for any one.
	Paths map[string]string
	// HeadTimeout and StallTimeout, unless they are 0, are instead of those in
	// [Options].
	HeadTimeout, StallTimeout time.Duration
}

// The values of [Upstream.Auth] that are no names of headers.
const (
	authBearer = "bearer"
	authNone   = "none"
)

// url returns where a request for a path after the base goes.
func (u *Upstream) url(path, query string) string {
	to := strings.TrimSuffix(u.Base, "/") + path
	if query != "" {
		to += "?" + query
	}
	return to
}

// authorize puts what the upstream always gets into the headers of a request.
func (u *Upstream) authorize(h http.Header, path string) {
	for name, value := range u.Header {
		h.Set(name, value)
	}
	auth := u.Auth
	if auth == "" && (path == messages || strings.HasPrefix(path, messages+"/")) {
		auth = "X-Api-Key"
	}
	switch {
	case u.Key == "" || auth == authNone:
	case auth == "" || auth == authBearer:
		h.Set("Authorization", "Bearer "+u.Key)
	default:
		h.Set(auth, u.Key)
	}
}

// called returns what the upstream calls a model.
func (u *Upstream) called(model string) string {
	if name, ok := u.Aliases[model]; ok {
		return name
	}
	return model
}

// claims returns how definitely the upstream has a model: not at all if negative.
func (u *Upstream) claims(model string) int {
	most := -1
	for _, pattern := range u.Models {
		begin, isPrefix := strings.CutSuffix(pattern, "*")
		switch {
		case !isPrefix && pattern == model:
			return len(model) + 1
		case isPrefix && strings.HasPrefix(model, begin):
			most = max(most, len(begin))
		}
	}
	if _, ok := u.Aliases[model]; ok {
		return len(model) + 1
	}
	return most
}

// choose returns the upstream for a model, and the model as it is called there:
// the one that it names, else the one that has it most definitely, else the first.
func (g *Gateway) choose(model string) (*Upstream, string) {
	name, rest, ok := strings.Cut(model, "/")
	best, most := &g.opts.Upstreams[0], -1
	for i := range g.opts.Upstreams {
		u := &g.opts.Upstreams[i]
		if ok && u.Name == name {
			return u, u.called(rest)
		}
		if n := u.claims(model); n > most {
			best, most = u, n
		}
	}
	return best, best.called(model)
}
