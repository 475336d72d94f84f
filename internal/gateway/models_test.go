package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/freshet-stream/freshet/server"
)

// lists returns an upstream that has models and says what it was asked.
func lists(t *testing.T, ids ...string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/models" {
			fmt.Fprint(w, r.URL.EscapedPath())
			return
		}
		fmt.Fprintf(w, `{"data":[{"id":"%s","n":1}]}`, strings.Join(ids, `","n":1},{"id":"`))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// The list of several upstreams is all they have, by ids that lead there when they
// are sent. An upstream that does not answer is left out, and each call is counted.
func TestModelsOfSeveralUpstreams(t *testing.T) {
	var l ledger
	r := newRigBefore(t, 1, says("not a list"), func(o *server.Options) {
		o.Upstreams = []server.Upstream{
			{Name: "one", Base: lists(t, "a", "shared", "c-1"), Aliases: map[string]string{"fast": "a"}},
			{Name: "two", Base: lists(t, "b", "shared", "c-2"), Models: []string{"c-*"}},
			o.Upstreams[0],
			{Name: "away", Base: "http://127.0.0.1:1/v1"},
		}
	}, observed(&l))
	var list struct {
		Object  string
		HasMore *bool  `json:"has_more"`
		FirstID string `json:"first_id"`
		Data    []struct{ ID string }
	}
	response := r.ask(t.Context(), "GET", r.urls[0]+"/v1/models", "")
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range list.Data {
		ids = append(ids, m.ID)
	}
	if want := []string{"a", "shared", "one/c-1", "fast", "two/b", "two/shared", "c-2"}; !cmp.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
	if list.Object != "list" || list.HasMore == nil || *list.HasMore || list.FirstID != "a" {
		t.Errorf("got %+v", list)
	}
	slices.Sort(l.told)
	if want := []string{"called away/models 0", "called one/models 200", "called origin/models 200", "called two/models 200"}; !cmp.Equal(l.told, want) {
		t.Errorf("observed %v", l.told)
	}
	for path, want := range map[string]string{"c-2": "/v1/models/c-2", "fast": "/v1/models/a", "two%2Fb%2Fd": "/v1/models/b%2Fd", "one/c-1": "/v1/models/c-1"} {
		if got := read(t, r.ask(t.Context(), "GET", r.urls[0]+"/v1/models/"+path, "")); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
