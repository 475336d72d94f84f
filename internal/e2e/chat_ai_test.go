package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// A message is what the AI SDK makes of an answer.
type message struct {
	ID, Text, Failure string
	Metadata          struct {
		Usage struct{ OutputTokens int }
	}
}

// TestChatTransport drives /v1/chat with the transport of the AI SDK, as useChat
// does: a reload in mid-answer goes on with the same message and misses nothing,
// stop is told to all, and a failure is one.
func TestChatTransport(t *testing.T) {
	o, originURL := startOrigin(t)
	s := startGateway(t, originURL)
	out, err := exec.Command("node", "node/chat-ai.mjs", s.url, "origin/m").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderrOf(err))
	}
	var told struct {
		None, Over             any
		Whole, Resumed, Failed message
		First, Refused         string
		Stop                   int
		Stopped                []string
	}
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if told.None != nil || told.Over != nil {
		t.Errorf("with nothing under way the client takes up %v and %v", told.None, told.Over)
	}
	for what, m := range map[string]struct {
		message
		prompt string
		tokens int
	}{"whole": {told.Whole, "tokens=20", 20}, "resumed": {told.Resumed, "tokens=60 pace=100", 60}} {
		want := textOf(t, originURL, m.prompt)
		if m.Text != want || m.Failure != "" || m.Metadata.Usage.OutputTokens != m.tokens {
			t.Errorf("%s: got %+v, want %d tokens: %q", what, m.message, m.tokens, want)
		}
	}
	if told.First == "" || told.Resumed.ID != told.First {
		t.Errorf("the message was %q before the reload and %q after", told.First, told.Resumed.ID)
	}
	if told.Stop != 204 || strings.Join(told.Stopped, " ") != "abort abort" {
		t.Errorf("stop answers %d, and the readers are told %q", told.Stop, told.Stopped)
	}
	if told.Failed.Failure == "" || told.Failed.Text == "" {
		t.Errorf("an answer that broke off: got %+v", told.Failed)
	}
	if told.Refused == "answered" || strings.Contains(told.Refused, "{") {
		t.Errorf("a refusal: got %q", told.Refused)
	}
	if n := o.Counts().Requests; n != 7 {
		t.Errorf("the origin was asked %d times instead of 7, of which the test itself did 2", n)
	}
}

// textOf returns the text with which an origin answers by itself.
func textOf(t *testing.T, originURL, prompt string) string {
	t.Helper()
	body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}]}`, prompt)
	r, err := http.NewRequestWithContext(t.Context(), "POST", originURL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+originKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var said struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil || len(said.Choices) != 1 {
		t.Fatalf("%s: %v, %+v", response.Status, err, said)
	}
	return said.Choices[0].Message.Content
}

func stderrOf(err error) string {
	if exit, ok := err.(*exec.ExitError); ok {
		return string(exit.Stderr)
	}
	return ""
}
