package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// write writes a file into a new directory.
func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The example of docs/gateway.md is what it says that it is, and servers take it.
func TestConfigOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no example")
	}
	file := write(t, "freshet.yaml", example)
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "anthropic.key"), []byte("key-a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OPENAI_API_KEY", "key-o")
	t.Setenv("AZURE_KEY", "key-z")
	got, err := (&upstreamFlags{Config: file}).upstreams()
	want := []server.Upstream{
		{Name: "openai", Base: "https://api.openai.com/v1", Key: "key-o"},
		{
			Name: "anthropic", Base: "https://api.anthropic.com/v1", Key: "key-a", Auth: "x-api-key",
			Header: map[string]string{"anthropic-version": "2023-06-01"},
			Models: []string{"claude-*"}, Aliases: map[string]string{"smart": "claude-opus-4-5"},
		},
		{Name: "azure", Base: "https://example.openai.azure.com/openai/v1", Key: "key-z", Auth: "api-key", Models: []string{"gpt-4.1"}},
		{
			Name: "local", Base: "http://127.0.0.1:8000/v1", Auth: "none", Models: []string{"llama-*", "qwen3"},
			HeadTimeout: 2 * time.Minute, StallTimeout: 20 * time.Second,
		},
		{
			Name: "agents", Base: "http://127.0.0.1:2024", Auth: "none",
			Paths: map[string]string{"/v1/agents/run": "/run", "/v1/threads/{thread}/runs/stream": "/threads/{thread}/runs/stream"},
		},
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("%v\n%s", err, cmp.Diff(want, got))
	}
	s, err := server.New(server.Options{Store: memstore.New(memstore.Options{}), Upstreams: got})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// The upstreams of flags come first, and so have what nobody else has.
func TestConfigBesideFlags(t *testing.T) {
	t.Setenv("FRESHET_UPSTREAM_B_KEY", "key-b")
	file := write(t, "freshet.yaml", "upstreams: [{name: b, base: 'http://b.example/v1'}]\n")
	got, err := (&upstreamFlags{Upstream: []string{"a=http://a.example/v1"}, Config: file}).upstreams()
	want := []server.Upstream{{Name: "a", Base: "http://a.example/v1"}, {Name: "b", Base: "http://b.example/v1", Key: "key-b"}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
}

// What is wrong with a file is said with its line and with what would be right, and
// without what may be a key.
func TestConfigErrors(t *testing.T) {
	const key, begin = "sk-written-by-mistake", "upstreams:\n  - name: a\n    "
	for content, want := range map[string]string{
		begin + "key: " + key:                     ":3: unknown field \"key\"; keys are not written in this file",
		begin + "api_key: " + key:                 "key_env",
		begin + "bse: http://a.example/v1":        ":3: unknown field \"bse\"; an upstream has name, base,",
		"listen: 1\n" + begin:                     ":1: unknown field \"listen\"; the file has upstreams",
		begin + "models: " + key:                  ":3: string was used where sequence is expected",
		begin + "paths: [/v1/x]":                  ":3: sequence was used",
		begin + "base: [" + key + "]":             ":3: the value has to be a string",
		begin + "header_timeout: 5":               `upstream a: header_timeout is "5" and has to be a time`,
		begin + "stall_timeout: -5s":              "stall_timeout is",
		begin + "name: b":                         ":3: mapping key \"name\" already defined",
		begin + " base: '" + key:                  ":3: ",
		"":                                        "it names no upstreams",
		"upstreams: []":                           "it names no upstreams",
		key:                                       ":1: ",
		begin + "key_env: FRESHET_TEST_UNSET":     "upstream a: the environment variable FRESHET_TEST_UNSET, which key_env names, is not set or empty",
		begin + "key_file: none":                  "none: no such file",
		begin + "key_file: " + os.DevNull:         os.DevNull + " is empty",
		begin + "key_file: a\n    key_env: b\n":   "both key_env and key_file",
		begin + "auth: none\n---\nupstreams: []":  "more than one document",
		begin + "base: {user: " + key + ", b: c}": ":3: ",
	} {
		_, err := readConfig(write(t, "freshet.yaml", content))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "freshet.yaml") || strings.Contains(err.Error(), key) {
			t.Errorf("%q: got %v, want %s", content, err, want)
		}
	}
	if _, err := readConfig("none.yaml"); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that is not there: got %v", err)
	}
}

// The greeting says which upstreams there are and whether they have keys, and never
// a key.
func TestGreetUpstreams(t *testing.T) {
	var out strings.Builder
	greetUpstreams(&out, []server.Upstream{
		server.DemoUpstream(),
		{Name: "a", Base: "http://a.example/v1", Key: "sk-secret"},
		{Name: "b", Base: "http://b.example", Models: []string{"m*"}, Aliases: map[string]string{"n": "m"}, Paths: map[string]string{"/v1/x": ""}},
	})
	const want = `  upstream: demo, which has no model and says so
  upstream: a at http://a.example/v1, with its key
  upstream: b at http://b.example, without a key, for m*, n, /v1/x
`
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}
