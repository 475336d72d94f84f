package origin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoints are the paths of the formats, and what a prompt is called there.
var endpoints = map[string]string{
	"/v1/chat/completions": `"messages":[{"role":"user","content":%q}]`,
	"/v1/responses":        `"input":%q`,
	"/v1/messages":         `"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":%q}]}]`,
}

// start serves an origin until the test ends.
func start(t *testing.T, o *Origin) string {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(func() {
		server.Client().CloseIdleConnections()
		server.Close()
	})
	return server.URL
}

// ask sends a prompt and returns the response, which is closed when the test
// ends.
func ask(t *testing.T, url, path, prompt string, stream bool) *http.Response {
	t.Helper()
	body := fmt.Sprintf(`{"model":"m","stream":%t,"stream_options":{"include_usage":true},`+endpoints[path]+`}`, stream, prompt)
	request, err := http.NewRequestWithContext(t.Context(), "POST", url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// answered returns the body of the answer to a prompt.
func answered(t *testing.T, url, path, prompt string, stream bool) string {
	t.Helper()
	body, err := io.ReadAll(ask(t, url, path, prompt, stream).Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// collect returns the tokens of a stream, joined by kind.
func collect(t *testing.T, stream string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(stream) {
		data, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var e struct {
			Type    string
			Delta   any
			Choices []struct{ Delta map[string]any }
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		switch delta := e.Delta.(type) {
		case string:
			got[e.Type] += delta
		case map[string]any:
			for name, value := range delta {
				got[name] += fmt.Sprint(value)
			}
		}
		for _, choice := range e.Choices {
			for name, value := range choice.Delta {
				if text, ok := value.(string); ok {
					got[name] += text
				}
			}
		}
	}
	return got
}

func TestStreamIsWhatTheWholeIs(t *testing.T) {
	url := start(t, New(""))
	const prompt = "tokens=60 reasoning=9 calls=2"
	for path, fields := range map[string][2]string{
		"/v1/chat/completions": {"content", "reasoning_content"},
		"/v1/responses":        {"response.output_text.delta", "response.reasoning_summary_text.delta"},
		"/v1/messages":         {"text", "thinking"},
	} {
		stream := answered(t, url, path, prompt, true)
		if again := answered(t, url, path, prompt, true); again != stream {
			t.Errorf("%s: another answer to the same prompt", path)
		}
		whole := answered(t, url, path, prompt, false)
		got := collect(t, stream)
		for _, field := range fields {
			quoted := strings.TrimSuffix(strings.TrimPrefix(string(encode(object{"": got[field]})), `{"":"`), `"}`)
			if quoted == "" || !strings.Contains(whole, quoted) {
				t.Errorf("%s: the %s %q is not in %s", path, field, quoted, whole)
			}
		}
		if n := strings.Count(stream, "get_weather"); n < 2 {
			t.Errorf("%s: %d calls in\n%s", path, n, stream)
		}
	}
}

func TestEvents(t *testing.T) {
	url := start(t, New(""))
	for path, want := range map[string]string{
		"/v1/messages": "message_start content_block_start ping content_block_delta content_block_stop message_delta message_stop",
		"/v1/responses": "response.created response.in_progress response.output_item.added response.content_part.added " +
			"response.output_text.delta response.output_text.done response.content_part.done response.output_item.done response.completed",
	} {
		var names []string
		for line := range strings.Lines(answered(t, url, path, "tokens=1", true)) {
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				names = append(names, strings.TrimSpace(name))
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: the events are\n%s instead of\n%s", path, got, want)
		}
	}
	chat := answered(t, url, "/v1/chat/completions", "tokens=1", true)
	if n := strings.Count(chat, "data: "); n != 5 || !strings.HasSuffix(chat, "data: [DONE]\n\n") || strings.Contains(chat, "event:") {
		t.Errorf("chat completions are\n%s", chat)
	}
}

func TestFaults(t *testing.T) {
	url := start(t, New(""))
	for path := range endpoints {
		if got := answered(t, url, path, "end=3", true); strings.Count(got, "data: ") != 3 {
			t.Errorf("%s: 3 events and the end are\n%s", path, got)
		}
		if got := answered(t, url, path, "error=4", true); strings.Count(got, "data: ") != 5 || strings.Count(got, `error"`) == 0 {
			t.Errorf("%s: 4 events and an error are\n%s", path, got)
		}
		got, err := io.ReadAll(ask(t, url, path, "cut=2", true).Body)
		if err == nil || strings.Count(string(got), "data: ") != 2 {
			t.Errorf("%s: 2 events and a cut are %v after\n%s", path, err, got)
		}
		refused := ask(t, url, path, "status=429 retry-after=7", true)
		if refused.StatusCode != 429 || refused.Header.Get("Retry-After") != "7" {
			t.Errorf("%s: refused with %s, %v", path, refused.Status, refused.Header)
		}
	}
}

func TestKey(t *testing.T) {
	url := start(t, New("secret"))
	if got := ask(t, url, "/v1/responses", "hello", true); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a key the answer is %s", got.Status)
	}
}

func TestStallAndLeave(t *testing.T) {
	o := New("")
	url := start(t, o)
	stays, leaves := ask(t, url, "/v1/messages", "stall=3", true), ask(t, url, "/v1/messages", "stall=3", true)
	if got := o.Counts(); got != (Counts{Requests: 2, Open: 2}) {
		t.Errorf("two stalled answers are counted as %+v", got)
	}
	if err := leaves.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Await(t.Context(), func(c Counts) bool { return c == Counts{Requests: 2, Open: 1, Left: 1} }); err != nil {
		t.Error(err)
	}
	o.Resume()
	if got, err := io.ReadAll(stays.Body); err != nil || !strings.Contains(string(got), "message_stop") {
		t.Errorf("%v after the rest\n%s", err, got)
	}
	if _, err := o.Await(t.Context(), func(c Counts) bool { return c.Open == 0 }); err != nil {
		t.Error(err)
	}
}

func TestAwaitGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New("").Await(ctx, func(Counts) bool { return false }); err == nil {
		t.Error("waited for what cannot be")
	}
}
