package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"go.opentelemetry.io/otel/trace"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/wire"
)

// pass sends a request on and answers as the upstream does. Nothing is recorded, so
// that a drain waits for it.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, u *Upstream, path string, body []byte) error {
	attended, done, err := g.attend(r.Context())
	if err != nil {
		return err
	}
	defer done()
	ctx, abort := context.WithCancelCause(attended)
	defer abort(nil)
	ask, err := http.NewRequestWithContext(ctx, r.Method, u.url(path, r.URL.RawQuery), bytes.NewReader(body))
	if err != nil {
		return problem.ErrRequest
	}
	copyHeaders(ask.Header, askedHeaders(r.Header))
	propagate(trace.ContextWithSpanContext(r.Context(), callerOf(r)), ask.Header)
	u.authorize(ask.Header, path)
	response, err := g.call(ask, u, abort)
	g.opts.Observer.Called(u.Name, labelOf(path), statusOf(response))
	if err != nil {
		if errors.Is(context.Cause(ctx), freshet.ErrShutdown) {
			return freshet.ErrShutdown.With("the server has ended before the upstream has answered; ask again")
		}
		if r.Context().Err() == nil {
			g.opts.Logger.Warn("ask upstream", "upstream", u.Name, "path", path, "error", err)
		}
		if isSilence(ctx) {
			return problem.ErrLate
		}
		return problem.ErrUpstream
	}
	defer response.Body.Close()
	dog := g.watchBody(response, u, abort)
	defer dog.stop()
	copyHeaders(w.Header(), answeredHeaders(response.Header))
	setWhole(w.Header())
	caller := wire.Start(ctx, w, response.StatusCode, &g.callers, drain.SSE)
	if _, err := io.Copy(writer{caller}, dog); err != nil {
		caller.Abort()
	}
	caller.End()
	return nil
}

// statusOf returns the status of an answer, 0 for none.
func statusOf(r *http.Response) int {
	if r == nil {
		return 0
	}
	return r.StatusCode
}

// serveHelper passes a request on to the upstream that its model says.
func (g *Gateway) serveHelper(w http.ResponseWriter, r *http.Request, path string) error {
	q, err := g.ask(w, r, &endpoint{path: path})
	if err != nil {
		return err
	}
	return g.pass(w, r, q.upstream, path, q.body)
}

// A writer sends each piece at once.
type writer struct{ to *wire.Response }

// Write implements [io.Writer].
func (w writer) Write(p []byte) (int, error) {
	if err := w.to.Write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
