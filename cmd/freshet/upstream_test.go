package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/freshet-stream/freshet/server"
)

func TestUpstreams(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FRESHET_UPSTREAM_OPEN_AI_KEY", "from-environment\n")
	c := upstreamFlags{
		Upstream:        []string{"open-ai=https://a.example/v1", "other=http://b.example/v1?x=1", "bare=http://c.example/v1"},
		UpstreamKeyFile: []string{"other=" + file},
	}
	got, err := c.upstreams()
	want := []server.Upstream{
		{Name: "open-ai", Base: "https://a.example/v1", Key: "from-environment"},
		{Name: "other", Base: "http://b.example/v1?x=1", Key: "from-file"},
		{Name: "bare", Base: "http://c.example/v1"},
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := new(upstreamFlags).upstreams(); err != nil || !cmp.Equal(got, []server.Upstream{server.DemoUpstream()}) {
		t.Errorf("without flags, got %+v, %v", got, err)
	}
	for _, c := range []upstreamFlags{
		{Upstream: []string{"https://a.example/v1"}},
		{Upstream: []string{"=https://a.example/v1"}},
		{UpstreamKeyFile: []string{"a=" + file}},
		{Upstream: []string{"a=http://a.example/v1"}, UpstreamKeyFile: []string{"a"}},
		{Upstream: []string{"a=http://a.example/v1"}, UpstreamKeyFile: []string{"a=" + file + "-none"}},
	} {
		if got, err := c.upstreams(); err == nil {
			t.Errorf("%v %v: got %+v", c.Upstream, c.UpstreamKeyFile, got)
		}
	}
}

// Times that are none are refused, and not taken for what is usual.
func TestUpstreamTimes(t *testing.T) {
	good := upstreamFlags{UpstreamHeaderTimeout: 1, UpstreamStallTimeout: 1, GenerationLease: 1, DisconnectGrace: 1}
	if err := good.checkTimes(); err != nil {
		t.Error(err)
	}
	for flag, at := range map[string]func(*upstreamFlags) *time.Duration{
		"--upstream-header-timeout": func(f *upstreamFlags) *time.Duration { return &f.UpstreamHeaderTimeout },
		"--upstream-stall-timeout":  func(f *upstreamFlags) *time.Duration { return &f.UpstreamStallTimeout },
		"--generation-lease":        func(f *upstreamFlags) *time.Duration { return &f.GenerationLease },
		"--disconnect-grace":        func(f *upstreamFlags) *time.Duration { return &f.DisconnectGrace },
	} {
		for _, is := range []time.Duration{0, -time.Second} {
			bad := good
			*at(&bad) = is
			if err := bad.checkTimes(); err == nil || !strings.HasPrefix(err.Error(), flag+" is "+is.String()) {
				t.Errorf("%s %v: got %v", flag, is, err)
			}
		}
	}
}
