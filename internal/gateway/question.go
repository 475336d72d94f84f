package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/wire"
)

// A question is what a caller has asked.
type question struct {
	endpoint *endpoint
	upstream *Upstream
	// header and body are what the upstream gets, and model what it is asked for.
	header http.Header
	query  string
	body   []byte
	model  string
	// stream says that the answer is to be a stream.
	stream bool
	// asksAnew says that there is a body, which a caller who resumes need not send.
	asksAnew bool
	// principal and digest are digests of who asks and of what, as it came.
	principal, digest string
	// unwatched says that the answer is to be cancelled when nobody reads it.
	unwatched bool
	// message is the id of the message that the answer goes on with, "" for one of
	// its own.
	message string
	// taken is when it was read.
	taken time.Time
	// caller is the span within which it was asked.
	caller trace.SpanContext
}

// ask reads a request for a generation.
func (g *Gateway) ask(w http.ResponseWriter, r *http.Request, e *endpoint) (*question, error) {
	body, err := g.readBody(w, r)
	if err != nil {
		return nil, err
	}
	return g.newQuestion(r, e, body)
}

// newQuestion returns the question that a body asks.
func (g *Gateway) newQuestion(r *http.Request, e *endpoint, body []byte) (*question, error) {
	q := &question{
		endpoint: e, header: askedHeaders(r.Header), query: r.URL.RawQuery, body: body,
		asksAnew: len(body) > 0, principal: principalOf(r.Header), digest: digest(body),
		taken: time.Now(), caller: callerOf(r),
	}
	switch when := r.Header.Get("Freshet-On-Disconnect"); when {
	case "", "continue":
	case "cancel":
		q.unwatched = true
	default:
		return nil, problem.ErrHeader.With("Freshet-On-Disconnect is %.32q and may be cancel or continue", when)
	}
	if q.query != "" {
		q.digest = digest(body, []byte(q.query))
	}
	m := readMembers(body)
	if e.upstream != nil {
		q.upstream, q.model, q.stream = e.upstream, m.model, true
		return q, nil
	}
	q.stream = m.stream
	q.upstream, q.model = g.choose(m.model)
	if q.model != m.model {
		q.body = m.rename(body, q.model)
	}
	return q, nil
}

// request returns what the upstream gets.
func (q *question) request(ctx context.Context) (*http.Request, error) {
	url := q.upstream.url(q.endpoint.target(), q.query)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	copyHeaders(r.Header, q.header)
	q.upstream.authorize(r.Header, q.endpoint.target())
	return r, nil
}

func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	most := int64(g.opts.Limits.Append)
	from := wire.NewBody(w, http.MaxBytesReader(w, r.Body, most))
	defer from.Done()
	plain, err := decoded(r.Header, from)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(plain, most+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), int64(len(body)) > most:
		return nil, freshet.ErrTooLarge.With("the body may have %d bytes; raise --max-body", most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, problem.ErrBody.With("the body brought nothing for %v", wire.BodyStall)
	case err != nil:
		return nil, problem.ErrBody
	}
	return body, nil
}

// members are those of a body that the gateway looks at.
type members struct {
	model  string
	stream bool
	// from and to are where the model is written in the body.
	from, to int
}

// readMembers finds them. A body that is not understood has none: telling what is
// wrong with it is for the upstream.
func readMembers(body []byte) (m members) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return m
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return members{}
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return members{}
		}
		switch key {
		case "stream":
			m.stream = string(value) == "true"
		case "model":
			if json.Unmarshal(value, &m.model) == nil {
				m.to = int(d.InputOffset())
				m.from = m.to - len(value)
			}
		}
	}
	return m
}

// rename returns the body with another model, and nothing else changed.
func (m *members) rename(body []byte, model string) []byte {
	name, err := json.Marshal(model)
	if err != nil {
		panic(err) // a string can be marshalled
	}
	return bytes.Join([][]byte{body[:m.from], name, body[m.to:]}, nil)
}
