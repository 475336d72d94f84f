package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/faultproxy"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// terminals are the examples that are a chat in the terminal.
var terminals = map[string]func(t *testing.T, url string) []string{
	"go": func(t *testing.T, url string) []string {
		built := filepath.Join(t.TempDir(), "chat")
		build := exec.Command("go", "build", "-o", built, "./examples/go")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build examples/go: %v\n%s", err, out)
		}
		return []string{built, "-url", url, "-model", "origin/m"}
	},
	"python": func(_ *testing.T, url string) []string {
		return []string{"/usr/bin/python3", "../../examples/python/chat.py", url, "origin/m"}
	},
}

// slowly is a question whose answer stalls when most of it is there. Whatever a
// test does to what it has until then, it does in mid-answer.
const slowly = "tokens=120 pace=60 stall=90"

// TestTerminalExamples shows that the chats in the terminal go on after a cut and
// write the whole answer, which the model was asked for once.
func TestTerminalExamples(t *testing.T) {
	t.Parallel()
	for name, command := range terminals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, originURL := startOrigin(t)
			want := originText(t, originURL, slowly)
			proxy := proxyTo(t, startGateway(t, originURL))
			p := start(t, command(t, "http://"+proxy.Addr())...)
			p.say(slowly + "\n")
			p.await(p.stdout, longer(10))
			for range 3 {
				cut(t, proxy)
			}
			o.Resume()
			p.await(p.stdout, longer(len(want)-1))
			p.say("tokens=3 end=2\n")
			p.await(p.stderr, having("ended before it was complete"))
			if err := p.wait(); err != nil {
				t.Errorf("%v\n%s", err, p.stderr)
			}
			if got := p.stdout.String(); !strings.HasPrefix(got, want) {
				t.Errorf("wrote %s", firstDifference(got, want))
			}
			if n := o.Counts().Requests; n != 3 {
				t.Errorf("the origin was asked %d times for two answers, and once by the test", n)
			}
		})
	}
}

// TestTerminalExamplesStop shows that Ctrl-C stops the answer, at the model too,
// and then the chat goes on.
func TestTerminalExamplesStop(t *testing.T) {
	t.Parallel()
	for name, command := range terminals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, originURL := startOrigin(t)
			want, short := originText(t, originURL, slowly), originText(t, originURL, "tokens=5")
			s := startGateway(t, originURL)
			p := start(t, command(t, s.url)...)
			p.say(slowly + "\n")
			p.await(p.stdout, longer(10))
			if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			p.await(p.stderr, having("stopped"))
			awaitStopped(t, o)
			p.say("tokens=5\n")
			if err := p.wait(); err != nil {
				t.Errorf("%v\n%s", err, p.stderr)
			}
			begun, whole := strings.CutSuffix(p.stdout.String(), short)
			if !whole || begun == want || !strings.HasPrefix(want, begun) {
				t.Errorf("wrote %q of %q and %q", p.stdout, want, short)
			}
			if _, list := s.do("GET", "/v1/streams?prefix=gen/", ""); !strings.Contains(list, `"closed":"cancelled"`) {
				t.Errorf("the streams are %s", list)
			}
		})
	}
}

// awaitStopped waits until the origin has seen that an answer is not wanted any
// more.
func awaitStopped(t *testing.T, o *origin.Origin) {
	t.Helper()
	if _, err := o.Await(t.Context(), func(c origin.Counts) bool { return c.Left == 1 && c.Open == 0 }); err != nil {
		t.Error(err)
	}
}

// originText returns what an origin answers to a question, in one piece.
func originText(t *testing.T, originURL, question string) string {
	t.Helper()
	body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}]}`, question)
	request, err := http.NewRequestWithContext(t.Context(), "POST", originURL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+originKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.Unmarshal(got, &answer); err != nil || len(answer.Choices) != 1 {
		t.Fatalf("%v in %s", err, got)
	}
	return answer.Choices[0].Message.Content
}

// cut cuts what is connected, as soon as something is.
func cut(t *testing.T, proxy *faultproxy.Proxy) {
	t.Helper()
	for by := time.Now().Add(patience); proxy.CutAll() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(by) {
			t.Fatal("there was nothing to cut")
		}
	}
}

// proxyTo starts a proxy before a server, which cuts when it is told to.
func proxyTo(t *testing.T, s *server) *faultproxy.Proxy {
	t.Helper()
	proxy, err := faultproxy.New(faultproxy.Options{Target: strings.TrimPrefix(s.url, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return proxy
}
