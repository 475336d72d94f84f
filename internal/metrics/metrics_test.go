package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/metrics"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
	"github.com/freshet-stream/freshet/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A store is the same with metrics as without.
func TestAMeteredStoreIsAStore(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		New: func(_ storetest.TB, clock *storetest.Clock) func() freshet.Store {
			return func() freshet.Store {
				return metrics.New("test").Store(memstore.New(memstore.Options{Now: clock.Now}))
			}
		},
		Volatile: true, Scale: 10,
	})
}

// breakable is a store that can fail.
type breakable struct {
	freshet.Store
	broken atomic.Bool
}

func (b *breakable) List(ctx context.Context, prefix, after string, n int) ([]freshet.Info, error) {
	if b.broken.Load() {
		return nil, errors.New("the disk of secret/stream has a hole")
	}
	return b.Store.List(ctx, prefix, after, n)
}

// A scene is a server whose metrics are read.
type scene struct {
	*testing.T
	*server.Server
	store   *breakable
	metrics *metrics.Metrics
}

func newScene(t *testing.T, change ...func(*server.Options)) *scene {
	t.Helper()
	s := &scene{T: t, store: &breakable{Store: memstore.New(memstore.Options{})}, metrics: metrics.New("v1.2.3")}
	log := slog.New(slog.DiscardHandler)
	opts := server.Options{
		Store: s.metrics.Store(s.store), Logger: log, Metrics: s.metrics.Handler(log), Page: http.NotFoundHandler(), Loopback: true,
		Observer: s.metrics.Observer(),
	}
	for _, c := range change {
		c(&opts)
	}
	var err error
	s.Server, err = server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.metrics.Watch(s.Server, metrics.Limits{"record_bytes": 16 << 20})
	t.Cleanup(func() {
		s.Close()
		_ = s.store.Close()
	})
	return s
}

func (s *scene) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// scrape returns what Prometheus is told, and each metric by what stands before
// its value.
func (s *scene) scrape() (text string, values map[string]string) {
	s.Helper()
	w := s.do("GET", "/metrics", "")
	if w.Code != http.StatusOK {
		s.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	values = map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if i := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") && i > 0 {
			values[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return w.Body.String(), values
}

func (s *scene) want(want map[string]string) {
	s.Helper()
	_, got := s.scrape()
	for name, value := range want {
		if got[name] != value {
			s.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestMetricsTellWhatIsWritten(t *testing.T) {
	s := newScene(t)
	const path = "/v1/stream/secret/stream"
	text := []string{"Content-Type", "text/plain"}
	named := append(text, "Producer-Id", "secret-producer", "Producer-Epoch", "0", "Producer-Seq", "0")
	s.do("PUT", path, "one", text...)
	s.do("POST", path, "three", text...)
	s.do("POST", path, "four!", named...)
	s.do("POST", path, "four!", named...)
	s.do("POST", path, "", "Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
	s.do("POST", path, "late", text...)
	s.do("GET", path+"?offset=0000000000000001_0123456789abcdef", "")
	s.do("GET", "/v1/stream/missing", "")
	s.do("GET", path, "", "Accept", "text/event-stream")
	s.store.broken.Store(true)
	s.do("GET", "/v1/streams", "")
	s.want(map[string]string{
		`freshet_build_info{version="v1.2.3"}`:                 "1",
		"freshet_created_streams_total":                        "1",
		"freshet_appended_records_total":                       "3",
		"freshet_appended_bytes_total":                         "13",
		`freshet_appends_total{outcome="landed"}`:              "3",
		`freshet_appends_total{outcome="duplicate"}`:           "1",
		`freshet_appends_total{outcome="closed"}`:              "1",
		`freshet_closes_total{reason="cancelled"}`:             "1",
		`freshet_gaps_total{why="diverged"}`:                   "1",
		`freshet_store_errors_total{call="list",code="other"}`: "1",
		`freshet_store_call_seconds_count{call="append"}`:      "5",
		`freshet_store_call_seconds_count{call="create"}`:      "1",
		"freshet_append_batch_count":                           "5",
		"freshet_delivered_records_total":                      "3",
		"freshet_append_queue_appends":                         "0",
		"freshet_append_queue_bytes":                           "0",
		`freshet_limit{of="record_bytes"}`:                     "1.6777216e+07",
		"freshet_draining":                                     "0",
		"freshet_generations":                                  "0",
		`freshet_exchanges{transport="sse"}`:                   "0",
	})
	said, values := s.scrape()
	if strings.Contains(said, "secret") {
		t.Errorf("the metrics name a stream or a producer:\n%s", said)
	}
	for _, name := range []string{"go_goroutines", "process_open_fds", `freshet_sent_bytes_total{transport="sse"}`} {
		if values[name] == "" || values[name] == "0" {
			t.Errorf("%s is %q", name, values[name])
		}
	}
}

// Who follows is seen while it does, and so is a drain.
func TestMetricsTellWhoFollows(t *testing.T) {
	s := newScene(t)
	s.do("PUT", "/v1/stream/s", "x", "Content-Type", "text/plain")
	web := httptest.NewServer(s)
	defer web.Close()
	for range 3 {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", web.URL+"/v1/stream/s", nil)
		r.Header.Set("Accept", "text/event-stream")
		response, err := web.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		first := make([]byte, 1)
		if _, err := io.ReadFull(response.Body, first); err != nil {
			t.Fatal(err)
		}
	}
	s.want(map[string]string{
		"freshet_followers": "3", "freshet_streams": "1",
		`freshet_exchanges{transport="sse"}`: "3", `freshet_exchanges{transport="websocket"}`: "0",
	})
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	s.want(map[string]string{"freshet_followers": "0", `freshet_exchanges{transport="sse"}`: "0", "freshet_draining": "1"})
}

// A page that was rebound to the server does not get to read its metrics.
func TestMetricsAreGuarded(t *testing.T) {
	s := newScene(t)
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Host = "evil.example"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("got %d", w.Code)
	}
}
