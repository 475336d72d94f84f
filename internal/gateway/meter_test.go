package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

// ledger is an observer that keeps what it is told.
type ledger struct {
	mu    sync.Mutex
	begun int
	ended []server.Generation
	told  []string
}

func (l *ledger) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, fmt.Sprintf(format, args...))
}

func (l *ledger) Called(upstream, endpoint string, status int) {
	l.say("called %s%s %d", upstream, endpoint, status)
}
func (l *ledger) Came(endpoint string, how server.Arrival) { l.say("came %s %s", endpoint, how) }

func (l *ledger) Begun(upstream, endpoint string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun++
}

func (l *ledger) Ended(g server.Generation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, g)
}

// last returns the n-th generation that has ended, once it has.
func (l *ledger) last(t *testing.T, n int) (g server.Generation) {
	t.Helper()
	await(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.ended) < n {
			return false
		}
		g = l.ended[n-1]
		return true
	})
	return g
}

func observed(l *ledger) func(*server.Options) { return func(o *server.Options) { o.Observer = l } }

// described returns what a server says of a generation.
func (r *rig) described(i int, name string) (text string, generation map[string]any) {
	r.Helper()
	text = read(r.T, r.ask(r.Context(), "GET", r.urls[i]+"/v1/streams?prefix="+name, ""))
	var list struct {
		Streams []struct{ Generation map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Streams) != 1 {
		r.Fatalf("got %s, %v", text, err)
	}
	return text, list.Streams[0].Generation
}

// The figures at the end are told by any server, and nothing of who asked for what
// and what was said.
func TestFiguresAreInTheList(t *testing.T) {
	for path := range prompts {
		r := newRig(t, 2)
		body := question(path, "tokens=20 pace=400 sesame")
		if path == completions {
			body = strings.Replace(body, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
		}
		response := r.post(0, path, body, "Authorization", "Bearer sesame")
		_ = read(t, response)
		text, g := r.described(1, streamOf(t, response))
		if g["endpoint"] != strings.TrimPrefix(path, "/v1") || g["upstream"] != "origin" || g["model"] != "m" || g["status"] != 200. ||
			g["reason"] != "completed" || g["code"] != nil || g["tokens"] != 20. || g["tokens_from"] != "usage" || g["finish"] == nil {
			t.Errorf("%s: got %s", path, text)
		}
		rate, _ := g["tokens_per_second"].(float64)
		first, _ := g["first_token_ms"].(float64)
		duration, _ := g["duration_ms"].(float64)
		if rate <= 0 || first <= 0 || duration < first {
			t.Errorf("%s: got %s", path, text)
		}
		for _, secret := range []string{"sesame", `"principal"`, `"body"`, `"header"`, `"message"`} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s is in %s", path, secret, text)
			}
		}
	}
}

// Without usage chunks are counted, and that is said; somebody else's stop leaves
// the figures as they were.
func TestFiguresOfAStoppedAnswer(t *testing.T) {
	l := &ledger{}
	r := newRig(t, 2, observed(l))
	response := r.post(0, completions, question(completions, "stall=6"))
	name := streamOf(t, response)
	_ = readEvents(t, response, 6)
	stop := r.ask(t.Context(), "POST", r.urls[1]+"/v1/stream/"+name, "", "Content-Type", "text/event-stream",
		"Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
	if stop.StatusCode != http.StatusNoContent {
		t.Fatalf("stop: %s", stop.Status)
	}
	text, g := r.described(1, name)
	if g["reason"] != "cancelled" || g["code"] != "cancelled" || g["tokens_from"] != "chunks" || g["first_token_ms"] == nil {
		t.Errorf("got %s", text)
	}
	if ended := l.last(t, 1); ended.Reason != freshet.Cancelled || ended.Counted || ended.Tokens < 4 || ended.Stream != name {
		t.Errorf("got %+v", ended)
	}
}

// countingStore counts the appends that have a meta and nothing else.
type countingStore struct {
	freshet.Store
	mu    sync.Mutex
	alone int
	metas int
}

func (s *countingStore) Append(ctx context.Context, name string, c freshet.Call) ([]freshet.Result, error) {
	s.mu.Lock()
	for _, a := range c.Appends {
		if a.Meta != nil {
			s.metas++
			if len(a.Records) == 0 && a.Close == nil {
				s.alone++
			}
		}
	}
	s.mu.Unlock()
	return s.Store.Append(ctx, name, c)
}

// Figures cost no append: they go with events or the close. Only the head may come
// alone, as without them.
func TestFiguresTakeNoAppend(t *testing.T) {
	var s *countingStore
	r := newRig(t, 1, func(o *server.Options) {
		s = &countingStore{Store: o.Store}
		o.Store = s
	})
	_ = read(t, r.post(0, completions, question(completions, "tokens=200 pace=400")))
	s.mu.Lock()
	defer s.mu.Unlock()
	// The head, the first token, the close, and one more if that took a second; a
	// machine that is slow has more seconds.
	if s.alone > 1 || s.metas < 2 || s.metas > 50 {
		t.Errorf("%d of %d metas came alone", s.alone, s.metas)
	}
}

// Every generation that begins ends once, whatever becomes of it, and callers who
// come to one that there is are told from those who ask anew.
func TestObserver(t *testing.T) {
	l := &ledger{}
	r := newRig(t, 1, observed(l))
	body := question(completions, "tokens=5")
	first := read(t, r.post(0, completions, body, "Idempotency-Key", "k"))
	_ = read(t, r.post(0, completions, body, "Idempotency-Key", "k"))
	_ = read(t, r.post(0, completions, body, "Last-Event-ID", idOf(t, events(first)[2])))
	if g := l.last(t, 1); g.Reason != freshet.Completed || g.Status != 200 || g.FirstToken <= 0 || g.Duration < g.FirstToken || g.Tokens != 5 {
		t.Errorf("got %+v", g)
	}
	_ = read(t, r.post(0, completions, question(completions, "status=429")))
	if g := l.last(t, 2); g.Reason != freshet.Failed || g.Status != 429 || g.FirstToken != 0 || g.TokensPerSecond != 0 {
		t.Errorf("refused: got %+v", g)
	}
	_ = read(t, r.post(0, completions, question(completions, "end=4")))
	if g := l.last(t, 3); g.Reason != freshet.Failed || g.Status != 200 {
		t.Errorf("truncated: got %+v", g)
	}
	_ = read(t, r.post(0, completions, strings.Replace(body, "true", "false", 1)))
	_ = read(t, r.ask(t.Context(), "GET", r.urls[0]+"/v1/models/any/thing", ""))
	l.mu.Lock()
	defer l.mu.Unlock()
	const called = "called origin/chat/completions 200"
	want := []string{
		called, "came /chat/completions new", "came /chat/completions key", "came /chat/completions id",
		"called origin/chat/completions 429", "came /chat/completions new", called, "came /chat/completions new", called, "called origin/models 404",
	}
	seen := map[string]int{}
	for _, s := range l.told {
		seen[s]++
	}
	for _, s := range want {
		seen[s]--
	}
	for s, n := range seen {
		if n != 0 {
			t.Errorf("%s: %+d", s, n)
		}
	}
	if l.begun != len(l.ended) {
		t.Errorf("%d begun, %d ended", l.begun, len(l.ended))
	}
}

// Nobody can make a generation fail by long words: what is kept of them beside the
// answer has a bound.
func TestLongWordsAreKeptInPart(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		for i := range 20 {
			h.Set(fmt.Sprintf("X-Ratelimit-%d", i), strings.Repeat("<\xff", 100))
		}
		word := strings.Repeat("<", 9000)
		fmt.Fprintf(w, "data: {\"id\":%q,\"model\":%[1]q,\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":%[1]q}]}\n\ndata: [DONE]\n\n", word)
	})
	l := &ledger{}
	r := newRigBefore(t, 1, upstream, observed(l))
	body := strings.Replace(question(completions, "x"), `"m"`, `"`+strings.Repeat("<", 5000)+`"`, 1)
	response := r.post(0, completions, body)
	if got := read(t, response); response.StatusCode != 200 || !strings.Contains(got, "[DONE]") {
		t.Fatalf("got %s %.300s", response.Status, got)
	}
	if g := l.last(t, 1); g.Reason != freshet.Completed {
		t.Errorf("got %.300v", g)
	}
	turn := strings.Replace(turn("c", "x"), `"u"`, `"`+strings.Repeat("u", 5000)+`"`, 1)
	turn = strings.Replace(turn, `"role":"user"`, `"role":"assistant"`, 1)
	if response := r.post(0, "/v1/chat", turn); response.StatusCode != http.StatusBadRequest {
		t.Errorf("a message with an endless id is answered %s", response.Status)
	}
}
