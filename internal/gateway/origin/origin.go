// Package origin is a provider of language models without one: it answers in
// the public formats of the providers, with text of its own. It is the upstream
// demo, for those who have no key, and the provider that tests call, who say in
// the prompt how they want to be answered.
//
// # Scripts
//
// The origin of [New] takes these words from the model's name and the prompt,
// separated by spaces or commas. An answer depends on nothing else.
//
//	tokens=N       N tokens of text; 20, or none if there are calls
//	reasoning=N    N tokens of reasoning before it
//	calls=N        N calls of the first tool on offer
//	refuse         the text is a refusal
//	pace=N         N tokens a second; without it, all at once
//	stall=K        after K events, silence until [Origin.Resume]
//	cut=K          after K events the connection is cut
//	end=K          after K events the body ends, as if that was all
//	error=K        event K, counted from 0, is an error and the last
//	status=N       refused with that status; 429 has a Retry-After
//	retry-after=N  of so many seconds; 1
package origin

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// bodyMost bounds the body of a request.
const bodyMost = 64 << 20

// An Origin answers calls to /v1/chat/completions, /v1/responses and
// /v1/messages. Its methods may be called concurrently.
type Origin struct {
	// name is that of the only model it lists.
	name string
	// key, unless it is empty, is asked of callers.
	key string
	// answer makes the answer to a request.
	answer func(request) (answer, script)

	mu      sync.Mutex
	counts  Counts
	changed chan struct{}
	resumed chan struct{}
	resume  sync.Once
}

// New returns an origin whose callers say how they want to be answered. Without
// the key, unless it is empty, they are refused.
func New(key string) *Origin {
	return newOrigin("origin", key, func(r request) (answer, script) {
		s := parseScript(r.words())
		return newAnswer(r, s), s
	})
}

func newOrigin(name, key string, answer func(request) (answer, script)) *Origin {
	return &Origin{name: name, key: key, answer: answer, changed: make(chan struct{}), resumed: make(chan struct{})}
}

// ServeHTTP answers a call.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := formats()[r.URL.Path]
	switch {
	case r.URL.Path == "/v1/models" && r.Method == http.MethodGet:
		o.models(w)
		return
	case !ok:
		refuse(w, chat{}, http.StatusNotFound, "Unknown request URL: "+r.Method+" "+r.URL.Path)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, f, http.StatusMethodNotAllowed, "Not allowed to "+r.Method)
		return
	}
	o.count(func(c *Counts) { c.Requests++; c.Open++ })
	defer o.count(func(c *Counts) {
		c.Open--
		if r.Context().Err() != nil {
			c.Left++
		}
	})
	if !o.knows(r) {
		refuse(w, f, http.StatusUnauthorized, "Incorrect API key provided.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMost))
	if err != nil {
		refuse(w, f, http.StatusBadRequest, err.Error())
		return
	}
	asked, err := readRequest(body)
	if err != nil {
		refuse(w, f, http.StatusBadRequest, err.Error())
		return
	}
	a, s := o.answer(asked)
	w.Header().Set(f.requestID(), "req_"+a.id)
	switch {
	case s.status != http.StatusOK:
		if s.status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", strconv.Itoa(s.retryAfter))
		}
		refuse(w, f, s.status, "The prompt asked for "+strconv.Itoa(s.status)+" "+http.StatusText(s.status)+".")
	case asked.Stream:
		// An error here says that the caller has left, which is counted.
		_ = o.play(r.Context(), w, f, a, s)
	default:
		writeJSON(w, http.StatusOK, f.whole(a))
	}
}

// knows reports whether the caller has the key.
func (o *Origin) knows(r *http.Request) bool {
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return o.key == "" || bearer == o.key || r.Header.Get("X-Api-Key") == o.key
}

func (o *Origin) models(w http.ResponseWriter) {
	model := object{"id": o.name, "object": "model", "created": scriptedAt, "owned_by": "freshet"}
	writeJSON(w, http.StatusOK, object{"object": "list", "data": []object{model}})
}

func refuse(w http.ResponseWriter, f format, status int, why string) {
	writeJSON(w, status, f.refused(status, why))
}

func writeJSON(w http.ResponseWriter, status int, o object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(o)) // a caller who has left is counted
}
