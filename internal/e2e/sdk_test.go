package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// sdks are the clients of language models, unmodified, and how many calls their
// scripts make.
var sdks = []struct {
	name string
	// script is for node, unless it is a package of Go.
	script string
	// model is what freshet is asked for. The client ai tells its application the
	// name that was asked for, where others tell what the answer says.
	model string
	calls int
}{
	{"openai", "node/ask-openai.mjs", "origin/m", 74},
	{"anthropic", "node/ask-anthropic.mjs", "origin/m", 36},
	{"ai", "node/ask-ai.mjs", "m", 96},
	{"openai-go", "./ask-openai", "origin/m", 48},
}

// sdkCommand returns what runs the script of a client.
func sdkCommand(t *testing.T, script string) []string {
	t.Helper()
	if strings.HasSuffix(script, ".mjs") {
		return []string{"node", script}
	}
	built := filepath.Join(t.TempDir(), "script")
	if out, err := exec.Command("go", "build", "-o", built, script).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", script, err, out)
	}
	return []string{built}
}

// The keys of an origin and of those who call it through freshet.
const originKey, callerKey = "key-of-the-origin", "key-of-a-caller"

// A called is what a client made of one call.
type called struct {
	Call string
	// Got is what it gave the application, in parts, and Thrown what it threw,
	// or null.
	Got    []json.RawMessage
	Thrown json.RawMessage
	// line is all of it, as the script wrote it.
	line string
}

// failed reports whether the application was told of a failure.
func (c called) failed() bool {
	return string(c.Thrown) != "null" || slices.ContainsFunc(c.Got, func(part json.RawMessage) bool {
		var says struct{ Type, Status string }
		return json.Unmarshal(part, &says) == nil &&
			(says.Type == "error" || says.Type == "response.failed" || says.Status == "failed")
	})
}

// is reports whether the prompt of the call was one of the named ones.
func (c called) is(prompts ...string) bool {
	_, prompt, _ := strings.Cut(c.Call, ": ")
	return slices.Contains(prompts, prompt)
}

// scriptTime is for how long all the calls of a client may take, of which there are
// about a hundred.
const scriptTime = 5 * time.Minute

// callAll runs the script of a client, with arguments of which the first is a URL.
func callAll(t *testing.T, script []string, args ...string) []called {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, script[0], append(script[1:], args...)...)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	var calls []called
	lines := bufio.NewScanner(&stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c := called{line: lines.Text()}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		calls = append(calls, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return calls
}

// startOrigin serves an origin until the test ends.
func startOrigin(t *testing.T) (*origin.Origin, string) {
	t.Helper()
	o := origin.New(originKey)
	served := httptest.NewServer(o)
	t.Cleanup(served.Close)
	return o, served.URL
}

// startGateway runs freshet before an origin, until the test ends.
func startGateway(t *testing.T, originURL string, args ...string) *server {
	t.Helper()
	s := &server{t: t, env: []string{"FRESHET_UPSTREAM_ORIGIN_KEY=" + originKey}}
	s.run(append(args, "--listen", "127.0.0.1:0", "--store", "memory:", "--upstream", "origin="+originURL+"/v1")...)
	return s
}

// TestSDKs shows that a client of language models does not notice freshet: what
// it gives its application and what it throws is the same, call for call, as
// from the origin. Only an answer that broke off is another failure, and one at
// all where the client would have taken it for the whole.
func TestSDKs(t *testing.T) {
	t.Parallel()
	for _, sdk := range sdks {
		t.Run(sdk.name, func(t *testing.T) {
			t.Parallel()
			script := sdkCommand(t, sdk.script)
			o, originURL := startOrigin(t)
			s := startGateway(t, originURL)
			want := callAll(t, script, originURL, "m", originKey)
			requests := o.Counts().Requests
			got := callAll(t, script, s.url, sdk.model, callerKey)
			if len(want) != sdk.calls || len(got) != sdk.calls {
				t.Fatalf("there were %d calls and %d instead of %d", len(want), len(got), sdk.calls)
			}
			for i := range got {
				compare(t, got[i], want[i])
			}
			if n := o.Counts().Requests - requests; n != requests {
				t.Errorf("the origin had %d requests through freshet, and %d without", n, requests)
			}
		})
	}
}

// compare compares a call through freshet with the same one without.
func compare(t *testing.T, got, want called) {
	t.Helper()
	whole := strings.Contains(got.Call, "whole: ")
	refused := want.is("unauthorized", "limited", "invalid", "broken")
	broken := !whole && want.is("error", "error at once", "cut")
	switch ended := !whole && want.is("ended"); {
	case ended:
		if !got.failed() {
			t.Errorf("%s: the application was not told that it ended too early:\n%s", got.Call, got.line)
		}
		return
	case want.failed() != (refused || broken):
		t.Errorf("%s: without freshet it failed, or should have:\n%s", want.Call, want.line)
	}
	if broken && want.is("cut") {
		same := len(got.Got) >= len(want.Got) && slices.EqualFunc(got.Got[:len(want.Got)], want.Got,
			func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
		if !got.failed() || !same {
			t.Errorf("%s: after a cut there is\n%s\nand without freshet\n%s", got.Call, got.line, want.line)
		}
		return
	}
	if got.line != want.line {
		t.Errorf("%s: %s", got.Call, firstDifference(got.line, want.line))
	}
}

// TestSDKsAreToldOfAStall shows that an application whose provider says nothing
// more amid an answer is told so, by each client in each format, and that the
// provider's connections are closed.
func TestSDKsAreToldOfAStall(t *testing.T) {
	t.Parallel()
	for _, sdk := range sdks {
		t.Run(sdk.name, func(t *testing.T) {
			t.Parallel()
			o, originURL := startOrigin(t)
			s := startGateway(t, originURL, "--upstream-stall-timeout", "1s")
			streams := 0
			for _, c := range callAll(t, sdkCommand(t, sdk.script), s.url, sdk.model, callerKey, "tokens=20 stall=9") {
				if strings.Contains(c.Call, "whole: ") {
					continue
				}
				streams++
				if !c.failed() {
					t.Errorf("%s: the application was not told of a stall:\n%s", c.Call, c.line)
				}
			}
			if streams < 2 {
				t.Fatalf("%d streams were asked for", streams)
			}
			if _, err := o.Await(t.Context(), func(c origin.Counts) bool { return c.Left == streams && c.Open == 0 }); err != nil {
				t.Error(err)
			}
		})
	}
}
