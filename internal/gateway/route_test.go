package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// mapping maps a path of the server to one of the first upstream.
func mapping(from, to string) func(*server.Options) {
	return func(o *server.Options) { o.Upstreams[0].Paths = map[string]string{from: to} }
}

// agent is an upstream that streams events of its own kind, and holds the last
// until it is let.
func agent(let <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: step\nid: 1\ndata: %s\ndata: %s\n\n", r.URL.RequestURI(), body)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-let:
			fmt.Fprint(w, "event: result\ndata: {\"ok\":true}\n\n")
		case <-r.Context().Done():
		}
	})
}

// Whatever answers a POST with events is a stream like any other: verbatim, and
// resumed by key, by the last id and by URL, on any server.
func TestMappedPath(t *testing.T) {
	let := make(chan struct{})
	r := newRigBefore(t, 2, agent(let), mapping("/v1/threads/{thread}/runs", "/x/{thread}/run"))
	const path = "/v1/threads/a%20b/runs?v=2"
	first := r.post(0, path, `{"in":1}`, "Idempotency-Key", "k")
	name := streamOf(t, first)
	seen := readEvents(t, first, 1)
	_ = first.Body.Close()
	const step = "event: step\ndata: /v1/x/a%20b/run?v=2\ndata: {\"in\":1}\n"
	if told(seen[0]) != step+"\n" {
		t.Fatalf("got %q", seen[0])
	}
	again := r.post(1, path, `{"in":1}`, "Idempotency-Key", "k")
	bare := r.post(1, path, "", "Last-Event-ID", idOf(t, seen[0]))
	byURL := r.ask(t.Context(), "GET", r.urls[1]+"/v1/stream/"+name+"?offset="+idOf(t, seen[0]), "", "Accept", "text/event-stream")
	close(let)
	const result = "event: result\ndata: {\"ok\":true}\n\n"
	if got := told(read(t, again)); got != step+"\n"+result || streamOf(t, again) != name {
		t.Errorf("by key: got %q", got)
	}
	if got := told(read(t, bare)); got != result {
		t.Errorf("by the last id: got %q", got)
	}
	if got := read(t, byURL); !strings.Contains(got, "event: result\ndata: {\"ok\":true}\n") || strings.Contains(got, "event: step") {
		t.Errorf("by URL: got %q", got)
	}
	if closed := r.end(name); closed.Reason != freshet.Completed {
		t.Errorf("closed as %s", closed.Reason)
	}
	for body, at := range map[string]string{`{"in":2}`: path, `{"in":1}`: strings.Replace(path, "v=2", "v=3", 1)} {
		if got := r.post(0, at, body, "Idempotency-Key", "k"); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("another question under the key: got %s", got.Status)
		}
	}
}

// What is made on a mapped path can be stopped, and its readers are told.
func TestMappedPathStops(t *testing.T) {
	r := newRigBefore(t, 2, agent(nil), mapping("/v1/agents/run", ""))
	response := r.post(0, "/v1/agents/run", `{"stream":false}`)
	name := streamOf(t, response)
	stop := r.ask(t.Context(), "POST", r.urls[1]+"/v1/stream/"+name, "", "Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
	if stop.StatusCode != http.StatusNoContent {
		t.Fatalf("stop: got %s", stop.Status)
	}
	if got := read(t, response); !strings.Contains(got, "event: error\ndata: {\"error\":{") || !strings.Contains(got, `"code":"cancelled"`) {
		t.Errorf("got %q", got)
	}
}

// A path that is not quite one of those mapped is nothing, and what a placeholder
// stands for leads nowhere else.
func TestMappedPathFits(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.EscapedPath()) })
	r := newRigBefore(t, 1, upstream, func(o *server.Options) {
		o.Upstreams[0].Paths = map[string]string{"/v1/a/{x}": "/any/{x}/", "/v1/a/b": "/exact", "/v1/c": ""}
	})
	for path, want := range map[string]string{
		"/v1/a/b": "/v1/exact", "/v1/a/c": "/v1/any/c/", "/v1/a/b%3Fc": "/v1/any/b%3Fc/", "/v1/c": "/v1/c",
		"/v1/a": "", "/v1/a/b/c": "", "/v1/a/": "", "/v1/a/..": "", "/v1/a/%2e%2e": "", "/v1/a/x%2Fy": "", "/v1/C": "",
	} {
		response := r.post(0, path, `{}`)
		got := read(t, response)
		if want == "" && response.StatusCode != http.StatusNotFound || want != "" && got != want {
			t.Errorf("%s: got %s %s", path, response.Status, got)
		}
	}
	if got := r.ask(t.Context(), "GET", r.urls[0]+"/v1/a/b", ""); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %s", got.Status)
	}
}

// The model goes to the upstream that it names, else to the one that has it most
// definitely; aliases are spelt out; everything else of the body stays.
func TestModelsChooseUpstream(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	})
	r := newRigBefore(t, 1, upstream, func(o *server.Options) {
		base := strings.TrimSuffix(o.Upstreams[0].Base, "/v1")
		o.Upstreams = append(o.Upstreams,
			server.Upstream{Name: "broad", Base: base + "/broad", Models: []string{"claude-*"}},
			server.Upstream{Name: "narrow", Base: base + "/narrow", Models: []string{"claude-3-*", "exact"}, Aliases: map[string]string{"fast": "small"}},
		)
	})
	for model, want := range map[string]string{
		"other": "/v1 other", "claude-4": "/broad claude-4", "claude-3-x": "/narrow claude-3-x", "exact": "/narrow exact", "exact-2": "/v1 exact-2",
		"fast": "/narrow small", "narrow/fast": "/narrow small", "broad/fast": "/broad fast", "broad/claude-3-x": "/broad claude-3-x",
	} {
		base, called, _ := strings.Cut(want, " ")
		for _, path := range []string{"/chat/completions", "/messages", "/messages/count_tokens", "/embeddings", "/responses/input_tokens"} {
			want := fmt.Sprintf(`%s%s {"model":"%s", "x": 1}`, base, path, called)
			if got := read(t, r.post(0, "/v1"+path, `{"model":"`+model+`", "x": 1}`)); got != want {
				t.Errorf("%s: got %s, want %s", model, got, want)
			}
		}
	}
}

// An upstream is sent its key in its own way, and its own headers.
func TestAuthAndHeaders(t *testing.T) {
	for auth, want := range map[string]string{
		"": "Bearer " + secret + "||t|2023-06-01", "bearer": "Bearer " + secret + "||t|2023-06-01", "none": "||t|2023-06-01",
		"api-key": "|" + secret + "|t|2023-06-01",
	} {
		upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := r.Header
			fmt.Fprint(w, h.Get("Authorization"), "|", h.Get("Api-Key"), "|", h.Get("X-Tenant"), "|", h.Get("Anthropic-Version"))
		})
		r := newRigBefore(t, 1, upstream, func(o *server.Options) {
			u := &o.Upstreams[0]
			u.Auth, u.Header = auth, map[string]string{"x-tenant": "t", "anthropic-version": "2023-06-01"}
		})
		for _, stream := range []string{"true", "false"} {
			got := read(t, r.post(0, chat, `{"stream":`+stream+`}`, "Authorization", "Bearer caller", "Anthropic-Version", "caller"))
			if got != want {
				t.Errorf("auth %q: got %s", auth, got)
			}
		}
	}
}

// What SDKs count before they ask is passed on.
func TestCountTokens(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"input_tokens":%d}`, len(r.Header.Get("X-Api-Key")))
	})
	r := newRigBefore(t, 1, upstream)
	response := r.post(0, "/v1/messages/count_tokens?beta=true", `{"model":"m","messages":[]}`)
	if got, want := read(t, response), fmt.Sprintf(`{"input_tokens":%d}`, len(secret)); got != want || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s, %v", got, response.Header)
	}
	if infos, err := r.store.List(t.Context(), "", "", 1); err != nil || len(infos) > 0 {
		t.Errorf("%v is recorded, %v", infos, err)
	}
}

// The query of a streamed call reaches the upstream as that of any other does.
func TestQueryIsPassedOn(t *testing.T) {
	queries := make(chan string, 2)
	o := origin.New(secret)
	r := newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries <- r.URL.RawQuery
		o.ServeHTTP(w, r)
	}))
	for _, stream := range []string{"true", "false"} {
		_ = read(t, r.post(0, "/v1/messages?beta=true", strings.Replace(question("/v1/messages", "x"), "true", stream, 1)))
		if got := <-queries; got != "beta=true" {
			t.Errorf("stream %s: got %q", stream, got)
		}
	}
}
