package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// turn is what useChat posts.
func turn(id, prompt string) string {
	return fmt.Sprintf(`{"id":%q,"model":"m","trigger":"submit-message","messages":[{"id":"u","role":"user","parts":[{"type":"text","text":%q}]}]}`, id, prompt)
}

// A chunk is what the AI SDK is told, as far as tests look at it.
type chunk struct {
	Type, MessageID, Delta, ErrorText string
}

// chunks returns those of an answer, which has to end with [DONE].
func chunks(t *testing.T, answer string) (all []chunk, text string) {
	t.Helper()
	blocks := events(told(answer))
	if len(blocks) == 0 || blocks[len(blocks)-1] != "data: [DONE]\n\n" {
		t.Fatalf("the answer has no end: %q", answer)
	}
	for _, block := range blocks[:len(blocks)-1] {
		var c chunk
		if err := json.Unmarshal([]byte(strings.TrimPrefix(block, "data: ")), &c); err != nil {
			t.Fatalf("%v in %q", err, block)
		}
		if c.Type == "text-delta" {
			text += c.Delta
		}
		all = append(all, c)
	}
	return all, text
}

// said returns the text that the origin answers with.
func (r *rig) said(prompt string) (text string) {
	r.Helper()
	for _, block := range events(r.direct("/v1/chat/completions", question(completions, prompt))) {
		var c struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if json.Unmarshal([]byte(strings.TrimPrefix(block, "data: ")), &c) == nil && len(c.Choices) > 0 {
			text += c.Choices[0].Delta.Content
		}
	}
	return text
}

const completions = "/v1/chat/completions"

func last(all []chunk) chunk { return all[len(all)-1] }

// An answer is told whole, and one that is under way again from its beginning, on
// any server and under the same message id; then there is nothing to take up.
func TestChat(t *testing.T) {
	r := newRig(t, 2)
	const prompt = "tokens=30 pace=100"
	want := r.said(prompt)
	again := func(i int) *http.Response { return r.ask(t.Context(), "GET", r.urls[i]+"/v1/chat/c/stream", "") }
	if got := again(0); got.StatusCode != http.StatusNoContent {
		t.Errorf("before there is a conversation: %s", got.Status)
	}
	response := r.post(0, "/v1/chat", turn("c", prompt))
	if h := response.Header; response.StatusCode != 200 || h.Get("X-Vercel-Ai-Ui-Message-Stream") != "v1" ||
		!strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("got %s %v", response.Status, response.Header)
	}
	name := streamOf(t, response)
	_ = readEvents(t, response, 5)
	resumed := again(1)
	if streamOf(t, resumed) != name {
		t.Errorf("taken up %s instead of %s", streamOf(t, resumed), name)
	}
	all, text := chunks(t, read(t, resumed))
	if text != want || last(all).Type != "finish" || all[0].MessageID != strings.TrimPrefix(name, "gen/") {
		t.Errorf("got %q, %+v", text, all)
	}
	if closed := r.end(name); closed.Reason != freshet.Completed {
		t.Errorf("closed as %s", closed.Reason)
	}
	if got := again(1); got.StatusCode != http.StatusNoContent {
		t.Errorf("after the end: %s", got.Status)
	}
	second := r.post(1, "/v1/chat", turn("c", "tokens=2"))
	read(t, second)
	named := read(t, r.ask(t.Context(), "GET", r.urls[0]+"/v1/stream/chat/c", ""))
	if i, j := strings.Index(named, name), strings.Index(named, streamOf(t, second)); i < 0 || j < i {
		t.Errorf("the conversation names %s", named)
	}
	if n := r.origin.Counts().Requests; n != 3 {
		t.Errorf("the upstream was asked %d times instead of 3", n)
	}
}

// Stop ends the answer that is under way, from any server: all who read it are
// told that it was aborted, and the upstream is rid of it.
func TestStopChat(t *testing.T) {
	r := newRig(t, 2)
	response := r.post(0, "/v1/chat", turn("a/b", "stall=6"))
	resumed := r.ask(t.Context(), "GET", r.urls[1]+"/v1/chat/a%2Fb/stream", "")
	stop := func(body string) {
		t.Helper()
		if got := r.post(1, "/v1/chat/a/b/stop", body); got.StatusCode != http.StatusNoContent {
			t.Errorf("stop: %s %s", got.Status, read(t, got))
		}
	}
	stop(`{"activeStreamId":"another"}`)
	if r.origin.Counts().Left != 0 {
		t.Error("a stop that meant another answer has ended this one")
	}
	stop(`{"activeStreamId":"` + strings.TrimPrefix(streamOf(t, response), "gen/") + `"}`)
	for _, got := range []*http.Response{response, resumed} {
		if all, _ := chunks(t, read(t, got)); last(all).Type != "abort" {
			t.Errorf("got %+v", all)
		}
	}
	if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Left == 1 && c.Open == 0 }); err != nil {
		t.Error(err)
	}
	stop("") // again, and nothing is under way
}

// Failures end a message as errors that say why; what is refused before an answer
// begins has the upstream's status and words.
func TestChatFailures(t *testing.T) {
	r := newRig(t, 1)
	for _, prompt := range []string{"tokens=5 end=4", "tokens=5 cut=4", "tokens=5 error=3"} {
		all, _ := chunks(t, read(t, r.post(0, "/v1/chat", turn("c", prompt))))
		if end := last(all); end.Type != "error" || end.ErrorText == "" {
			t.Errorf("%s: got %+v", prompt, all)
		}
	}
	got := r.post(0, "/v1/chat", turn("c", "status=429 retry-after=7"))
	body := read(t, got)
	if got.StatusCode != 429 || got.Header.Get("Retry-After") != "7" || body == "" || strings.Contains(body, "{") {
		t.Errorf("got %s %q", got.Status, body)
	}
	for head, want := range map[string]string{
		"text/html\r\n\r\n<h1>Bad</h1>":                      "The upstream answered 503 Service Unavailable.",
		"text/plain\r\n\r\n":                                 "The upstream answered 503 Service Unavailable.",
		"text/plain\r\n\r\nno more":                          "no more",
		"application/json\r\n\r\n{\"error\":\"no more\"}":    "no more",
		"application/json\r\n\r\n{\"message\":\"no more\"}":  "no more",
		"application/json\r\n\r\n{\"detail\":[\"no more\"]}": `{"detail":["no more"]}`,
	} {
		kind, sent, _ := strings.Cut(head, "\r\n\r\n")
		odd := newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, sent)
		}))
		if got := odd.post(0, "/v1/chat", turn("c", "x")); got.StatusCode != 503 || read(t, got) != want {
			t.Errorf("%q: got %s, want %q", head, got.Status, want)
		}
	}
	plain := newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	if got := plain.post(0, "/v1/chat", turn("c", "x")); got.StatusCode != http.StatusBadGateway {
		t.Errorf("an upstream that does not stream: %s", got.Status)
	}
}

// Bad turns are told what is wrong with them, and ask nobody.
func TestBadTurns(t *testing.T) {
	r := newRig(t, 1)
	for body, want := range map[string]int{
		"": 400, "[]": 400, "{}": 400, `{"id":"c","messages":[]}`: 400, turn("", "x"): 400, turn("../c", "x"): 400,
		turn("c\u0000", "x"): 400, turn(strings.Repeat("c", 600), "x"): 400,
		`{"id":"c","messages":[{"role":"robot","parts":[]}]}`: 400, strings.Replace(turn("c", "x"), `"model":"m",`, "", 1): 400,
	} {
		if got := r.post(0, "/v1/chat", body); got.StatusCode != want {
			t.Errorf("%.60s: got %s", body, got.Status)
		}
	}
	for path, want := range map[string]int{"/v1/chat/c": 404, "/v1/chat/": 404, "/v1/chat/c/other": 404, "/v1/chat/%2F/stream": 400, "/v1/chat/stream": 404} {
		if got := r.ask(t.Context(), "GET", r.urls[0]+path, ""); got.StatusCode != want {
			t.Errorf("GET %s: got %s", path, got.Status)
		}
	}
	for _, path := range []string{"/v1/chat", "/v1/chat/c/stop"} {
		if got := r.ask(t.Context(), "GET", r.urls[0]+path, ""); got.StatusCode != 405 {
			t.Errorf("GET %s: got %s", path, got.Status)
		}
	}
	if got := r.post(0, "/v1/chat/c/stop", "stop"); got.StatusCode != 400 {
		t.Errorf("a stop that is not JSON: %s", got.Status)
	}
	if n := r.origin.Counts().Requests; n != 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}

// Somebody else who knows the id of a conversation gets nothing of the answer, and
// does not stop it.
func TestChatPrincipals(t *testing.T) {
	r := newRig(t, 1)
	response := r.post(0, "/v1/chat", turn("c", "stall=3"), "Authorization", "Bearer me")
	defer response.Body.Close()
	for method, path := range map[string]string{"GET": "/v1/chat/c/stream", "POST": "/v1/chat/c/stop"} {
		if got := r.ask(t.Context(), method, r.urls[0]+path, "", "Authorization", "Bearer you"); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s: got %s", method, path, got.Status)
		}
	}
	if r.origin.Counts().Left != 0 {
		t.Error("a stranger has stopped the answer")
	}
}

// A conversation that was closed goes on no more, and its question asks nobody in
// vain.
func TestClosedConversation(t *testing.T) {
	r := newRig(t, 1)
	read(t, r.post(0, "/v1/chat", turn("c", "tokens=1")))
	if _, err := r.servers[0].Append(t.Context(), "chat/c", freshet.Append{Close: &freshet.Closing{Reason: freshet.Completed}}); err != nil {
		t.Fatal(err)
	}
	if got := r.post(0, "/v1/chat", turn("c", "stall=3")); got.StatusCode != http.StatusConflict {
		t.Errorf("got %s", got.Status)
	}
	if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Open == 0 }); err != nil {
		t.Error(err)
	}
}

// A forgetful store cannot create conversations while it is told so.
type forgetful struct {
	freshet.Store
	away atomic.Bool
}

func (s *forgetful) Create(ctx context.Context, name string, c freshet.Creation) (freshet.Info, bool, error) {
	if s.away.Load() && strings.HasPrefix(name, "chat/") {
		return freshet.Info{}, false, freshet.ErrUnavailable
	}
	return s.Store.Create(ctx, name, c)
}

// An answer that its conversation cannot name is given up, and asked for anew by
// the same question under its key.
func TestAnswerWithoutAName(t *testing.T) {
	store := &forgetful{}
	r := newRig(t, 1, func(o *server.Options) { store.Store, o.Store = o.Store, store })
	store.away.Store(true)
	if got := r.post(0, "/v1/chat", turn("c", "stall=3"), "Idempotency-Key", "k"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %s", got.Status)
	}
	if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Open == 0 }); err != nil {
		t.Error(err)
	}
	store.away.Store(false)
	r.origin.Resume()
	got, _ := chunks(t, read(t, r.post(0, "/v1/chat", turn("c", "stall=3"), "Idempotency-Key", "k")))
	if last := got[len(got)-1]; last.Type != "finish" {
		t.Errorf("asked again it ends with %+v", last)
	}
}

// The demo answers a client that names no model, as useChat does by itself.
func TestChatWithTheDemo(t *testing.T) {
	r := newRigBefore(t, 1, http.NotFoundHandler(), func(o *server.Options) { o.Upstreams = []server.Upstream{server.DemoUpstream()} })
	got := r.post(0, "/v1/chat", strings.Replace(turn("c", "x"), `"model":"m",`, "", 1))
	if begun := strings.Join(readEvents(t, got, 4), ""); got.StatusCode != 200 || !strings.Contains(begun, "text-delta") {
		t.Errorf("got %s %s", got.Status, begun)
	}
}

// The model of those who name none, and a retry that gets the same answer.
func TestChatModelAndKey(t *testing.T) {
	r := newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\ndata: [DONE]\n\n", r.URL.Path+" "+string(body))
	}), func(o *server.Options) { o.ChatModel = "origin/house" })
	unnamed := strings.Replace(turn("c", "x"), `"model":"m",`, "", 1)
	first := r.post(0, "/v1/chat", unnamed, "Idempotency-Key", "k")
	_, text := chunks(t, read(t, first))
	if !strings.HasPrefix(text, completions+" ") || !strings.Contains(text, `"model":"house"`) || !strings.Contains(text, `"stream":true`) {
		t.Errorf("the upstream was asked %s", text)
	}
	if again := r.post(0, "/v1/chat", unnamed, "Idempotency-Key", "k"); streamOf(t, again) != streamOf(t, first) {
		t.Error("a retry got another answer")
	}
	if other := r.post(0, "/v1/chat", turn("c", "y"), "Idempotency-Key", "k"); other.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("another turn under the key: %s", other.Status)
	}
}
