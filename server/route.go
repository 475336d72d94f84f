package server

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/apidoc"
	"github.com/freshet-stream/freshet/internal/guard"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/transport/durablestreams"
)

const streamPrefix = "/v1/stream/"

// route finds what a request is for. It looks at the path as it was sent: a
// mux would clean it, and a stream's name would be another one then.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if escaped, ok := strings.CutPrefix(path, streamPrefix); ok {
		name, err := freshet.ParseName(escaped)
		if err != nil {
			problem.Write(w, r, err)
			return
		}
		s.serveStream(w, r, name)
		return
	}
	switch {
	case r.Method == http.MethodOptions && preflights[path] != "":
		preflight(w, preflights[path])
	case path == "/v1/streams":
		s.serveList(w, r)
	case path == "/v1/follow":
		s.events.ServeSet(w, r)
	case path == "/v1/ws":
		s.websocket.ServeMany(w, r)
	case s.gateway != nil && s.gateway.Serves(path) && r.Method == http.MethodOptions:
		preflight(w, "GET, POST")
	case s.gateway != nil && s.gateway.Serves(path):
		s.gateway.ServeHTTP(w, r)
	case slices.Contains(apidoc.Paths[:], path):
		apidoc.Serve(w, r)
	case s.opts.Metrics != nil && path == "/metrics":
		s.opts.Metrics.ServeHTTP(w, r)
	case s.demo != nil && (path == "/v1/demo" || strings.HasPrefix(path, "/v1/demo/")):
		s.demo.ServeHTTP(w, r)
	case s.opts.Page != nil && !strings.HasPrefix(path, "/v1/"):
		s.opts.Page.ServeHTTP(w, r)
	default:
		problem.Write(w, r, problem.ErrPath)
	}
}

// preflights has the methods of the paths, besides those of streams, to which
// browsers send a preflight before a page of an allowed origin gets there.
var preflights = map[string]string{"/v1/streams": "GET, HEAD", "/v1/follow": "POST"}

// preflight answers OPTIONS (RFC 9110, section 9.3.7). What browsers want to know
// the guard has said.
func preflight(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods+", OPTIONS")
	w.WriteHeader(http.StatusNoContent)
}

// serveStream serves a stream's URL over the transport that the request asks
// for.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, name string) {
	switch r.Method {
	case http.MethodOptions:
		preflight(w, durablestreams.Methods)
		return
	case http.MethodGet:
		w.Header().Add("Vary", "Accept")
	}
	if s.demo != nil && freshet.Reserved(name) == "demo" {
		w, r = s.demo.Tap(w, r, name)
	}
	s.negotiate(r)(w, r, name)
}

// A transport serves a request for a stream.
type transport func(w http.ResponseWriter, r *http.Request, name string)

// negotiate maps a request to a transport. The first row that fits counts.
func (s *Server) negotiate(r *http.Request) transport {
	for _, row := range []struct {
		fits  bool
		serve transport
	}{
		{guard.IsUpgrade(r), s.websocket.ServeStream},
		{r.Method == http.MethodGet && wantsEvents(r) && !r.URL.Query().Has("live"), s.events.ServeStream},
	} {
		if row.fits {
			return row.serve
		}
	}
	return s.durable.ServeStream
}

// wantsEvents reports whether Accept names text/event-stream (RFC 9110, section
// 12.5.1). A range such as */* does not name it.
func wantsEvents(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept") {
		for candidate := range strings.SplitSeq(value, ",") {
			media, params, err := mime.ParseMediaType(candidate)
			if err == nil && media == "text/event-stream" && params["q"] != "0" {
				return true
			}
		}
	}
	return false
}
