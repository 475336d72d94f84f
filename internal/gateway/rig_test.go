package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// secret is the key that the origin wants, and callers do not know.
const secret = "sk-secret-of-the-server"

// prompts are what each endpoint is asked with.
var prompts = map[string]string{
	"/v1/chat/completions": `"messages":[{"role":"user","content":%q}]`,
	"/v1/responses":        `"input":%q`,
	"/v1/messages":         `"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":%q}]}]`,
}

// question returns a body for an endpoint.
func question(path, prompt string) string {
	return fmt.Sprintf(`{"model":"m","stream":true,`+prompts[path]+`}`, prompt)
}

// A rig is servers that share a store, before one upstream.
type rig struct {
	*testing.T
	origin   *origin.Origin
	upstream string
	store    *memstore.Store
	client   *http.Client
	servers  []*server.Server
	urls     []string
}

// newRig returns a rig before an origin that does as prompts say.
func newRig(t *testing.T, servers int, change ...func(*server.Options)) *rig {
	t.Helper()
	o := origin.New(secret)
	r := newRigBefore(t, servers, o, change...)
	r.origin = o
	return r
}

// newRigBefore returns a rig before any upstream.
func newRigBefore(t *testing.T, servers int, upstream http.Handler, change ...func(*server.Options)) *rig {
	t.Helper()
	r := &rig{T: t, store: memstore.New(memstore.Options{}), client: &http.Client{Transport: &http.Transport{}}}
	up := httptest.NewServer(upstream)
	r.upstream = up.URL
	var sites []*httptest.Server
	for range servers {
		opts := server.Options{
			Store: r.store, Logger: slog.New(slog.DiscardHandler),
			Upstreams: []server.Upstream{{Name: "origin", Base: up.URL + "/v1", Key: secret}},
		}
		for _, c := range change {
			c(&opts)
		}
		s, err := server.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		site := httptest.NewUnstartedServer(s)
		site.Config = listen.NewServer(s, time.Minute, opts.Logger)
		// A client may dial more than it needs. On a busy machine it would send a request
		// there just when the server has given that connection up.
		site.Config.ReadHeaderTimeout = time.Hour
		site.Listener = listen.Problems(site.Listener)
		site.Start()
		sites = append(sites, site)
		r.servers, r.urls = append(r.servers, s), append(r.urls, site.URL)
	}
	t.Cleanup(func() {
		for i, s := range r.servers {
			s.Close()
			sites[i].CloseClientConnections()
			sites[i].Close()
		}
		up.CloseClientConnections()
		up.Close()
		r.client.CloseIdleConnections()
		_ = r.store.Close()
	})
	return r
}

// ask sends a request, and closes the answer's body when the test ends. Headers
// come in pairs.
func (r *rig) ask(ctx context.Context, method, url, body string, headers ...string) *http.Response {
	r.Helper()
	response, err := r.try(ctx, method, url, body, headers...)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// try sends a request from any goroutine. The caller closes the answer's body.
func (r *rig) try(ctx context.Context, method, url, body string, headers ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return r.client.Do(request)
}

// post asks a server.
func (r *rig) post(i int, path, body string, headers ...string) *http.Response {
	r.Helper()
	return r.ask(r.Context(), "POST", r.urls[i]+path, body, headers...)
}

// direct returns what the origin answers by itself.
func (r *rig) direct(path, body string) string {
	r.Helper()
	return read(r.T, r.ask(r.Context(), "POST", r.upstream+path, body, "Authorization", "Bearer "+secret))
}

// read returns the body of an answer, which has to end as a whole one.
func read(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read answer: %v after %q", err, body)
	}
	return string(body)
}

// told returns what an answer says without what the gateway may add: ids and
// comments.
func told(answer string) string {
	var b strings.Builder
	for line := range strings.Lines(answer) {
		if !strings.HasPrefix(line, "id:") && !strings.HasPrefix(line, ":") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// events returns the blocks of an answer.
func events(answer string) []string {
	blocks := strings.SplitAfter(answer, "\n\n")
	return blocks[:len(blocks)-1]
}

// idOf returns the id of a block.
func idOf(t *testing.T, block string) string {
	t.Helper()
	for line := range strings.Lines(block) {
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			return strings.TrimSpace(id)
		}
	}
	t.Fatalf("no id in %q", block)
	return ""
}

// streamOf returns the name of the stream that an answer says it is.
func streamOf(t *testing.T, response *http.Response) string {
	t.Helper()
	name := response.Header.Get("Freshet-Stream")
	if !strings.HasPrefix(name, "gen/") || response.Header.Get("Content-Location") != "/v1/stream/"+name {
		t.Fatalf("Freshet-Stream is %q, Content-Location %q", name, response.Header.Get("Content-Location"))
	}
	return name
}

// readEvents reads n blocks of an answer.
func readEvents(t *testing.T, response *http.Response, n int) []string {
	t.Helper()
	var blocks []string
	in := bufio.NewReader(response.Body)
	for block := ""; len(blocks) < n; {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("read %d events: %v after %q", n, err, blocks)
		}
		if block += line; line == "\n" {
			blocks, block = append(blocks, block), ""
		}
	}
	return blocks
}

// end waits for the end of a stream.
func (r *rig) end(name string) freshet.Closure {
	r.Helper()
	f, err := r.servers[len(r.servers)-1].Follow(r.Context(), name, freshet.Cursor{})
	if err != nil {
		r.Fatal(err)
	}
	defer f.Close()
	for {
		update, err := f.Next(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		if update.Closed != nil {
			return *update.Closed
		}
	}
}

// await waits until something is the case, which the test's own deadline bounds.
func await(t *testing.T, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("waited in vain")
		}
	}
}
