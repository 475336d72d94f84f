package apidoc_test

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// What a list says of generations is documented, and what is documented of them is
// said.
func TestGenerationsInTheList(t *testing.T) {
	c := &checker{document: readDocument(t, "openapi.json")}
	upstream := httptest.NewServer(origin.New(""))
	defer upstream.Close()
	store := memstore.New(memstore.Options{})
	defer store.Close()
	s, err := server.New(server.Options{
		Store: store, Logger: slog.New(slog.DiscardHandler),
		Upstreams: []server.Upstream{{Name: "origin", Base: upstream.URL + "/v1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	web := httptest.NewServer(s)
	defer web.Close()
	for _, prompt := range []string{"tokens=8 reasoning=3 pace=500", "status=429"} {
		body := `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"` + prompt + `"}]}`
		response, err := http.Post(web.URL+"/v1/chat/completions", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	response, err := http.Get(web.URL + "/v1/streams?prefix=gen/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	list, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	c.validate("list", "/components/schemas/Listing", list)
	said := map[string]bool{"cached_tokens": true} // The origin has no cache.
	for _, stream := range list.(map[string]any)["streams"].([]any) {
		generation, _ := stream.(map[string]any)["generation"].(map[string]any)
		for name := range generation {
			said[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.object("/components/schemas/Generation/properties"))) {
		if !said[name] {
			t.Errorf("no generation has %s: %s", name, body)
		}
	}
}
