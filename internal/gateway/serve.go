package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

// serveGenerate answers a POST for a generation: with one that there is, if the
// request says which, or with a new one.
func (g *Gateway) serveGenerate(w http.ResponseWriter, r *http.Request, path string) error {
	q, err := g.ask(w, r, g.endpoint(path))
	if err != nil {
		return err
	}
	key, err := keyOf(r)
	if err != nil {
		return err
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		id, from, err := g.resume(r.Context(), q, last)
		if err != nil {
			return err
		}
		g.opts.Observer.Came(q.endpoint.label(), ArrivedID)
		return g.relay(w, r, id, start{offset: from, after: -1})
	}
	if !q.stream {
		return g.pass(w, r, q.upstream, q.endpoint.target(), q.body)
	}
	id, created, err := g.start(r.Context(), q, key)
	if err != nil {
		return err
	}
	g.opts.Observer.Came(q.endpoint.label(), arrival(created))
	return g.relay(w, r, id, beginning())
}

func arrival(created bool) Arrival {
	if created {
		return ArrivedNew
	}
	return ArrivedKey
}

// keyOf returns the Idempotency-Key of a request, "" for none.
func keyOf(r *http.Request) (string, error) {
	key, all := r.Header.Get("Idempotency-Key"), r.Header.Values("Idempotency-Key")
	if slices.ContainsFunc(all, func(other string) bool { return other != key }) {
		return "", problem.ErrHeader.With("Idempotency-Key is given %d times; send one", len(all))
	}
	if len(key) > keyBytes {
		return "", problem.ErrHeader.With("Idempotency-Key has %d bytes and may have %d", len(key), keyBytes)
	}
	return key, nil
}

// start begins a generation, or finds the one under a caller's key.
func (g *Gateway) start(ctx context.Context, q *question, key string) (id string, created bool, err error) {
	if key != "" {
		return g.claim(ctx, q, key)
	}
	id = newID()
	_, created, err = g.begin(ctx, id, true, q)
	return id, created, err
}

// resume finds the generation that a caller has had a part of, and where it goes
// on for that caller. A caller who is somebody else finds nothing.
func (g *Gateway) resume(ctx context.Context, q *question, last string) (id string, from freshet.Offset, err error) {
	id, _, _ = strings.Cut(last, ".")
	cursor, err := freshet.ParseCursorOf(genPrefix+id, last)
	if err != nil || !isID(id) || id == last {
		return "", from, freshet.ErrOffset.With("Last-Event-ID is %.64q and has to be an id that was sent with the answer", last)
	}
	none := freshet.ErrNotFound.With("there is no answer of this caller and path with this Last-Event-ID; it may have expired: ask without it")
	info, err := g.opts.Hub.Info(ctx, genPrefix+id)
	if errors.Is(err, freshet.ErrNotFound) {
		return "", from, none
	}
	if err != nil {
		return "", from, err
	}
	meta, err := metaOf(&info)
	switch {
	case err != nil:
		return "", from, err
	case meta.Principal != q.principal, meta.Endpoint != q.endpoint.path:
		return "", from, none
	case q.asksAnew && meta.Body != q.digest:
		return "", from, problem.ErrKey.With("the body is not the one that the answer of this Last-Event-ID was asked with")
	case meta.Plain:
		return id, freshet.Offset{}, nil
	}
	return id, cursor.Offset, nil
}

// claimsMost bounds how often a question is asked anew under one key.
const claimsMost = 1000

// claim finds the generation under a caller's key, or begins it. Of many who do so
// at once exactly one begins it, on whatever server. One that has failed is left
// behind: whoever asks again wants another try. A refusal is not remembered at all.
// A key is known for as long as its generations are kept.
func (g *Gateway) claim(ctx context.Context, q *question, key string) (id string, created bool, err error) {
	for n := 1; n <= claimsMost; n++ {
		id = q.keyedID(key, n)
		info, created, err := g.begin(ctx, id, false, q)
		if err != nil || created {
			return id, created, err
		}
		meta, err := metaOf(&info)
		switch {
		case err != nil:
			return "", false, err
		case meta.Principal != q.principal:
			return "", false, freshet.ErrNotFound
		case meta.refused(info.Closed):
			// Whoever is told what is wrong with a question may ask a better one.
		case meta.Body != q.digest:
			return "", false, problem.ErrKey
		case info.Closed == nil || info.Closed.Reason == freshet.Completed || info.Closed.Reason == freshet.Cancelled:
			return id, false, nil
		}
	}
	return "", false, problem.ErrKey.With("this Idempotency-Key has been tried %d times; send a new one", claimsMost)
}
