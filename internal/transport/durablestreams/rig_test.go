package durablestreams

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is a server of one transport over a store in memory.
type rig struct {
	*testing.T
	hub *hub.Hub
	url string
}

func newRig(t *testing.T) *rig {
	h := hub.New(hub.Options{Store: memstore.New(memstore.Options{})})
	transport := New(Options{Hub: h, LongPoll: time.Minute, Heartbeat: time.Minute})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		transport.ServeStream(w, r, strings.TrimPrefix(r.URL.Path, "/"))
	}))
	t.Cleanup(func() {
		h.Close()
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return &rig{t, h, srv.URL + "/"}
}

// do sends a request and returns its answer with the body read.
func (r *rig) do(method, path string, body io.Reader, headers ...string) (*http.Response, string) {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), method, r.url+path, body)
	if err != nil {
		r.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatal(err)
	}
	return response, string(content)
}

func (r *rig) create(name, contentType string) {
	r.Helper()
	if response, body := r.do("PUT", name, nil, "Content-Type", contentType); response.StatusCode != 201 {
		r.Fatal(response.Status, body)
	}
}

// content returns what a catch-up read gives.
func (r *rig) content(name string) string {
	r.Helper()
	_, body := r.do("GET", name, nil)
	return body
}

// records returns how the stream is cut.
func (r *rig) records(name string) (all []string) {
	r.Helper()
	page, err := r.hub.Read(r.Context(), name, freshet.Offset{}, freshet.Limit{})
	if err != nil {
		r.Fatal(err)
	}
	for _, record := range page.Records {
		all = append(all, record.Type+string(record.Data))
	}
	return all
}
