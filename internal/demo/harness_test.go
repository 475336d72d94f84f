package demo_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/demo"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fixture is a server with a page.
type fixture struct {
	*httptest.Server
	t       *testing.T
	streams *server.Server
	store   *memstore.Store
}

// start runs a server, which setup may change before.
func start(t *testing.T, setup func(*httptest.Server)) *fixture {
	t.Helper()
	store := memstore.New(memstore.Options{})
	t.Cleanup(func() { _ = store.Close() })
	return run(t, store, "server-1", setup)
}

// beside runs one more server over the same store.
func (f *fixture) beside(name string) *fixture { return run(f.t, f.store, name, nil) }

func run(t *testing.T, store *memstore.Store, name string, setup func(*httptest.Server)) *fixture {
	t.Helper()
	streams, err := server.New(server.Options{Store: store, Name: name, Page: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{httptest.NewUnstartedServer(streams), t, streams, store}
	f.Config.ConnContext = demo.ConnContext
	if setup != nil {
		setup(f.Server)
	}
	if f.EnableHTTP2 {
		f.StartTLS()
	} else {
		f.Start()
	}
	t.Cleanup(func() {
		streams.Close()
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

func (f *fixture) post(path, body string) *http.Response {
	f.t.Helper()
	response, err := f.Client().Post(f.URL+path, "application/json", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// start begins a sample answer and returns its stream.
func (f *fixture) start(query string) string {
	f.t.Helper()
	response := f.post("/v1/demo?"+query, "")
	var answer struct{ Stream string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusCreated {
		f.t.Fatalf("start: %s, %v", response.Status, err)
	}
	if at := response.Header.Get("Location"); at != "/v1/stream/"+answer.Stream {
		f.t.Errorf("Location is %s", at)
	}
	return answer.Stream
}

// create makes an open stream with one record.
func (f *fixture) create(name string) {
	f.t.Helper()
	_, _, err := f.streams.Create(f.t.Context(), name, freshet.Creation{
		Spec:  freshet.Spec{ContentType: "text/plain"},
		First: &freshet.Append{Records: []freshet.Record{{Data: []byte("hello")}}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// follow asks for a stream over SSE.
func (f *fixture) follow(name, tap string) *http.Response {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), "GET", f.URL+"/v1/stream/"+name+"?tap="+tap, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	response, err := f.Client().Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// end waits until a stream is closed and returns what it has and why.
func (f *fixture) end(name string) (string, freshet.Reason) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	follower, err := f.streams.Follow(ctx, name, freshet.Cursor{})
	if err != nil {
		f.t.Fatal(err)
	}
	defer follower.Close()
	var text strings.Builder
	for {
		update, err := follower.Next(ctx)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, record := range update.Records {
			text.Write(record.Data)
		}
		if update.Closed != nil {
			return text.String(), update.Closed.Reason
		}
	}
}

// shown is a record of the stream of a tap.
type shown struct {
	Tap   string `json:"-"`
	Conn  string
	Bytes []byte
	Open  *struct {
		Server, Protocol, Path, LastEventID string
		WebSocket                           bool
	}
	End     string
	Dropped int
	Cut     bool
}

// watch follows the streams of taps, as the page does. The result returns their
// next record.
func (f *fixture) watch(taps ...string) (next func() shown) {
	f.t.Helper()
	conn, response, err := websocket.Dial(f.t.Context(), f.URL+"/v1/ws", &websocket.DialOptions{Subprotocols: []string{"freshet.v1.json"}})
	if err != nil {
		body, _ := io.ReadAll(response.Body)
		f.t.Fatalf("watch: %v, %s", err, body)
	}
	f.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	for _, tap := range taps {
		follow := `{"op":"follow","id":1,"wait":60,"stream":"demo/tap-` + tap + `"}`
		if err := conn.Write(f.t.Context(), websocket.MessageText, []byte(follow)); err != nil {
			f.t.Fatal(err)
		}
	}
	var waiting []shown
	return func() (m shown) {
		f.t.Helper()
		ctx, cancel := context.WithTimeout(f.t.Context(), patience)
		defer cancel()
		for len(waiting) == 0 {
			var message struct {
				Op, Stream string
				Records    []struct{ Data shown }
			}
			_, raw, err := conn.Read(ctx)
			if err == nil {
				err = json.Unmarshal(raw, &message)
			}
			if err != nil || message.Op != "records" {
				f.t.Fatalf("%s, error %v", raw, err)
			}
			for _, r := range message.Records {
				r.Data.Tap = strings.TrimPrefix(message.Stream, "demo/tap-")
				waiting = append(waiting, r.Data)
			}
		}
		m, waiting = waiting[0], waiting[1:]
		return m
	}
}
