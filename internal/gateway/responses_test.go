package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
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

// What is not recorded here is the upstream's to answer.
func TestResponseElsewhere(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Method, r.URL.RequestURI())
	})
	r := newRigBefore(t, 1, upstream)
	for _, path := range []string{"GET /v1/responses/resp_1?include=x", "POST /v1/responses/resp_1/cancel", "DELETE /v1/responses/resp_1"} {
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
