package gateway

import (
	"slices"
	"strings"

	"github.com/freshet-stream/freshet/internal/dialect"
)

// An endpoint is a path that answers with generations.
type endpoint struct {
	// path is that of callers, after /v1.
	path    string
	dialect dialect.Dialect
	// to is the path at the upstream, after its base; "" is the same.
	to string
	// pattern is what the path is mapped by, if it is.
	pattern string
	// upstream is where it goes whatever the model is; nil is where that says.
	upstream *Upstream
}

// target returns the path at the upstream, after its base.
func (e *endpoint) target() string {
	if e.to == "" {
		return e.path
	}
	return e.to
}

// label returns what the path is counted as.
func (e *endpoint) label() string {
	if e.pattern == "" {
		return e.path
	}
	return e.pattern
}

// endpoints are the paths that answer with generations on every server.
var endpoints = [...]endpoint{
	{path: "/chat/completions", dialect: dialect.Chat{}},
	{path: messages, dialect: dialect.Messages{}},
	{path: responses, dialect: dialect.Responses{}},
}

func isBuiltin(path string) bool {
	return slices.ContainsFunc(endpoints[:], func(e endpoint) bool { return e.path == path })
}

// endpoint returns what a path after /v1 is, or nil if it has no generations.
func (g *Gateway) endpoint(path string) *endpoint {
	for i := range endpoints {
		if endpoints[i].path == path {
			return &endpoints[i]
		}
	}
	return g.routes.find(path)
}

// dialectOf returns how the events of a generation are read. Of a path that
// another server of the fleet maps and this one does not, nothing is known.
func (g *Gateway) dialectOf(m *Meta) dialect.Dialect {
	if m.Endpoint == chat {
		return chatEndpoint.dialect
	}
	if e := g.endpoint(m.Endpoint); e != nil {
		return e.dialect
	}
	return dialect.Generic{}
}

// messages is the path of messages.
const messages = "/messages"

// helpers are paths that SDKs post to beside the endpoints, and that answer at
// once. They go where the model says.
var helpers = [...]string{
	messages + "/count_tokens", responses + "/input_tokens", responses + "/compact", "/embeddings", "/moderations",
}

func isHelper(path string) bool { return slices.Contains(helpers[:], path) }

// models is the path of the list of models; what is below it are those.
const models = "/models"

func isModels(path string) bool { return path == models || strings.HasPrefix(path, models+"/") }

func isResponse(path string) bool { return strings.HasPrefix(path, responses+"/") }
