package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway"
	"github.com/freshet-stream/freshet/internal/problem"
)

// listMost is how many streams one answer lists at most.
const listMost = 1000

// A listing is the answer to GET /v1/streams.
type listing struct {
	Streams []listed `json:"streams"`
	// After, if there may be more streams, is what the next request sends.
	After string `json:"after,omitempty"`
}

type listed struct {
	Stream      string    `json:"stream"`
	ContentType string    `json:"contentType"`
	Tail        string    `json:"tail"`
	Bytes       int64     `json:"bytes"`
	Created     time.Time `json:"created"`
	Appended    time.Time `json:"appended"`
	Closed      string    `json:"closed,omitempty"`
	// Generation is what is known of the LLM's answer that the stream is.
	Generation *gateway.Description `json:"generation,omitempty"`
}

// serveList answers with the streams in order of name.
func (s *Server) serveList(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem.WriteMethod(w, r, "GET, HEAD")
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		problem.Write(w, r, problem.ErrQuery.With("the query cannot be parsed: %v", err))
		return
	}
	n := 100
	if limit := query.Get("limit"); limit != "" {
		if n, err = strconv.Atoi(limit); err != nil || n < 1 || n > listMost {
			problem.Write(w, r, problem.ErrQuery.With("limit is %.32q and has to be a number from 1 to %d", limit, listMost))
			return
		}
	}
	infos, err := s.hub.List(r.Context(), query.Get("prefix"), query.Get("after"), n)
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	answer := listing{Streams: make([]listed, len(infos))}
	for i := range infos {
		answer.Streams[i] = list(&infos[i])
	}
	if len(infos) == n {
		answer.After = infos[n-1].Name
	}
	body, err := json.Marshal(answer)
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(append(body, '\n'))
}

func list(info *freshet.Info) listed {
	l := listed{
		Stream: info.Name, ContentType: info.Spec.ContentType, Tail: info.Tail.String(),
		Bytes: info.Bytes, Created: info.Created, Appended: info.Appended, Generation: gateway.Describe(info),
	}
	if info.Closed != nil {
		l.Closed = string(info.Closed.Reason)
	}
	return l
}
