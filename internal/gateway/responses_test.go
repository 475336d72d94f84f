package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

const resp = "/v1/responses"

// responseID returns the upstream's id of a response.
func responseID(t *testing.T, created string) string {
	t.Helper()
	_, data, _ := strings.Cut(created, "data: ")
	data, _, _ = strings.Cut(data, "\n")
	var e struct{ Response struct{ ID string } }
	if err := json.Unmarshal([]byte(data), &e); err != nil || e.Response.ID == "" {
		t.Fatalf("no id in %s: %v", created, err)
	}
	return e.Response.ID
}

// A response is found by the upstream's id, on any server, from any event on, and
// as a whole; by its principal only.
func TestResponseByID(t *testing.T) {
	r := newRig(t, 2)
	body := question(resp, "tokens=12")
	whole := read(t, r.post(0, resp, body, "Authorization", "Bearer me"))
	blocks := events(whole)
	url := r.urls[1] + resp + "/" + responseID(t, blocks[0])
	for k := -1; k < len(blocks); k++ {
		query := "?stream=true"
		if k >= 0 {
			query += fmt.Sprintf("&starting_after=%d", k)
		}
		got := read(t, r.ask(t.Context(), "GET", url+query, "", "Authorization", "Bearer me"))
		if got != strings.Join(blocks[k+1:], "") {
			t.Errorf("%s: got %s", query, got)
		}
	}
	state := read(t, r.ask(t.Context(), "GET", url, "", "Authorization", "Bearer me"))
	var got struct{ Status, ID string }
	if err := json.Unmarshal([]byte(state), &got); err != nil || got.Status != "completed" || !strings.Contains(whole, state) {
		t.Errorf("got %s, %v", state, err)
	}
	if other := r.ask(t.Context(), "GET", url+"?stream=true", "", "Authorization", "Bearer you"); other.StatusCode != http.StatusNotFound {
		t.Errorf("another principal gets %s", other.Status)
	}
	if bad := r.ask(t.Context(), "GET", url+"?stream=true&starting_after=x", "", "Authorization", "Bearer me"); bad.StatusCode != http.StatusBadRequest {
		t.Errorf("starting_after=x: got %s", bad.Status)
	}
}

// The id of a response is good as soon as anybody can have learnt it, and
// cancelling by it, on any server and again, stops the upstream.
func TestCancelResponse(t *testing.T) {
	r := newRig(t, 2)
	response := r.post(0, resp, question(resp, "stall=4"))
	created := readEvents(t, response, 1)[0]
	url := r.urls[1] + resp + "/" + responseID(t, created) + "/cancel"
	var states []string
	for range 2 {
		cancel := r.ask(t.Context(), "POST", url, "")
		state := read(t, cancel)
		var got struct{ Status, ID string }
		if err := json.Unmarshal([]byte(state), &got); err != nil || cancel.StatusCode != http.StatusOK || got.Status != "cancelled" {
			t.Errorf("got %s %s", cancel.Status, state)
		}
		states = append(states, state)
	}
	if states[0] != states[1] {
		t.Errorf("got %s, then %s", states[0], states[1])
	}
	if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Left == 1 }); err != nil {
		t.Error(err)
	}
	if closed := r.end(streamOf(t, response)); closed.Reason != freshet.Cancelled {
		t.Errorf("closed as %s", closed.Reason)
	}
}

// The id of a response is found whatever the upstream makes ids of, as SDKs write
// them in a path.
func TestResponseIDs(t *testing.T) {
	for _, id := range []string{"resp_" + strings.Repeat("bGl0ZQ", 60) + "==", "a.b:c@d~e+f", "1"} {
		r := newRigBefore(t, 1, says(fmt.Sprintf("data: {\"type\":\"response.completed\",\"response\":{\"id\":%q}}\n\n", id)))
		name := streamOf(t, r.post(0, resp, `{"stream":true}`))
		r.end(name)
		for _, path := range []string{id, url.QueryEscape(id)} {
			if got := r.ask(t.Context(), "GET", r.urls[0]+resp+"/"+path, ""); got.StatusCode != 200 || got.Header.Get("Freshet-Stream") != name {
				t.Errorf("%s: got %s %v", path, got.Status, got.Header)
			}
		}
	}
}

// What is not recorded here is the upstream's to answer.
func TestResponseElsewhere(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Method, r.URL.RequestURI())
	})
	r := newRigBefore(t, 1, upstream)
	for _, path := range []string{"GET /v1/responses/resp_1?include=x", "GET /v1/responses/" + strings.Repeat("a", 400) + "%3D=", "POST /v1/responses/resp_1/cancel", "DELETE /v1/responses/resp_1"} {
		method, path, _ := strings.Cut(path, " ")
		if got := read(t, r.ask(t.Context(), method, r.urls[0]+path, "")); got != method+" "+path {
			t.Errorf("got %s", got)
		}
	}
	if got := r.ask(t.Context(), "GET", r.urls[0]+"/v1/responses/a%2Fb", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("got %s", got.Status)
	}
}

// An upstream that answers TRACE with the request as it came (RFC 9110, section
// 9.3.8), and with it the key, is not asked to.
func TestTraceIsNotPassedOn(t *testing.T) {
	r := newRigBefore(t, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = r.Write(w) }))
	for _, method := range []string{"TRACE", "PUT", "PATCH", "HEAD", "MADE-UP"} {
		got := r.ask(t.Context(), method, r.urls[0]+"/v1/responses/resp_1", "")
		if body := read(t, got); got.StatusCode != http.StatusMethodNotAllowed || strings.Contains(body, secret) {
			t.Errorf("%s: got %s %s", method, got.Status, body)
		}
	}
}

// What there is below a response, and its deletion, are asked of the upstream that
// has made it.
func TestBelowResponse(t *testing.T) {
	second := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" {
			fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"type":"response.completed","response":{"id":"resp_1"}}`+"\n\n")
	}))
	defer second.Close()
	r := newRigBefore(t, 1, http.NotFoundHandler(), func(o *server.Options) {
		o.Upstreams = append(o.Upstreams, server.Upstream{Name: "second", Base: second.URL + "/v1"})
	})
	read(t, r.post(0, resp, `{"model":"second/m","stream":true}`))
	for _, request := range []string{"GET /v1/responses/resp_1/input_items", "DELETE /v1/responses/resp_1"} {
		method, path, _ := strings.Cut(request, " ")
		if got := read(t, r.ask(t.Context(), method, r.urls[0]+path, "")); got != request {
			t.Errorf("%s: got %s", request, got)
		}
	}
}

// An upstream that gives an id twice does not make the later answer one that nobody
// finds: once the first has ended it has the id.
func TestResponseIDTwice(t *testing.T) {
	let := make(chan struct{})
	r := newRigBefore(t, 2, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"type":"response.created","response":{"id":"resp_1"}}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-let:
		case <-r.Context().Done():
		}
	}))
	url := r.urls[1] + resp + "/resp_1"
	ask := func(who string) (name, created string) {
		response := r.post(0, resp, `{"stream":true}`, "Authorization", who)
		return streamOf(t, response), readEvents(t, response, 1)[0]
	}
	first, _ := ask("me")
	second, _ := ask("me")
	cancel := func(name string) {
		t.Helper()
		got := r.ask(t.Context(), "POST", url+"/cancel", "", "Authorization", "me")
		if got.Header.Get("Freshet-Stream") != name {
			t.Errorf("cancelled %s instead of %s", got.Header.Get("Freshet-Stream"), name)
		}
		if closed := r.end(name); closed.Reason != freshet.Cancelled {
			t.Errorf("%s is closed as %s", name, closed.Reason)
		}
	}
	cancel(first)
	third, _ := ask("me")
	cancel(third)
	fourth, created := ask("you")
	got := r.ask(t.Context(), "GET", url+"?stream=true", "", "Authorization", "you")
	if streamOf(t, got) != fourth || readEvents(t, got, 1)[0] != created {
		t.Errorf("got %s instead of %s", streamOf(t, got), fourth)
	}
	close(let)
	r.end(second)
}
