package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// followed is what a script in node/ prints.
type followed struct {
	Text        string
	Opens, Gaps int
	Reason      string
	Stopped     int
}

// TestNode shows guarantee 2 with unmodified clients from npm.
func TestNode(t *testing.T) {
	s := startServer(t)
	for _, tt := range []struct {
		script, scheme string
		// stopped is the status that ends the client.
		stopped int
	}{
		{"follow-eventsource.mjs", "http", 204},
		{"follow-ws.mjs", "ws", 0},
	} {
		t.Run(tt.script, func(t *testing.T) {
			t.Parallel()
			const cuts = 6
			name := s.demo("rate=50&tokens=600")
			tap := strings.Repeat("n", 16) + tt.scheme
			node := exec.Command("node", "node/"+tt.script, tt.scheme+strings.TrimPrefix(s.url, "http")+"/v1/stream/"+name+"?tap="+tap)
			var stdout bytes.Buffer
			node.Stdout, node.Stderr = &stdout, t.Output()
			if err := node.Start(); err != nil {
				t.Fatal(err)
			}
			made := 0
			for deadline := time.Now().Add(30 * time.Second); made < cuts && time.Now().Before(deadline); time.Sleep(150 * time.Millisecond) {
				if s.cut(tap) {
					made++
				}
			}
			if err := node.Wait(); err != nil {
				t.Fatalf("node: %v", err)
			}
			if made < cuts {
				t.Fatalf("the connection was cut %d times instead of %d", made, cuts)
			}
			var got followed
			if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, stdout.Bytes())
			}
			if want := s.read(name); got.Text != want {
				t.Errorf("the text differs from the stream's:\n%q\n%q", got.Text, want)
			}
			if got.Opens <= cuts || got.Gaps != 0 || got.Reason != "completed" || got.Stopped != tt.stopped {
				t.Errorf("got %d connections, %d gaps, reason %q, stopped by %d", got.Opens, got.Gaps, got.Reason, got.Stopped)
			}
		})
	}
}
