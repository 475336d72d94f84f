package gateway_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

const chat = "/v1/chat/completions"

// A caller that was cut after any event gets the rest, and the upstream was asked
// once: by the same POST with its key, by one with the last id, with and without
// its body, and from the stream; on another server.
func TestResumeAfterEveryEvent(t *testing.T) {
	for path := range prompts {
		r := newRig(t, 2)
		body := question(path, "tokens=60")
		want := r.direct(path, body)
		asked := r.origin.Counts().Requests
		response := r.post(0, path, body, "Idempotency-Key", "k", "Authorization", "Bearer me")
		whole := events(read(t, response))
		name := streamOf(t, response)
		for k, block := range whole {
			id, had := idOf(t, block), strings.Join(whole[:k+1], "")
			for how, rest := range map[string]*http.Response{
				"by last id":   r.post(1, path, body, "Last-Event-ID", id, "Authorization", "Bearer me"),
				"without body": r.post(1, path, "", "Last-Event-ID", id, "Authorization", "Bearer me"),
				"from the stream": r.ask(t.Context(), "GET", r.urls[1]+"/v1/stream/"+name, "",
					"Accept", "text/event-stream", "Last-Event-ID", id),
			} {
				got := read(t, rest)
				if how == "from the stream" {
					_, got, _ = strings.Cut(got, "\n\n") // retry and the position
					got, _, _ = strings.Cut(got, "event: stream-closed")
				}
				if told(had+got) != want {
					t.Fatalf("%s, %s, after %d: got\n%s\nwant\n%s", path, how, k+1, told(had+got), want)
				}
			}
		}
		again := r.post(1, path, body, "Idempotency-Key", "k", "Authorization", "Bearer me")
		if got := read(t, again); got != strings.Join(whole, "") {
			t.Errorf("%s, by key: got %s", path, got)
		}
		if n := r.origin.Counts().Requests - asked; n != 1 {
			t.Errorf("%s: the upstream was asked %d times", path, n)
		}
	}
}

// Two servers get the same keyed question at once: one upstream call.
func TestOneCallForAKey(t *testing.T) {
	r := newRig(t, 2)
	body := question(chat, "tokens=3")
	want := r.direct(chat, body)
	const times = 200
	asked := r.origin.Counts().Requests
	for range times {
		key := rand.Text()
		var both sync.WaitGroup
		for i := range r.urls {
			both.Go(func() {
				request, _ := http.NewRequestWithContext(t.Context(), "POST", r.urls[i]+chat, strings.NewReader(body))
				request.Header.Set("Idempotency-Key", key)
				response, err := r.client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				if got, err := io.ReadAll(response.Body); err != nil || told(string(got)) != want {
					t.Errorf("got %s, %v", got, err)
				}
			})
		}
		both.Wait()
	}
	if n := r.origin.Counts().Requests - asked; n != times {
		t.Errorf("the upstream was asked %d times for %d keys", n, times)
	}
}

// Another principal with the same key is another caller, and with somebody's
// cursor finds nothing.
func TestPrincipals(t *testing.T) {
	r := newRig(t, 1)
	body := question(chat, "tokens=3")
	mine := r.post(0, chat, body, "Idempotency-Key", "k", "Authorization", "Bearer me")
	id := idOf(t, events(read(t, mine))[0])
	for _, header := range []string{"Authorization", "X-Api-Key", "Api-Key"} {
		other := r.post(0, chat, body, "Idempotency-Key", "k", header, "Bearer you")
		read(t, other)
		if streamOf(t, other) == streamOf(t, mine) {
			t.Errorf("%s: another principal got the answer by its key", header)
		}
		stolen := r.post(0, chat, body, "Last-Event-ID", id, header, "Bearer you")
		if got := read(t, stolen); stolen.StatusCode != http.StatusNotFound {
			t.Errorf("%s: another principal got %s by the cursor: %s", header, stolen.Status, got)
		}
	}
	if elsewhere := r.post(0, "/v1/messages", "", "Last-Event-ID", id, "Authorization", "Bearer me"); elsewhere.StatusCode != http.StatusNotFound {
		t.Errorf("another endpoint answers %s", elsewhere.Status)
	}
}

// While somebody's answer goes on, and before it has a head, another principal
// gets nothing of it: by the key it is another question, by a cursor and by the
// upstream's id there is none, to read or to stop.
func TestPrincipalsWhileItGoesOn(t *testing.T) {
	r := newRig(t, 2)
	body := question(resp, "tokens=5 stall=4")
	me, you := []string{"Authorization", "Bearer me"}, []string{"Authorization", "Bearer you"}
	mine := r.post(0, resp, body, append(me, "Idempotency-Key", "k")...)
	blocks := readEvents(t, mine, 2)
	url := r.urls[1] + resp + "/" + responseID(t, blocks[0])
	for what, got := range map[string]*http.Response{
		"the state":      r.ask(t.Context(), "GET", url, "", you...),
		"the events":     r.ask(t.Context(), "GET", url+"?stream=true&starting_after=0", "", you...),
		"a stop":         r.ask(t.Context(), "POST", url+"/cancel", "", you...),
		"the rest":       r.post(1, resp, body, append(you, "Last-Event-ID", idOf(t, blocks[1]))...),
		"without a body": r.post(1, resp, "", append(you, "Last-Event-ID", idOf(t, blocks[1]))...),
	} {
		if said := read(t, got); got.StatusCode != http.StatusNotFound || strings.Contains(said, "resp_") {
			t.Errorf("%s: got %s %s", what, got.Status, said)
		}
	}
	if got := r.post(1, resp, body, append(you, "Idempotency-Key", "k")...); streamOf(t, got) == streamOf(t, mine) {
		t.Error("another principal got the answer by its key")
	}
	r.origin.Resume()
	if got := read(t, mine); !strings.Contains(got, "response.completed") {
		t.Errorf("got %s", got)
	}
}

// Before the head, too, the same key of another principal is another question.
func TestPrincipalsBeforeTheHead(t *testing.T) {
	asked, let := make(chan struct{}, 2), make(chan struct{})
	r := newRigBefore(t, 2, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-let
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
	names := make(chan string, 2)
	for i, who := range []string{"me", "you"} {
		go func() {
			response, err := r.try(t.Context(), "POST", r.urls[i]+chat, `{"stream":true}`, "Idempotency-Key", "k", "X-Api-Key", who)
			if err != nil {
				t.Error(err)
				names <- ""
				return
			}
			defer response.Body.Close()
			names <- response.Header.Get("Freshet-Stream")
		}()
		<-asked // each asks the upstream
	}
	close(let)
	if a, b := <-names, <-names; a == b {
		t.Errorf("both got %s", a)
	}
}

// Another body under a key or with a cursor is a mistake that is told.
func TestAnotherBody(t *testing.T) {
	r := newRig(t, 1)
	mine := r.post(0, chat, question(chat, "tokens=3"), "Idempotency-Key", "k")
	id := idOf(t, events(read(t, mine))[0])
	for _, header := range []string{"Idempotency-Key", "Last-Event-ID"} {
		value := map[string]string{"Idempotency-Key": "k", "Last-Event-ID": id}[header]
		got := r.post(0, chat, question(chat, "tokens=4"), header, value)
		if body := read(t, got); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, `"error":{"message":"th`) ||
			!strings.Contains(body, `"type":"invalid_request_error","param":null,"code":"key_reused"}`) {
			t.Errorf("%s: got %s %s", header, got.Status, body)
		}
	}
	for _, id := range []string{"5", "a.b", id[:len(id)-1], "../x." + id} {
		if got := r.post(0, chat, "", "Last-Event-ID", id); got.StatusCode != http.StatusBadRequest {
			t.Errorf("Last-Event-ID %s: got %s", id, got.Status)
		}
	}
}

// A refused question is forgotten with its refusal: the key is free for a better
// one, which then has it.
func TestAnotherBodyAfterRefusal(t *testing.T) {
	r := newRig(t, 2)
	ask := func(i int, prompt string) *http.Response {
		return r.post(i, chat, question(chat, prompt), "Idempotency-Key", "k")
	}
	for _, prompt := range []string{"status=400", "status=429", "tokens=2"} {
		if got, want := read(t, ask(0, prompt)), r.direct(chat, question(chat, prompt)); told(got) != want {
			t.Errorf("%s: got %s, want %s", prompt, got, want)
		}
	}
	for prompt, want := range map[string]int{"tokens=2": 200, "status=400": 422} {
		if got := ask(1, prompt); got.StatusCode != want {
			t.Errorf("%s, again: got %s", prompt, got.Status)
		}
	}
}

// Keys that differ are no key.
func TestTwoKeys(t *testing.T) {
	r := newRig(t, 1)
	for other, want := range map[string]int{"k": 200, "l": 400} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", r.urls[0]+chat, strings.NewReader(question(chat, "tokens=1")))
		if err != nil {
			t.Fatal(err)
		}
		request.Header["Idempotency-Key"] = []string{"k", other}
		got, err := r.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		read(t, got)
		_ = got.Body.Close()
		if got.StatusCode != want {
			t.Errorf("k and %s: got %s", other, got.Status)
		}
	}
}

// After a failure, an interruption or a refusal the same key starts anew; what
// was completed or cancelled is replayed.
func TestWhatIsReplayed(t *testing.T) {
	r := newRig(t, 2)
	for prompt, replayed := range map[string]bool{
		"tokens=2": true, "tokens=2 end=3": false, "status=500": false, "tokens=2 error=2": false,
	} {
		body := question(chat, prompt)
		first, second := r.post(0, chat, body, "Idempotency-Key", prompt), (*http.Response)(nil)
		before := read(t, first)
		r.end(streamOf(t, first))
		second = r.post(1, chat, body, "Idempotency-Key", prompt)
		if got := read(t, second); replayed && got != before {
			t.Errorf("%s: got %s, then %s", prompt, before, got)
		}
		if same := streamOf(t, first) == streamOf(t, second); same != replayed {
			t.Errorf("%s: %s, then %s", prompt, streamOf(t, first), streamOf(t, second))
		}
	}
	body := question(chat, "stall=3")
	for _, reason := range []freshet.Reason{freshet.Interrupted, freshet.Failed, freshet.Cancelled, freshet.Cancelled} {
		response := r.post(0, chat, body, "Idempotency-Key", "stop")
		name := streamOf(t, response)
		_, err := r.servers[1].Append(t.Context(), name, freshet.Append{Close: &freshet.Closing{Reason: reason}})
		if got := read(t, response); !strings.Contains(got, `"error"`) {
			t.Errorf("%s, %v: got %s", reason, err, got)
		}
		if want := map[freshet.Reason]string{freshet.Interrupted: "-1", freshet.Failed: "-2", freshet.Cancelled: "-3"}[reason]; !strings.HasSuffix(name, want) {
			t.Errorf("closed as %s: %s, want %s", reason, name, want)
		}
	}
}

// Whoever comes back with the id of an end that the upstream did not tell is
// told it again, on its own and by the whole of the answer.
func TestEndIsToldAgain(t *testing.T) {
	r := newRig(t, 2)
	for path := range prompts {
		body := question(path, "tokens=4 end=5")
		blocks := events(read(t, r.post(0, path, body)))
		last := blocks[len(blocks)-1]
		got := read(t, r.post(1, path, body, "Last-Event-ID", idOf(t, blocks[len(blocks)-2])))
		if got != last {
			t.Errorf("%s: got %q, want %q", path, got, last)
		}
	}
}

// A cursor with the id of another generation in front is a gap on the stream.
func TestForeignIDIsAGap(t *testing.T) {
	r := newRig(t, 1)
	response := r.post(0, chat, question(chat, "tokens=3"))
	id := idOf(t, events(read(t, response))[0])
	url := r.urls[0] + "/v1/stream/" + streamOf(t, response)
	for _, foreign := range []string{"other" + id, "other.0000000000000000_0000000000000000"} {
		got := read(t, r.ask(t.Context(), "GET", url, "", "Accept", "text/event-stream", "Last-Event-ID", foreign))
		if !strings.Contains(got, "event: stream-gap") || !strings.Contains(got, `"why":"diverged"`) {
			t.Errorf("SSE with %s: got %s", foreign, got)
		}
		if got := r.ask(t.Context(), "GET", url+"?offset="+foreign, ""); got.StatusCode != http.StatusGone {
			t.Errorf("offset=%s: got %s", foreign, got.Status)
		}
	}
	if got := r.ask(t.Context(), "GET", url+"?offset="+id, ""); got.StatusCode != http.StatusOK {
		t.Errorf("offset=%s: got %s", id, got.Status)
	}
}

// Callers who attach before the head get the upstream's refusal too, on any
// server, and it is not remembered under the key.
func TestRefusalReachesAllWhoWait(t *testing.T) {
	let, here := make(chan struct{}), make(chan struct{}, 9)
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		here <- struct{}{}
		<-let
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"later"}}`)
	})
	r := newRigBefore(t, 2, upstream)
	var all sync.WaitGroup
	const callers = 6
	for i := range callers {
		all.Go(func() {
			request, _ := http.NewRequestWithContext(t.Context(), "POST", r.urls[i%2]+chat, strings.NewReader(`{"stream":true}`))
			request.Header.Set("Idempotency-Key", "k")
			response, err := r.client.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "9" ||
				string(body) != `{"error":{"message":"later"}}` {
				t.Errorf("got %s, %s", response.Status, body)
			}
		})
	}
	<-here
	await(t, func() bool { return following(r.servers) == callers+1 }) // and the owner
	close(let)
	all.Wait()
	if len(here) != 0 {
		t.Errorf("the upstream was asked %d times more", len(here))
	}
	read(t, r.post(0, chat, `{"stream":true}`, "Idempotency-Key", "k"))
	if len(here) != 1 {
		t.Errorf("after a refusal the upstream was asked %d times more, want once", len(here))
	}
}

func following(servers []*server.Server) (n int64) {
	for _, s := range servers {
		n += s.Stats().Followers
	}
	return n
}
