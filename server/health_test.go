package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// A patient is a store that may stop answering, and counts who asks how it is.
type patient struct {
	freshet.Store
	asked atomic.Int64
	fault atomic.Pointer[error]
	// stuck lets calls hang until their context ends.
	stuck atomic.Bool
}

func (p *patient) Info(ctx context.Context, name string) (freshet.Info, error) {
	p.asked.Add(1)
	if p.stuck.Load() {
		<-ctx.Done()
		return freshet.Info{}, ctx.Err()
	}
	if err := p.fault.Load(); err != nil {
		return freshet.Info{}, *err
	}
	return p.Store.Info(ctx, name)
}

func newPatient(t *testing.T) (*patient, *server.Server, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	p := &patient{Store: memstore.New(memstore.Options{})}
	s, err := server.New(server.Options{Store: p, Loopback: true, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		_ = p.Close()
	})
	return p, s, log
}

// probe asks as a load balancer does, by an address that is not loopback.
func probe(s *server.Server, path string) (int, string) {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "10.0.0.1:4437"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(body)
}

// A storm of probes asks the store once a second.
func TestReadinessAsksTheStoreOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, _ := newPatient(t)
		for second := range int64(3) {
			for range 100 {
				if code, body := probe(s, "/readyz"); code != http.StatusOK || body != "ok\n" {
					t.Fatalf("got %d %s", code, body)
				}
			}
			if got := p.asked.Load(); got != second+1 {
				t.Errorf("in second %d the store was asked %d times", second, got)
			}
			time.Sleep(time.Second)
		}
	})
}

// Those who ask at the same moment share one answer, also of a store that hangs.
func TestReadinessIsSharedByThoseWhoAskAtOnce(t *testing.T) {
	p, s, log := newPatient(t)
	p.stuck.Store(true)
	var probes sync.WaitGroup
	for range 50 {
		probes.Go(func() {
			if code, body := probe(s, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, `"store_unavailable"`) {
				t.Errorf("got %d %s", code, body)
			}
		})
	}
	probes.Wait()
	if got := p.asked.Load(); got != 1 {
		t.Errorf("the store was asked %d times", got)
	}
	if n := strings.Count(log.String(), "the store does not answer"); n != 1 {
		t.Errorf("it was told %d times:\n%s", n, log)
	}
}

func TestReadinessFollowsTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, log := newPatient(t)
		broken := errors.New("no route to 10.9.8.7")
		p.fault.Store(&broken)
		code, body := probe(s, "/readyz")
		if code != http.StatusServiceUnavailable || !strings.Contains(body, `"store_unavailable"`) || strings.Contains(body, "10.9.8.7") {
			t.Errorf("got %d %s", code, body)
		}
		if code, _ := probe(s, "/healthz"); code != http.StatusOK {
			t.Errorf("the process lives and says %d", code)
		}
		p.fault.Store(nil)
		time.Sleep(time.Second)
		if code, body := probe(s, "/readyz"); code != http.StatusOK {
			t.Errorf("got %d %s", code, body)
		}
		if !strings.Contains(log.String(), "10.9.8.7") || !strings.Contains(log.String(), "answers again") {
			t.Errorf("the log has %s", log)
		}
		s.Unready()
		if code, body := probe(s, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, `"draining"`) {
			t.Errorf("got %d %s", code, body)
		}
		if code, _ := probe(s, "/healthz"); code != http.StatusOK {
			t.Errorf("the process lives and says %d", code)
		}
		if code, body := probe(s, "/v1/streams"); code != http.StatusMisdirectedRequest {
			t.Errorf("the rule on Host is gone: %d %s", code, body)
		}
	})
}
