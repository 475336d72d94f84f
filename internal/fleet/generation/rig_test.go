package generation_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/redisstore"
	"github.com/freshet-stream/freshet/server"
)

// patience is for how long a test goes on at most. Nothing is said by how soon it
// ends: some ask thousands of questions, on a machine that may have others' work.
const patience = 5 * time.Minute

const (
	chat      = "/v1/chat/completions"
	responses = "/v1/responses"
	messages  = "/v1/messages"
	// turns is where the AI SDK posts the turns of a conversation.
	turns = "/v1/chat"
)

// prompts are what each endpoint is asked with.
var prompts = map[string]string{
	chat:      `"messages":[{"role":"user","content":%q}]`,
	responses: `"input":%q`,
	messages:  `"max_tokens":9,"messages":[{"role":"user","content":%q}]`,
}

// question returns a body for an endpoint.
func question(path, prompt string) string {
	if path == turns {
		return fmt.Sprintf(`{"id":"c","model":"m","trigger":"submit-message","messages":[{"id":"u","role":"user","parts":[{"type":"text","text":%q}]}]}`, prompt)
	}
	return fmt.Sprintf(`{"model":"m","stream":true,`+prompts[path]+`}`, prompt)
}

// A rig is an origin, a Redis, the servers between them, and a look at the truth.
type rig struct {
	*testing.T
	ctx      context.Context
	origin   *origin.Origin
	upstream string
	redis    *fleet.Redis
	truth    *redisstore.Store
	http     *http.Client
	// processes and urls are of servers in the order in which they were added.
	processes []*fleet.Server
	urls      []string
}

func newRig(t *testing.T, o fleet.RedisOptions) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	r := &rig{T: t, ctx: ctx, origin: origin.New(""), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	redis, err := fleet.StartRedis(ctx, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.redis = redis
	up := httptest.NewServer(r.origin)
	r.upstream = up.URL
	t.Cleanup(func() {
		cancel()
		r.http.CloseIdleConnections()
		up.CloseClientConnections()
		up.Close()
		_ = redis.Close()
	})
	r.truth = r.open()
	return r
}

func (r *rig) open() *redisstore.Store {
	r.Helper()
	s, err := redisstore.Open(r.ctx, r.redis.URL(), redisstore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = s.Close() })
	return s
}

// process adds a server that is a process.
func (r *rig) process(args ...string) {
	r.Helper()
	s, err := fleet.StartServer(r.ctx, r.TempDir(), fleet.ServerOptions{
		Binary: binary, Store: r.redis.URL(), Args: append([]string{"--upstream", "origin=" + r.upstream + "/v1"}, args...),
	})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if log, err := s.Log(); r.Failed() && err == nil {
			r.Logf("%s says:\n%s", s.URL(), log)
		}
		_ = s.Close()
	})
	r.processes, r.urls = append(r.processes, s), append(r.urls, s.URL())
}

// serve adds a server that is in this process.
func (r *rig) serve(change ...func(*server.Options)) {
	r.Helper()
	opts := server.Options{
		Store: r.open(), Logger: slog.New(slog.DiscardHandler), Loopback: true,
		Upstreams: []server.Upstream{{Name: "origin", Base: r.upstream + "/v1"}},
	}
	for _, c := range change {
		c(&opts)
	}
	s, err := server.New(opts)
	if err != nil {
		r.Fatal(err)
	}
	site := httptest.NewUnstartedServer(s)
	site.Config = listen.NewServer(s, time.Minute, opts.Logger)
	// A client may dial more than it needs. On a busy machine it would send a request
	// there just when the server has given that connection up.
	site.Config.ReadHeaderTimeout = time.Hour
	site.Listener = listen.Problems(site.Listener)
	site.Start()
	r.Cleanup(func() {
		s.Close()
		site.CloseClientConnections()
		site.Close()
	})
	r.urls = append(r.urls, site.URL)
}

// ask sends a request. Headers come in pairs.
func (r *rig) ask(method, url, body string, headers ...string) (*answer, error) {
	request, err := http.NewRequestWithContext(r.ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := r.http.Do(request)
	if err != nil {
		return nil, err
	}
	r.Cleanup(func() { _ = response.Body.Close() })
	return newAnswer(response), nil
}

// must is ask, and stops the test if there is no answer.
func (r *rig) must(method, url, body string, headers ...string) *answer {
	r.Helper()
	a, err := r.ask(method, url, body, headers...)
	if err != nil {
		r.Fatal(err)
	}
	return a
}

// post asks a server.
func (r *rig) post(i int, path, body string, headers ...string) *answer {
	r.Helper()
	return r.must("POST", r.urls[i]+path, body, headers...)
}

// follow reads the stream of an answer on a server.
func (r *rig) follow(i int, name string) *answer {
	r.Helper()
	return r.must("GET", r.urls[i]+"/v1/stream/"+name, "", "Accept", "text/event-stream")
}

// direct returns what the origin answers by itself. It counts as asked.
func (r *rig) direct(path, body string) string {
	r.Helper()
	a := r.must("POST", r.upstream+path, body)
	if err := a.toEnd(); err != nil {
		r.Fatal(err)
	}
	return a.told()
}

// counted waits until the origin has counted what is wanted.
func (r *rig) counted(wanted func(origin.Counts) bool) {
	r.Helper()
	if _, err := r.origin.Await(r.ctx, wanted); err != nil {
		r.Fatal(err)
	}
}

// closure waits for the end of a stream, as the store has it.
func (r *rig) closure(name string) freshet.Closure {
	r.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		info, err := r.truth.Info(r.ctx, name)
		if err != nil {
			r.Fatal(err)
		}
		if info.Closed != nil {
			return *info.Closed
		}
		<-tick.C
	}
}
