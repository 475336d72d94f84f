package fleet_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

func TestServerComesBackAtItsPort(t *testing.T) {
	dir := t.TempDir()
	binary, err := fleet.Build(t.Context(), dir, fleet.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := fleet.StartServer(t.Context(), dir, fleet.ServerOptions{
		Binary: binary, Store: "pebble:" + dir + "/data", Args: []string{"--log-level", "warn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	put(t, s.URL()+"/v1/stream/kept", http.StatusCreated)
	for _, end := range []func() error{s.Kill, func() error { return s.Terminate(t.Context()) }} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if !refused(s.Addr()) {
			t.Error("the port of a server that has ended is not refused")
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		put(t, s.URL()+"/v1/stream/kept", http.StatusOK)
	}

	_, err = fleet.StartServer(t.Context(), dir, fleet.ServerOptions{Name: "wrong", Binary: binary, Store: "tape:"})
	if err == nil || !strings.Contains(err.Error(), "tape:") {
		t.Errorf("a store that there is not: got %v", err)
	}
}

func put(t *testing.T, url string, want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/plain")
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != want {
		t.Errorf("PUT %s: %s, want %d", url, answer.Status, want)
	}
}
