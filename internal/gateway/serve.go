package gateway

import (
	"net/http"

	"github.com/freshet-stream/freshet"
)

// serveGenerate answers a POST for a generation.
func (g *Gateway) serveGenerate(w http.ResponseWriter, r *http.Request, e *endpoint) error {
	q, err := g.ask(w, r, e)
	if err != nil {
		return err
	}
	if !q.stream {
		return g.pass(w, r, q.upstream, e.path, q.body)
	}
	id := newID()
	if _, _, err := g.begin(r.Context(), id, q); err != nil {
		return err
	}
	return g.relay(w, r, id, freshet.Offset{})
}
