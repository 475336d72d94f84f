package apidoc_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// startServers returns the URLs of a server for each circumstance in which
// requests are answered differently:
//
//	plain      as it is by default
//	shared     pages of another origin are let in
//	broken     the store fails in a way that nobody has thought of
//	away       the store cannot be reached
//	uncertain  nobody knows whether appends land
//	draining   the server drains after the first append
//	stopped    the server is shutting down
//	asking     there are upstreams
//	deflating  WebSocket messages may be compressed
func startServers(t *testing.T) map[string]string {
	t.Helper()
	urls := map[string]string{}
	for name, c := range map[string]struct {
		origins  []string
		fault    error
		compress bool
		asks     bool
	}{
		"plain":     {},
		"shared":    {origins: []string{allowedOrigin}},
		"broken":    {fault: errors.New("the disk has a hole")},
		"away":      {fault: freshet.ErrUnavailable},
		"uncertain": {fault: freshet.ErrUncertain},
		"draining":  {},
		"stopped":   {},
		"deflating": {compress: true},
		"asking":    {asks: true},
	} {
		memory := memstore.New(memstore.Options{})
		var store freshet.Store = memory
		if c.fault != nil {
			store = &faulty{memory, c.fault}
		}
		drains := &draining{Store: store}
		if name == "draining" {
			store = drains
		}
		var upstreams []server.Upstream
		if c.asks {
			upstreams = startUpstreams(t)
		}
		s, err := server.New(server.Options{
			Upstreams: upstreams,
			Store:     store, Name: "server-1", Loopback: true, AllowOrigins: c.origins, WebSocketCompression: c.compress,
			LongPoll: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		drains.server = s
		web := httptest.NewServer(s)
		urls[name] = web.URL
		if name == "stopped" {
			s.Close()
		}
		t.Cleanup(func() {
			s.Close()
			http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			web.Close()
			_ = memory.Close()
		})
	}
	return urls
}

// A draining store has its server drain after an append.
type draining struct {
	freshet.Store
	server *server.Server
}

func (d *draining) Append(ctx context.Context, name string, call freshet.Call) ([]freshet.Result, error) {
	results, err := d.Store.Append(ctx, name, call)
	go func() { _ = d.server.Drain(context.Background()) }()
	return results, err
}

// A faulty store fails, or does not know whether appends have landed.
type faulty struct {
	freshet.Store
	fault error
}

func (f *faulty) Create(context.Context, string, freshet.Creation) (freshet.Info, bool, error) {
	return freshet.Info{}, false, f.fault
}

func (f *faulty) Append(_ context.Context, _ string, call freshet.Call) ([]freshet.Result, error) {
	if !errors.Is(f.fault, freshet.ErrUncertain) {
		return nil, f.fault
	}
	results := make([]freshet.Result, len(call.Appends))
	for i := range results {
		results[i].Err = f.fault
	}
	return results, nil
}

func (f *faulty) Read(context.Context, string, freshet.Offset, freshet.Limit) (freshet.Page, error) {
	return freshet.Page{}, f.fault
}

func (f *faulty) Info(context.Context, string) (freshet.Info, error) { return freshet.Info{}, f.fault }

func (f *faulty) Delete(context.Context, string) error { return f.fault }

func (f *faulty) List(context.Context, string, string, int) ([]freshet.Info, error) {
	return nil, f.fault
}
