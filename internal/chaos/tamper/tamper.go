// Package tamper plants bugs into a server that works: a handler before it that
// does to requests and to Server-Sent Events what a server with that bug would.
// It is how a live run shows that its checker finds something.
package tamper

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/freshet-stream/freshet"
)

// A Bug is what a handler does wrong. What is nil it does right.
type Bug struct {
	// Request changes a request, or answers it by itself and returns true. It
	// reports with planted that it has done something.
	Request func(w http.ResponseWriter, r *http.Request, next http.Handler, planted func()) (answered bool)
	// Events returns what alters the blocks of one event stream. resumed says
	// that the reader brought a position.
	Events func(resumed bool, planted func()) Rewriter
}

// A Rewriter returns what is sent in place of a block, which ends with its empty
// line.
type Rewriter func(block []byte) []byte

// A Handler passes requests on to a server and plants a bug into some of them.
type Handler struct {
	next http.Handler
	bug  Bug

	mu      sync.Mutex
	planted int
}

// New returns a handler before next.
func New(next http.Handler, bug Bug) *Handler { return &Handler{next: next, bug: bug} }

// Planted returns how often the bug has shown.
func (h *Handler) Planted() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.planted
}

func (h *Handler) plant() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.planted++
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resumed := hasPosition(r)
	if h.bug.Request != nil && h.bug.Request(w, r, h.next, h.plant) {
		return
	}
	// What live=sse calls events is none of a plain reader's.
	plain := strings.Contains(r.Header.Get("Accept"), "text/event-stream") && !r.URL.Query().Has("live")
	if h.bug.Events == nil || !plain {
		h.next.ServeHTTP(w, r)
		return
	}
	h.next.ServeHTTP(&rewriter{ResponseWriter: w, rewrite: h.bug.Events(resumed, h.plant)}, r)
}

// hasPosition reports whether a reader has come past the beginning.
func hasPosition(r *http.Request) bool {
	c, err := freshet.ParseCursor(r.Header.Get("Last-Event-ID"))
	return err == nil && c.Offset.Seq > 0
}

// A rewriter is the response to a reader. It passes blocks on when they are
// whole.
type rewriter struct {
	http.ResponseWriter
	rewrite Rewriter
	rest    []byte
}

// Unwrap lets [http.ResponseController] find what the response can do.
func (w *rewriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *rewriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	var out []byte
	for {
		i := bytes.Index(w.rest, []byte("\n\n"))
		if i < 0 {
			break
		}
		out = append(out, w.rewrite(w.rest[:i+2])...)
		w.rest = bytes.Clone(w.rest[i+2:])
	}
	if len(out) == 0 {
		return len(p), nil
	}
	if _, err := w.ResponseWriter.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// again makes a request once more, without a name for its append, and throws the
// answer away.
func again(r *http.Request, body []byte, next http.Handler) {
	second := r.Clone(r.Context())
	second.Body = io.NopCloser(bytes.NewReader(body))
	for _, h := range []string{"Producer-Id", "Producer-Epoch", "Producer-Seq", "Stream-Closed"} {
		second.Header.Del(h)
	}
	next.ServeHTTP(httptest.NewRecorder(), second)
}
