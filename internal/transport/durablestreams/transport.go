// Package durablestreams is the transport that speaks the Durable Streams
// protocol: streams are created, appended to, closed, read and deleted with the
// methods of HTTP on their URL.
//
// Numbers of sections in this package are those of the protocol's
// specification, version 1.0.
package durablestreams

import (
	"net/http"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
)

// Options configure a [Transport].
type Options struct {
	Hub *hub.Hub
	// LongPoll is for how long a long-poll waits for something to happen.
	LongPoll time.Duration
	// Heartbeat is after how long without an event a comment is sent over SSE.
	Heartbeat time.Duration
	// Limits bound bodies and records.
	Limits freshet.Limits
	// KeepOpen and KeepClosed are the retention of streams that are created
	// without one of their own, as in [freshet.Spec].
	KeepOpen, KeepClosed time.Duration
	// Exchanges is the group in which long requests and responses are; one of its
	// own.
	Exchanges *drain.Group
}

// A Transport serves the methods of the protocol. It may be used concurrently.
type Transport struct {
	hub  *hub.Hub
	opts Options
}

// New returns a transport.
func New(opts Options) *Transport {
	opts.Limits = opts.Limits.WithDefaults()
	if opts.Exchanges == nil {
		opts.Exchanges = new(drain.Group)
	}
	return &Transport{hub: opts.Hub, opts: opts}
}

// Methods are what ServeStream answers.
const Methods = "GET, HEAD, PUT, POST, DELETE"

// ServeStream answers a request for the stream.
func (t *Transport) ServeStream(w http.ResponseWriter, r *http.Request, name string) {
	var err error
	switch r.Method {
	case http.MethodGet:
		err = t.read(w, r, name)
	case http.MethodHead:
		err = t.head(w, r, name)
	case http.MethodPut:
		err = t.create(w, r, name)
	case http.MethodPost:
		err = t.append(w, r, name)
	case http.MethodDelete:
		err = t.delete(w, r, name)
	default:
		problem.WriteMethod(w, r, Methods)
		return
	}
	if err != nil {
		problem.Write(w, r, err)
	}
}

// head answers with what is known of the stream (section 5.5).
func (t *Transport) head(w http.ResponseWriter, r *http.Request, name string) error {
	info, err := t.hub.Info(r.Context(), name)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	setInfo(h, &info)
	w.WriteHeader(http.StatusOK)
	return nil
}

// delete removes the stream (section 5.4).
func (t *Transport) delete(w http.ResponseWriter, r *http.Request, name string) error {
	if freshet.Reserved(name) != "" {
		return freshet.ErrReserved.With("streams under %s/ belong to the server and cannot be deleted", freshet.Reserved(name))
	}
	if err := t.hub.Delete(r.Context(), name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
