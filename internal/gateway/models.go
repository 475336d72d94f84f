package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/freshet-stream/freshet/internal/problem"
)

const (
	// listTime is how long an upstream has to list its models, and listBytes how
	// long the list may be, where there are several.
	listTime  = 15 * time.Second
	listBytes = 16 << 20
)

// serveModels answers a question for models: a single upstream does, or the one
// that a model is at. What several have is put together.
func (g *Gateway) serveModels(w http.ResponseWriter, r *http.Request, path string) error {
	if path != models {
		return g.serveModel(w, r, path)
	}
	if len(g.opts.Upstreams) == 1 {
		return g.pass(w, r, &g.opts.Upstreams[0], path, nil)
	}
	lists := make([][]json.RawMessage, len(g.opts.Upstreams))
	errs := make([]error, len(lists))
	var all sync.WaitGroup
	for i := range lists {
		all.Go(func() { lists[i], errs[i] = g.list(r, &g.opts.Upstreams[i]) })
	}
	all.Wait()
	var union []json.RawMessage
	for i, list := range lists {
		if errs[i] != nil && r.Context().Err() == nil {
			g.opts.Logger.Warn("list models", "upstream", g.opts.Upstreams[i].Name, "error", errs[i])
		}
		union = append(union, g.sendable(&g.opts.Upstreams[i], list)...)
	}
	if !slices.Contains(errs, nil) {
		return g.pass(w, r, &g.opts.Upstreams[0], path, nil)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(newModelList(union)) // a caller who has left
	return nil
}

// serveModel passes a question for a model to where it is.
func (g *Gateway) serveModel(w http.ResponseWriter, r *http.Request, path string) error {
	escaped := strings.TrimPrefix(path, models+"/")
	model, err := url.PathUnescape(escaped)
	if err != nil || !isBelow(escaped) {
		return problem.ErrPath
	}
	u, called := g.choose(model)
	if called != model {
		path = models + "/" + url.PathEscape(called)
	}
	return g.pass(w, r, u, path, nil)
}

// list asks an upstream for its models.
func (g *Gateway) list(r *http.Request, u *Upstream) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(r.Context(), listTime)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url(models, r.URL.RawQuery), nil)
	if err != nil {
		return nil, err
	}
	copyHeaders(ask.Header, askedHeaders(r.Header))
	u.authorize(ask.Header, models)
	response, err := g.reach(ask)
	g.opts.Observer.Called(u.Name, models, statusOf(response))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, listBytes))
	if err != nil {
		return nil, err
	}
	var list struct {
		Data []json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil {
		return nil, errors.New("the answer is no list of models")
	}
	return list.Data, nil
}

// sendable returns an upstream's models with ids that lead there when they are
// sent, and its aliases.
func (g *Gateway) sendable(u *Upstream, list []json.RawMessage) (all []json.RawMessage) {
	for _, model := range list {
		var known struct{ ID string }
		if json.Unmarshal(model, &known) != nil || known.ID == "" {
			continue
		}
		if to, called := g.choose(known.ID); to != u || called != known.ID {
			model = withID(model, u.Name+"/"+known.ID)
		}
		all = append(all, model)
	}
	for _, alias := range slices.Sorted(maps.Keys(u.Aliases)) {
		all = append(all, aliasEntry(u, alias))
	}
	return all
}

// withID returns a model under another id.
func withID(model json.RawMessage, id string) json.RawMessage {
	var members map[string]json.RawMessage
	encoded, err := json.Marshal(id)
	if err != nil || json.Unmarshal(model, &members) != nil {
		return model
	}
	members["id"] = encoded
	changed, err := json.Marshal(members)
	if err != nil {
		return model
	}
	return changed
}

// aliasEntry returns an alias as a model, for either provider's SDKs.
func aliasEntry(u *Upstream, alias string) json.RawMessage {
	entry, err := json.Marshal(struct {
		ID          string `json:"id"`
		Object      string `json:"object"`
		Type        string `json:"type"`
		Created     int64  `json:"created"`
		CreatedAt   string `json:"created_at"`
		OwnedBy     string `json:"owned_by"`
		DisplayName string `json:"display_name"`
	}{alias, "model", "model", 0, "1970-01-01T00:00:00Z", u.Name, alias})
	if err != nil {
		panic(err) // strings can be marshalled
	}
	return entry
}

// A modelList is a list of models, whole, for either provider's SDKs.
type modelList struct {
	Object  string            `json:"object"`
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
	FirstID string            `json:"first_id,omitempty"`
	LastID  string            `json:"last_id,omitempty"`
}

func newModelList(data []json.RawMessage) modelList {
	list := modelList{Object: "list", Data: data}
	ids := make([]struct{ ID string }, len(data))
	for i := range data {
		_ = json.Unmarshal(data[i], &ids[i])
	}
	if len(ids) > 0 {
		list.FirstID, list.LastID = ids[0].ID, ids[len(ids)-1].ID
	} else {
		list.Data = []json.RawMessage{}
	}
	return list
}
