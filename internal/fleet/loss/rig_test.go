package loss_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/redisstore"
	"github.com/freshet-stream/freshet/server"
)

// patience is for how long a test waits for what has to come. Nothing is said by
// how soon it comes.
const patience = time.Minute

// A rig is two servers that have nothing in common but a Redis, and another
// store that looks at the truth.
type rig struct {
	*testing.T
	addrs []string
	truth *redisstore.Store
	http  *http.Client
}

func newRig(t *testing.T, url string) *rig {
	t.Helper()
	transport := &http.Transport{}
	r := &rig{T: t, http: &http.Client{Transport: transport}}
	r.truth = r.open(url)
	for range 2 {
		r.serve(r.open(url))
	}
	t.Cleanup(transport.CloseIdleConnections)
	return r
}

func (r *rig) open(url string) *redisstore.Store {
	r.Helper()
	s, err := redisstore.Open(r.Context(), url, redisstore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if err := s.Close(); err != nil {
			r.Error(err)
		}
	})
	return s
}

func (r *rig) serve(store *redisstore.Store) {
	r.Helper()
	s, err := server.New(server.Options{
		Store: store, Loopback: true, Heartbeat: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		r.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.Fatal(err)
	}
	web := &http.Server{Handler: s}
	served := make(chan struct{})
	go func() {
		_ = web.Serve(l)
		close(served)
	}()
	r.Cleanup(func() {
		s.Close()
		_ = web.Close()
		<-served
	})
	r.addrs = append(r.addrs, l.Addr().String())
}

// A told is an answer to a producer.
type told struct {
	status int
	header http.Header
}

// ask sends a request to a server, again as long as it is told to come back
// later. The same append is safe to repeat if its producer is named.
func (r *rig) ask(at int, method, stream, body string, header ...string) told {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	for {
		got, err := r.askOnce(ctx, at, method, stream, body, header...)
		switch {
		case err != nil && ctx.Err() != nil:
			r.Fatalf("%s %s: %v", method, stream, err)
		case err == nil && got.status != http.StatusServiceUnavailable:
			return got
		}
		pause(ctx, 20*time.Millisecond)
	}
}

func (r *rig) askOnce(ctx context.Context, at int, method, stream, body string, header ...string) (told, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.addrs[at]+"/v1/stream/"+stream, strings.NewReader(body))
	if err != nil {
		return told{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return told{}, err
	}
	_ = resp.Body.Close()
	return told{resp.StatusCode, resp.Header}, nil
}

// do is ask, and stops the test at any other status than those of success.
func (r *rig) do(at int, method, stream, body string, header ...string) {
	r.Helper()
	if got := r.ask(at, method, stream, body, header...); got.status/100 != 2 {
		r.Fatalf("%s %s answered %d: %v", method, stream, got.status, got.header)
	}
}

// records returns what the store has of a stream, and what it says of it.
func (r *rig) records(stream string) ([]freshet.Record, freshet.Info) {
	r.Helper()
	page, err := r.truth.Read(r.Context(), stream, freshet.Offset{}, freshet.Limit{})
	if err != nil {
		r.Fatalf("read %s: %v", stream, err)
	}
	return page.Records, page.Info
}

// exists reports whether the store has the stream.
func (r *rig) exists(stream string) bool {
	r.Helper()
	_, err := r.truth.Info(r.Context(), stream)
	if err != nil && !errors.Is(err, freshet.ErrNotFound) {
		r.Fatalf("info of %s: %v", stream, err)
	}
	return err == nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// keep closes what a test has started.
func keep[T interface{ Close() error }](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.Close() })
		return v
	}
}
