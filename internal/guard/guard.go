// Package guard refuses requests that a server on the open internet, or on a
// developer's own machine, has to refuse before it looks at what they ask for.
package guard

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/freshet-stream/freshet/internal/problem"
)

// maxHeaderBytes bounds a request's target and headers. net/http reads up to
// its own limit, which has to be greater, so that this one is told properly.
const maxHeaderBytes = 64 << 10

// Options configure a [Guard].
type Options struct {
	// Loopback says that the server listens on loopback only, so that a Host
	// which is not loopback comes from a page that was rebound to it.
	Loopback bool
	// Hosts are names that Host may have besides. Without any, and not on
	// loopback, Host is not looked at.
	Hosts []string
	// Origins are those whose pages may write and open WebSockets, as in
	// https://example.com.
	Origins []string
}

// A Guard checks requests. It may be used concurrently.
type Guard struct {
	opts   Options
	origin *http.CrossOriginProtection
}

// New returns a guard, or an error that names the origin which is none.
func New(opts Options) (*Guard, error) {
	g := &Guard{opts: opts, origin: http.NewCrossOriginProtection()}
	for _, origin := range opts.Origins {
		if err := g.origin.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Check returns the error to answer a request with, or nil. It sets the headers
// by which browsers keep the answer from other pages, or let an allowed one
// read it.
func (g *Guard) Check(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	if headerBytes(r) > maxHeaderBytes {
		return problem.ErrHeaders.With("the request line and headers may have %d bytes together", maxHeaderBytes)
	}
	if !g.hostAllowed(r.Host) {
		return problem.ErrHost.With("the server does not answer to the Host %.128q; name it with --allow-host", r.Host)
	}
	checked := r
	if IsUpgrade(r) {
		// A WebSocket is a write, although its handshake is a GET.
		checked = new(http.Request)
		*checked = *r
		checked.Method = http.MethodPost
	}
	if err := g.origin.Check(checked); err != nil {
		return problem.ErrOrigin.With("pages of the origin %.128q may not do that here; name it with --allow-origin", r.Header.Get("Origin"))
	}
	g.share(w.Header(), r)
	return nil
}

// IsUpgrade reports whether the request wants to become a WebSocket (RFC 6455,
// section 4.2.1).
func IsUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// allowHeaders are the request headers that pages of other origins may send, if
// their origin is allowed: any, such as those by which SDKs say what they are. The
// asterisk does not cover Authorization, and older browsers do not know it.
const allowHeaders = "*, Content-Type, Authorization, If-None-Match, Last-Event-ID, Idempotency-Key, " +
	"Stream-Closed, Stream-Seq, Stream-TTL, Stream-Expires-At, Stream-Forked-From, Stream-Fork-Offset, Stream-Fork-Sub-Offset, " +
	"Producer-Id, Producer-Epoch, Producer-Seq, Freshet-Close-Reason, Freshet-Lease, Freshet-Retain, Freshet-Producer-Scope, " +
	"Freshet-On-Disconnect, X-Api-Key, Api-Key, Anthropic-Version, Anthropic-Beta, Openai-Beta"

// share lets pages of the allowed origins read the answer (Fetch standard,
// section 3.3). Without an allowed origin in the answer, browsers keep it from
// the page, whatever else it says.
func (g *Guard) share(h http.Header, r *http.Request) {
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE")
		h.Set("Access-Control-Allow-Headers", allowHeaders)
		h.Set("Access-Control-Max-Age", "7200")
	}
	if len(g.opts.Origins) == 0 {
		return
	}
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(g.opts.Origins, origin) {
		return
	}
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "*, Location, ETag, Retry-After")
}

func (g *Guard) hostAllowed(host string) bool {
	if !g.opts.Loopback && len(g.opts.Hosts) == 0 {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if g.opts.Loopback && isLoopback(name) {
		return true
	}
	return slices.ContainsFunc(g.opts.Hosts, func(allowed string) bool {
		return strings.EqualFold(allowed, name) || strings.EqualFold(allowed, host)
	})
}

func isLoopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}

func headerBytes(r *http.Request) int {
	n := len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}
