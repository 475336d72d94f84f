package sse

import (
	"net/http"
	"net/url"

	"github.com/freshet-stream/freshet"
)

// start is where a request asks to begin.
type start struct {
	freshet.Cursor
	// id is what the client sent as its last event id, "" if it sent none or
	// one that stands for the beginning.
	id string
	// foreign says that id is none that this server can have sent.
	foreign bool
}

// lastIDParams are the query parameters in which clients that cannot set
// headers send the last event id: ours, and those of common polyfills.
var lastIDParams = [...]string{"last-event-id", "lastEventId", "Last-Event-ID"}

// parseStart follows the order of precedence: the Last-Event-ID header (HTML
// standard, section 9.2.4), the same as a query parameter, and the offset
// parameter. Only a malformed offset parameter is an error: a browser shows
// nobody the answer to a bad Last-Event-ID, so that one becomes a gap.
func parseStart(r *http.Request, query url.Values, name string) (start, error) {
	id := r.Header.Get("Last-Event-ID")
	for _, param := range lastIDParams {
		if id == "" {
			id = query.Get(param)
		}
	}
	if id == "" {
		cursor, err := freshet.ParseCursorOf(name, query.Get("offset"))
		return start{Cursor: cursor}, err
	}
	cursor, err := freshet.ParseCursorOf(name, id)
	if err != nil {
		return start{id: id, foreign: true}, nil
	}
	if !cursor.IsReal() {
		return start{Cursor: cursor}, nil
	}
	return start{Cursor: cursor, id: id}, nil
}

// isReal reports whether the client names a position, served or not.
func (s *start) isReal() bool { return s.foreign || s.IsReal() }

// requested returns the position as the client is told of it in a gap.
func (s *start) requested() string {
	if s.id != "" {
		return s.id
	}
	return s.String()
}
