package sse

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/wire"
)

// Bounds of what can be asked for in one request.
const (
	setMost      = 32
	setBodyBytes = 64 << 10
)

// asked is one stream of a set, as the body names it.
type asked struct {
	Stream string `json:"stream"`
	Offset string `json:"offset"`
	cursor freshet.Cursor
}

// ServeSet answers a POST whose body names up to 32 streams with the events of
// all of them. The same body, sent again with the Last-Event-ID that came last,
// continues exactly. Only a malformed body is answered with an error: what is to
// be said of a stream, that it does not exist for instance, is said in-band.
func (t *Transport) ServeSet(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		problem.WriteMethod(w, r, "POST")
		return
	}
	set, err := parseSet(w, r)
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	cursor := &setCursor{body: fingerprint(set), positions: make([]position, len(set))}
	id := r.Header.Get("Last-Event-ID")
	foreign := false
	if id != "" {
		switch c, err := parseSetCursor(id, cursor.body, len(set)); {
		case err != nil:
			foreign = true
		case c.isOver():
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
			return
		default:
			cursor = c
		}
	}
	setHeaders(w.Header())
	s := &setSession{
		transport: t,
		response:  wire.Start(r.Context(), w, http.StatusOK, t.exchanges, drain.Set),
		cursor:    cursor,
	}
	if foreign {
		s.foreign = id
	}
	s.run(set)
}

func parseSet(w http.ResponseWriter, r *http.Request) ([]asked, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, setBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, freshet.ErrTooLarge.With("the body may have %d bytes", setBodyBytes)
	case err != nil:
		return nil, problem.ErrBody.With("the body cannot be read to its end: %v", err)
	}
	var set struct{ Streams []asked }
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&set); err != nil || decoder.More() {
		return nil, problem.ErrBody.With(`the body has to be {"streams":[{"stream":NAME,"offset":OFFSET}]}: %v`, err)
	}
	if n := len(set.Streams); n < 1 || n > setMost {
		return nil, problem.ErrBody.With("the body names %d streams and may name 1 to %d", n, setMost)
	}
	seen := map[string]bool{}
	for i := range set.Streams {
		a := &set.Streams[i]
		if err := freshet.ValidateName(a.Stream); err != nil {
			return nil, err
		}
		if seen[a.Stream] {
			return nil, problem.ErrBody.With("the body names the stream %.64q twice", a.Stream)
		}
		seen[a.Stream] = true
		if a.cursor, err = freshet.ParseCursorOf(a.Stream, a.Offset); err != nil {
			return nil, err
		}
	}
	return set.Streams, nil
}
