package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/freshet-stream/freshet/internal/problem"
)

// respPrefix is what the names begin with of the streams that name, by the
// upstream's id of a response, its generation.
const respPrefix = "resp/"

// responses is the path of responses; below it they are found by id.
const responses = "/responses"

// nameResponse lets a response be found by the upstream's id. It is called before
// anybody can learn that id. If an upstream gives an id twice, it is that of the
// answer that came first while that is under way, and then of the other.
func (gen *generation) nameResponse(ctx context.Context, id string) error {
	if gen.question.endpoint.path != responses || !isResponseID(id) {
		return nil
	}
	created, err := gen.createName(ctx, id)
	if err != nil || created {
		return err
	}
	other, err := gen.g.generationOf(ctx, id)
	if err != nil {
		return err
	}
	if goesOn, err := gen.g.goesOn(ctx, other); err != nil || goesOn {
		return err
	}
	if err := gen.g.opts.Hub.Delete(ctx, respPrefix+id); err != nil && !errors.Is(err, freshet.ErrNotFound) {
		return err
	}
	_, err = gen.createName(ctx, id)
	return err
}

// goesOn reports whether a generation is under way.
func (g *Gateway) goesOn(ctx context.Context, id string) (bool, error) {
	info, err := g.opts.Hub.Info(ctx, genPrefix+id)
	if errors.Is(err, freshet.ErrNotFound) {
		return false, nil
	}
	return err == nil && info.Closed == nil, err
}

func (gen *generation) createName(ctx context.Context, id string) (created bool, err error) {
	_, created, err = gen.g.opts.Hub.Create(ctx, respPrefix+id, freshet.Creation{
		Spec: freshet.Spec{ContentType: "text/plain", KeepOpen: gen.g.opts.KeepOpen, KeepClosed: gen.g.opts.KeepClosed},
		First: &freshet.Append{
			Records: []freshet.Record{{Data: []byte(strings.TrimPrefix(gen.name, genPrefix))}},
			Close:   &freshet.Closing{Reason: freshet.Completed},
		},
	})
	return created, err
}

// isResponseID reports whether an id can be that of a response: a segment of a path,
// and of the name of a stream. Some upstreams have theirs in Base64.
func isResponseID(id string) bool {
	return freshet.ValidateName(respPrefix+id) == nil &&
		!strings.ContainsFunc(id, func(c rune) bool { return !isWord(c) && !strings.ContainsRune("-.~=+:@", c) })
}

// serveResponse answers a request for a response that there is: GET for the state
// of it or, with stream=true, for its events, POST on cancel to stop it. What is
// not recorded here, and what else there is below it, is the upstream's.
func (g *Gateway) serveResponse(w http.ResponseWriter, r *http.Request, path string) error {
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
	default:
		// There are upstreams that answer TRACE with what they were sent: their key.
		problem.WriteMethod(w, r, "GET, POST, DELETE")
		return nil
	}
	rest := strings.TrimPrefix(path, responses+"/")
	if !isBelow(rest) {
		return problem.ErrPath
	}
	responseID, below, _ := strings.Cut(rest, "/")
	isGet, isCancel := r.Method == http.MethodGet && below == "", r.Method == http.MethodPost && below == "cancel"
	id, meta, err := g.findResponse(r, responseID)
	switch {
	case errors.Is(err, errUnnamed), err == nil && !isGet && !isCancel:
		body, err := g.readBody(w, r)
		if err != nil {
			return err
		}
		return g.pass(w, r, g.upstreamOf(meta), path, body)
	case err != nil:
		return err
	case isCancel:
		if err := g.stop(r.Context(), id); err != nil {
			return err
		}
	case r.URL.Query().Get("stream") == "true":
		after, err := parseAfter(r.URL.Query().Get("starting_after"))
		if err != nil {
			return err
		}
		g.opts.Observer.Came(responses, ArrivedResponse)
		return g.relay(w, r, id, start{after: after})
	}
	return g.serveState(w, r, id)
}

var errUnnamed = errors.New("no generation has this response")

// upstreamOf returns the upstream that has made an answer, or the first if that is
// not known here.
func (g *Gateway) upstreamOf(m Meta) *Upstream {
	for i := range g.opts.Upstreams {
		if g.opts.Upstreams[i].Name == m.Upstream {
			return &g.opts.Upstreams[i]
		}
	}
	return &g.opts.Upstreams[0]
}

// findResponse returns the generation of a response of the caller's, whose id is as
// it stands in a path.
func (g *Gateway) findResponse(r *http.Request, responseID string) (id string, meta Meta, err error) {
	responseID, err = url.PathUnescape(responseID)
	if err != nil || !isResponseID(responseID) {
		return "", meta, problem.ErrPath
	}
	if id, err = g.generationOf(r.Context(), responseID); err != nil {
		return "", meta, err
	}
	info, err := g.opts.Hub.Info(r.Context(), genPrefix+id)
	if err != nil {
		return "", meta, err
	}
	meta, err = metaOf(&info)
	if err == nil && meta.Principal != principalOf(r.Header) {
		err = freshet.ErrNotFound.With("there is no response of this caller with this id")
	}
	return id, meta, err
}

// generationOf returns the generation that a response is named for.
func (g *Gateway) generationOf(ctx context.Context, responseID string) (id string, err error) {
	page, err := g.opts.Hub.Read(ctx, respPrefix+responseID, freshet.Offset{}, freshet.Limit{Records: 1})
	if errors.Is(err, freshet.ErrNotFound) || err == nil && len(page.Records) == 0 {
		return "", errUnnamed
	}
	if err != nil {
		return "", err
	}
	return string(page.Records[0].Data), nil
}

// parseAfter reads the number of the last event that a caller has had; -1 is none.
func parseAfter(s string) (int64, error) {
	if s == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, problem.ErrQuery.With("starting_after is %.32q and has to be the sequence_number of an event", s)
	}
	return n, nil
}

// serveState answers with a response as its events have left it.
func (g *Gateway) serveState(w http.ResponseWriter, r *http.Request, id string) error {
	d := dialect.Responses{}
	tally, err := g.tally(r.Context(), id, d)
	if err != nil {
		return err
	}
	info, err := g.opts.Hub.Info(r.Context(), genPrefix+id)
	if err != nil {
		return err
	}
	stopped := info.Closed != nil && info.Closed.Reason == freshet.Cancelled && !tally.Ended()
	if info.Closed != nil {
		for _, e := range d.Ends(tally, *info.Closed) {
			tally.Add(d.Read(e))
		}
	}
	state := tally.Response()
	if stopped {
		state = cancelled(state)
	}
	if state == nil {
		return freshet.ErrNotFound
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Freshet-Stream", genPrefix+id)
	_, _ = w.Write(state)
	return nil
}

// cancelled returns the state of a response that was stopped. Events have no word
// for that, states have.
func cancelled(state json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(state, &members) != nil || members == nil {
		return state
	}
	members["status"] = json.RawMessage(`"cancelled"`)
	changed, err := json.Marshal(members)
	if err != nil {
		return state
	}
	return changed
}
