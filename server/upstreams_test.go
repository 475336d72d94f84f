package server_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

func TestDemoUpstream(t *testing.T) {
	s, err := server.New(server.Options{
		Store: memstore.New(memstore.Options{}), Upstreams: []server.Upstream{server.DemoUpstream()}, DrainGrace: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.CloseClientConnections()
		s.Close()
		web.Close()
	})
	answer, err := web.Client().Post(web.URL+"/v1/chat/completions", "application/json",
		strings.NewReader(`{"model":"any","stream":true,"messages":[{"role":"user","content":"Hello?"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Freshet-Stream") == "" {
		t.Fatalf("the answer is %s with %v", answer.Status, answer.Header)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(answer.Body); said.Len() < len("This is the **demo") && lines.Scan(); {
		if _, content, ok := strings.Cut(lines.Text(), `"content":"`); ok {
			content, _, _ = strings.Cut(content, `"`)
			said.WriteString(content)
		}
	}
	if !strings.HasPrefix(said.String(), "This is the **demo") {
		t.Errorf("its first words are %q", said.String())
	}
}
