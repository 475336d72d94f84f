// Package sse is the transport for a plain browser EventSource: a GET on a
// stream's URL that is answered with the stream as server-sent events, to the
// letter of the WHATWG HTML standard, chapter "Server-sent events".
//
// Every event's id is the offset after what it carries, so that the browser's
// own reconnection, with its own Last-Event-ID, continues exactly. The end and
// every loss are events too, since a browser shows its page nothing else.
package sse

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/wire"
	codec "github.com/freshet-stream/freshet/sse"
)

// retry is the reconnection time that clients are told, give or take a quarter
// so that those who lost one server do not come to the next at once.
const retry = time.Second

// Options configure a [Transport].
type Options struct {
	Hub *hub.Hub
	// Heartbeat is after how long without an event a comment is sent.
	Heartbeat time.Duration
	// Exchanges is the group in which responses are; one of its own.
	Exchanges *drain.Group
}

// A Transport serves streams as server-sent events. It may be used
// concurrently.
type Transport struct {
	hub       *hub.Hub
	heartbeat time.Duration
	exchanges *drain.Group
	formats   formats
}

// New returns a transport.
func New(opts Options) *Transport {
	if opts.Exchanges == nil {
		opts.Exchanges = new(drain.Group)
	}
	return &Transport{hub: opts.Hub, heartbeat: opts.Heartbeat, exchanges: opts.Exchanges, formats: newFormats()}
}

// ServeStream answers a GET for the stream. It returns when the response is
// over, or panics with [http.ErrAbortHandler] to abort it.
func (t *Transport) ServeStream(w http.ResponseWriter, r *http.Request, name string) {
	// What it takes to begin is in a function of its own: a stack that was
	// grown for it shrinks again while the stream is followed.
	s, err := t.begin(w, r, name)
	switch {
	case err != nil:
		t.refuse(w, r, err)
	case s != nil:
		defer s.follower.Close()
		s.run()
	}
}

// begin finds out what is asked for and sends the head of the response. It
// returns nil if that was the whole answer.
func (t *Transport) begin(w http.ResponseWriter, r *http.Request, name string) (*session, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem.ErrQuery.With("the query cannot be parsed: %v", err)
	}
	from, err := parseStart(r, query, name)
	if err != nil {
		return nil, err
	}
	encoding := query.Get("encoding")
	if encoding != "" && encoding != "json" && encoding != "base64" {
		return nil, problem.ErrQuery.With("encoding is %.32q and may be json or base64", encoding)
	}
	wait, err := parseWait(query.Get("wait"))
	if err != nil {
		return nil, err
	}
	if from.Ended && t.knowsEnd(r, name, from.Offset) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil, nil
	}
	follower, err := t.hub.Follow(r.Context(), name, hub.FollowOptions{
		Cursor: from.Cursor, Idle: t.heartbeat, Wait: wait > 0 && !from.isReal(),
	})
	switch {
	case errors.Is(err, freshet.ErrNotFound) && from.isReal():
		t.tellGone(w, r, &from)
		return nil, nil
	case err != nil:
		return nil, err
	}
	setHeaders(w.Header())
	s := &session{follower: follower, formats: &t.formats, encoding: encoding, wait: wait}
	if s.chooseFormat() && s.format.base64 {
		w.Header().Set("Stream-SSE-Data-Encoding", "base64")
	}
	s.response = wire.Start(r.Context(), w, http.StatusOK, t.exchanges, drain.SSE)
	if err := s.response.Write(s.appendBegin(nil, &from)); err != nil {
		follower.Close()
		s.response.Abort()
	}
	return s, nil
}

// waitMost is for how long a stream that does not exist can be waited for.
const waitMost = 300 * time.Second

func parseWait(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseUint(s, 10, 16)
	wait := time.Duration(seconds) * time.Second
	if err != nil || wait > waitMost {
		return 0, problem.ErrQuery.With("wait is %.32q and has to be a number of seconds, %d at most", s, waitMost/time.Second)
	}
	return wait, nil
}

// knowsEnd reports whether a client that was told the end at this offset may be
// told to stop for good: because that is the end, or because there is no stream
// of which it could have missed anything.
func (t *Transport) knowsEnd(r *http.Request, name string, at freshet.Offset) bool {
	info, err := t.hub.Info(r.Context(), name)
	if err != nil {
		return errors.Is(err, freshet.ErrNotFound)
	}
	return info.EndsAt(at)
}

func setHeaders(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
}

// appendPrelude appends what begins every response: the reconnection time and,
// so that a drop before the first event resumes too, the position.
func appendPrelude(dst []byte, at string) []byte {
	dst = codec.AppendRetry(dst, retry*3/4+rand.N(retry/2))
	if at != "" {
		return codec.AppendID(dst, at)
	}
	return append(dst, '\n')
}
