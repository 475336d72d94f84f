package apidoc_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// startUpstreams returns upstreams that do as prompts say, that break off, and that
// never begin.
func startUpstreams(t *testing.T) []server.Upstream {
	t.Helper()
	o := origin.New("")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/broken"):
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(path, "/late") && path != "/late/models":
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		case path != "/v1/chat/completions" && path != "/v1/responses" && path != "/v1/messages":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"data":[{"id":"m"}]}`)
		default:
			o.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return []server.Upstream{
		{Name: "origin", Base: s.URL + "/v1"},
		{Name: "broken", Base: s.URL + "/broken"},
		{Name: "late", Base: s.URL + "/late", HeadTimeout: 20 * time.Millisecond},
	}
}

// keyed returns the id of the first answer under a key of a caller who does not say
// who it is.
func keyed(path, key string) string {
	digest := func(parts ...string) string {
		h := sha256.New()
		for _, p := range parts {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
			h.Write([]byte(p))
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	return digest(digest("", "", ""), strings.TrimPrefix(path, "/v1"), key)[:32] + "-1"
}

const (
	// asked is what each endpoint understands, besides the model and stream.
	asked = `"max_tokens":9,"input":"PROMPT","messages":[{"role":"user","content":"PROMPT"}]}`
	other = "Authorization: Bearer other"
)

// responseID returns the id of the response that an origin makes, which depends on
// the question only.
func responseID(body string) string {
	w := httptest.NewRecorder()
	origin.New("").ServeHTTP(w, httptest.NewRequest("POST", "/v1/responses", strings.NewReader(body)))
	var response struct{ ID string }
	_ = json.Unmarshal(w.Body.Bytes(), &response)
	return response.ID
}

// llmRequests are sent to the server whose upstreams are [startUpstreams].
func llmRequests() []request {
	streamed := `{"model":"m","stream":true,` + asked
	var all []request
	for _, path := range []string{"/v1/chat/completions", "/v1/responses", "/v1/messages"} {
		const key = "Idempotency-Key: k"
		for _, r := range []request{
			{name: "ask for a stream", headers: []string{asJSON, key}, body: streamed, status: 200},
			{name: "ask again", headers: []string{asJSON, key}, body: streamed, status: 200},
			{name: "ask for something else", headers: []string{asJSON, key}, body: `{"stream":true}`, status: 422, code: "key_reused"},
			{name: "ask for a stream nobody has to read", headers: []string{asJSON, "Freshet-On-Disconnect: cancel"}, body: streamed, status: 200},
			{name: "ask for all at once", headers: []string{asJSON}, body: strings.Replace(streamed, "true", "false", 1), status: 200},
			{name: "ask to be refused", headers: []string{asJSON}, body: strings.ReplaceAll(streamed, "PROMPT", "status=429"), status: 429},
			{name: "too long a key", headers: []string{"Idempotency-Key: " + strings.Repeat("k", 257)}, body: streamed, status: 400, code: "bad_header"},
			{name: "a bad id", headers: []string{"Last-Event-ID: x"}, status: 400, code: "bad_offset"},
			{name: "a body that breaks off", headers: []string{asJSON}, body: "{", cut: true, status: 400, code: "bad_body"},
			{name: "another's id", headers: []string{other, "Last-Event-ID: " + keyed(path, "k") + "." + ahead}, status: 404, code: "not_found"},
			{name: "an id that never was", headers: []string{"Last-Event-ID: " + keyed(path, "k") + "." + ahead}, status: 410, code: "gap"},
			{name: "ask what breaks", body: strings.Replace(streamed, `"m"`, `"broken/m"`, 1), status: 502},
			{name: "ask what breaks at once", body: `{"model":"broken/m"}`, status: 502, code: "bad_upstream"},
			{name: "ask what is late", body: strings.Replace(streamed, `"m"`, `"late/m"`, 1), status: 504},
			{name: "ask what is late at once", body: `{"model":"late/m"}`, status: 504, code: "upstream_timeout"},
			{name: "across origins", headers: []string{foreignOrigin}, status: 403},
			{name: "another method", method: "GET", status: 405},
		} {
			r.path = path
			if r.method == "" {
				r.method = "POST"
			}
			all = append(all, r)
		}
	}
	for _, path := range []string{"/v1/messages/count_tokens", "/v1/responses/input_tokens", "/v1/responses/compact", "/v1/embeddings", "/v1/moderations"} {
		all = append(all,
			request{name: "pass on", method: "POST", path: path, headers: []string{asJSON}, body: `{"model":"m"}`, status: 200},
			request{name: "pass on to what breaks", method: "POST", path: path, body: `{"model":"broken/m"}`, status: 502, code: "bad_upstream"},
			request{name: "another method", method: "GET", path: path, status: 405},
		)
	}
	all = append(all, responseRequests()...)
	all = append(all, chatRequests()...)
	for i := range all {
		all[i].server = "asking"
	}
	return all
}

func responseRequests() []request {
	response := "/v1/responses/" + responseID(`{"model":"m",`+asked)
	return []request{
		{name: "a response", method: "GET", path: response, status: 200},
		{name: "its events", method: "GET", path: response + "?stream=true&starting_after=1", status: 200},
		{name: "after nonsense", method: "GET", path: response + "?stream=true&starting_after=x", status: 400, code: "bad_query"},
		{name: "another's response", method: "GET", path: response, headers: []string{other}, status: 404, code: "not_found"},
		{name: "stop another's", method: "POST", path: response + "/cancel", headers: []string{other}, status: 404, code: "not_found"},
		{name: "stop it", method: "POST", path: response + "/cancel", status: 200},
		{name: "put a response", method: "PUT", path: response, status: 405},
		{name: "models", method: "GET", path: "/v1/models", status: 200},
		{name: "a model", method: "GET", path: "/v1/models/m", status: 200},
		{name: "a model of what breaks", method: "GET", path: "/v1/models/broken%2Fm", status: 502, code: "bad_upstream"},
		{name: "a model of what is late", method: "GET", path: "/v1/models/late%2Fm", status: 504, code: "upstream_timeout"},
		{name: "change a model", method: "DELETE", path: "/v1/models/m", status: 405},
		{name: "add a model", method: "POST", path: "/v1/models", status: 405},
	}
}

func chatRequests() []request {
	turn := func(chat, prompt string) string {
		return `{"id":"` + chat + `","model":"m","messages":[{"id":"1","role":"user","parts":[{"type":"text","text":"` + prompt + `"}]}]}`
	}
	const key = "Idempotency-Key: k"
	return []request{
		{name: "chat", method: "POST", path: "/v1/chat", headers: []string{asJSON, key, "Freshet-On-Disconnect: continue"}, body: turn("c", "stall=3"), status: 200},
		{name: "chat under the same key", method: "POST", path: "/v1/chat", headers: []string{asJSON, key}, body: turn("c", "another"), status: 422, code: "key_reused"},
		{name: "chat of nothing", method: "POST", path: "/v1/chat", headers: []string{asJSON}, body: "{}", status: 400, code: "bad_chat"},
		{name: "chat with a bad header", method: "POST", path: "/v1/chat", headers: []string{asJSON, "Freshet-On-Disconnect: x"}, body: turn("c", "x"), status: 400, code: "bad_header"},
		{name: "chat across origins", method: "POST", path: "/v1/chat", headers: []string{foreignOrigin}, status: 403},
		{name: "chat that is refused", method: "POST", path: "/v1/chat", headers: []string{asJSON}, body: turn("refused", "status=429"), status: 429},
		{name: "no chat", method: "GET", path: "/v1/chat", status: 405},
		{name: "take up", method: "GET", path: "/v1/chat/c/stream", status: 200},
		{name: "take up another's", method: "GET", path: "/v1/chat/c/stream", headers: []string{other}, status: 404, code: "not_found"},
		{name: "take up by POST", method: "POST", path: "/v1/chat/c/stream", status: 405},
		{name: "stop another's", method: "POST", path: "/v1/chat/c/stop", headers: []string{other}, status: 404, code: "not_found"},
		{name: "stop", method: "POST", path: "/v1/chat/c/stop", headers: []string{asJSON}, body: `{}`, status: 204},
		{name: "stop by GET", method: "GET", path: "/v1/chat/c/stop", status: 405},
		{name: "take up nothing", method: "GET", path: "/v1/chat/c/stream", status: 204},
	}
}

// template returns the path of the document for a path below one with parameters.
func template(path string) string {
	parts := strings.Split(path, "/")
	switch {
	case strings.HasPrefix(path, "/v1/models/"):
		return "/v1/models/{model}"
	case strings.HasPrefix(path, "/v1/responses/resp_"), strings.HasPrefix(path, "/v1/chat/c/"):
		parts[3] = "{id}"
	}
	return strings.Join(parts, "/")
}
