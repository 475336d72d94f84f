package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/freshet-stream/freshet/server"
)

// The upstream gets its own key in the endpoint's way, and nothing that says who
// the caller is; the caller gets nothing that is not for it; nobody is told the
// key.
func TestHeaderHygiene(t *testing.T) {
	var mu sync.Mutex
	got := map[string]http.Header{}
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[r.URL.Path] = r.Header.Clone()
		mu.Unlock()
		w.Header().Set("Set-Cookie", "session=upstream")
		w.Header().Set("Server", "upstream")
		w.Header().Set("Location", "http://elsewhere.example/")
		w.Header().Set("Openai-Processing-Ms", "5")
		w.WriteHeader(http.StatusBadRequest)
	})
	log := &syncBuffer{}
	r := newRigBefore(t, 1, upstream, func(o *server.Options) {
		o.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, stream := range []string{"true", "false"} {
		for path := range prompts {
			response := r.post(0, path, strings.Replace(question(path, "x"), "true", stream, 1),
				"Authorization", "Bearer caller", "X-Api-Key", "caller", "Api-Key", "caller", "Cookie", "session=caller",
				"Idempotency-Key", "caller", "X-Forwarded-For", "192.0.2.1", "Anthropic-Version", "2023-06-01", "Openai-Beta", "x")
			_ = read(t, response)
			if h := response.Header; h.Get("Set-Cookie")+h.Get("Server")+h.Get("Location") != "" || h.Get("Openai-Processing-Ms") != "5" {
				t.Errorf("%s: the caller got %v", path, h)
			}
			mu.Lock()
			h := got[path]
			mu.Unlock()
			key, other := h.Get("Authorization"), h.Get("X-Api-Key")
			if path == "/v1/messages" {
				key, other = "Bearer "+other, key
			}
			if key != "Bearer "+secret || other != "" || h.Get("Anthropic-Version") != "2023-06-01" || h.Get("Openai-Beta") != "x" {
				t.Errorf("%s: the upstream got %v", path, h)
			}
			if strings.Contains(fmt.Sprint(h), "caller") || h.Get("X-Forwarded-For") != "" {
				t.Errorf("%s: the upstream was told of the caller: %v", path, h)
			}
		}
	}
	infos, err := r.store.List(t.Context(), "", "", 100)
	if err != nil || len(infos) != len(prompts) {
		t.Fatalf("got %d streams, %v", len(infos), err)
	}
	for _, info := range infos {
		if strings.Contains(string(info.Meta), secret) || strings.Contains(string(info.Meta), "caller") {
			t.Errorf("%s says %s", info.Name, info.Meta)
		}
	}
	if strings.Contains(log.String(), secret) {
		t.Errorf("the log has the key: %s", log.String())
	}
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// A redirect is not followed: the key would go to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer elsewhere.Close()
	r := newRigBefore(t, 1, http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	for _, body := range []string{`{"stream":true}`, `{}`} {
		response := r.post(0, chat, body)
		if response.StatusCode != http.StatusTemporaryRedirect || response.Header.Get("Location") != "" {
			t.Errorf("got %s %v", response.Status, response.Header)
		}
	}
	if reached {
		t.Error("another host was reached")
	}
}

// A page of an upstream is passed on, and runs no script where this server's own
// pages are.
func TestPagesOfUpstreamsRunNoScript(t *testing.T) {
	r := newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src *")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "<script>%s</script>", r.URL.Path)
	}))
	for _, got := range []*http.Response{
		r.ask(t.Context(), "GET", r.urls[0]+"/v1/models/m", ""),
		r.ask(t.Context(), "GET", r.urls[0]+"/v1/responses/resp_1", ""),
		r.post(0, chat, `{"stream":true}`),
	} {
		if policy := got.Header.Values("Content-Security-Policy"); got.StatusCode != http.StatusNotFound || len(policy) != 1 || policy[0] != "sandbox" {
			t.Errorf("%s: got %s %q", got.Request.URL.Path, got.Status, policy)
		}
	}
}

// The model chooses the upstream and loses the upstream's name; nothing else in
// the body changes.
func TestModelChoosesUpstream(t *testing.T) {
	answer := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", name, r.URL.RequestURI(), body)
		})
	}
	second := httptest.NewServer(answer("second"))
	defer second.Close()
	r := newRigBefore(t, 1, answer("first"), func(o *server.Options) {
		o.Upstreams = append(o.Upstreams, server.Upstream{Name: "second", Base: second.URL + "/api/v1/"})
	})
	for body, want := range map[string]string{
		`{ "model" : "second/a/b", "x":[1, 2.50] }`:    `second /api/v1/chat/completions { "model" : "a/b", "x":[1, 2.50] }`,
		`{"x":{"model":"second/a"},"model":"third/a"}`: `first /v1/chat/completions {"x":{"model":"second/a"},"model":"third/a"}`,
		`{"model":"origin/\u00e9"}`:                    `first /v1/chat/completions {"model":"é"}`,
		`not JSON`:                                     `first /v1/chat/completions not JSON`,
		`{"model":5}`:                                  `first /v1/chat/completions {"model":5}`,
	} {
		if got := read(t, r.post(0, chat, body)); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
	for path, want := range map[string]string{
		"/v1/models?limit=2": "first /v1/models?limit=2 ", "/v1/models/a%2Fb": "first /v1/models/a%2Fb ",
	} {
		if got := read(t, r.ask(t.Context(), "GET", r.urls[0]+path, "")); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// Pages of an allowed origin get past their browser's preflight.
func TestPreflight(t *testing.T) {
	r := newRig(t, 1, func(o *server.Options) { o.AllowOrigins = []string{"https://app.example"} })
	for path := range prompts {
		got := r.ask(t.Context(), "OPTIONS", r.urls[0]+path, "", "Origin", "https://app.example",
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-api-key")
		if got.StatusCode != http.StatusNoContent || got.Header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
			!strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "X-Api-Key") {
			t.Errorf("%s: got %s %v", path, got.Status, got.Header)
		}
	}
}
