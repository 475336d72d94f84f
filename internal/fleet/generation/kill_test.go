package generation_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// interrupted is what each endpoint says of an answer whose server went away.
var interrupted = map[string]string{
	chat: `data: {"error":{"message":`, responses: "event: response.failed\n", messages: "event: error\ndata: {\"type\":\"error\"",
}

// tellsInterrupted reports whether a block is the event for it.
func tellsInterrupted(path, block string) bool {
	code := `"code":"interrupted"`
	if path == messages {
		code = `"type":"interrupted"`
	}
	return strings.HasPrefix(block, interrupted[path]) && strings.Contains(block, code)
}

// A server is killed in mid-answer. Those who read on the other one, and the
// killed one's callers who come there, are told that the answer was interrupted,
// within two leases, as their endpoint tells errors; the same question with its
// key is then asked anew, and answered.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t, fleet.RedisOptions{})
	const lease = 4 * time.Second
	for range 2 {
		r.process("--generation-lease", lease.String())
	}
	const had = 9
	type asked struct {
		path, body          string
		own, attached, bare *answer
	}
	var cases []*asked
	for path := range prompts {
		c := &asked{path: path, body: question(path, "tokens=20 stall=9")}
		c.own = r.post(0, path, c.body, "Idempotency-Key", "k", "Authorization", "Bearer me")
		c.attached = r.post(1, path, c.body, "Idempotency-Key", "k", "Authorization", "Bearer me")
		c.bare = r.follow(1, c.own.stream())
		for _, a := range []*answer{c.own, c.attached} {
			if err := a.upTo(had); err != nil {
				t.Fatal(path, err)
			}
		}
		cases = append(cases, c)
	}
	killed := time.Now()
	if err := r.processes[0].Kill(); err != nil {
		t.Fatal(err)
	}
	r.counted(func(c origin.Counts) bool { return c.Left == len(cases) && c.Open == 0 })
	var readers sync.WaitGroup
	for _, c := range cases {
		if err := c.own.next(); err == nil {
			t.Fatalf("%s: the killed server goes on with %s", c.path, c.own.last())
		}
		back := r.post(1, c.path, c.body, "Idempotency-Key", "k", "Authorization", "Bearer me", "Last-Event-ID", c.own.lastID())
		late := r.post(1, c.path, c.body, "Idempotency-Key", "k", "Authorization", "Bearer me")
		for _, a := range []*answer{c.attached, back, late} {
			readers.Go(func() {
				if err := a.toEnd(); err != nil {
					t.Error(c.path, err)
				}
				if took := time.Since(killed); took > 2*lease {
					t.Errorf("%s: told after %v", c.path, took)
				}
				if !tellsInterrupted(c.path, a.last()) {
					t.Errorf("%s: the end is %s", c.path, a.last())
				}
				all := a.blocks
				if a == back {
					all = append(c.own.blocks[:had:had], back.blocks...)
				}
				if len(all) != had+1 || told(all[:had]...) != c.own.told() {
					t.Errorf("%s: got %s", c.path, told(all...))
				}
			})
		}
		readers.Go(func() {
			if err := c.bare.toEnd(); err != nil || !strings.Contains(c.bare.last(), `{"reason":"interrupted"}`) {
				t.Errorf("%s: the stream ends with %s, %v", c.path, c.bare.last(), err)
			}
		})
	}
	readers.Wait()
	t.Logf("told after %v", time.Since(killed))
	before := r.origin.Counts().Requests
	r.origin.Resume()
	for _, c := range cases {
		if closed := r.closure(c.own.stream()); closed.Reason != freshet.Interrupted {
			t.Errorf("%s: closed as %s", c.path, closed.Reason)
		}
		again := r.post(1, c.path, c.body, "Idempotency-Key", "k", "Authorization", "Bearer me")
		if err := again.toEnd(); err != nil {
			t.Error(c.path, err)
		}
		if want := strings.TrimSuffix(c.own.stream(), "-1") + "-2"; again.stream() != want {
			t.Errorf("%s: asked again it is %s, want %s", c.path, again.stream(), want)
		}
		// Whoever comes with an id of the first one is still told of its end.
		old := r.post(1, c.path, "", "Authorization", "Bearer me", "Last-Event-ID", c.own.lastID())
		if err := old.toEnd(); err != nil || !tellsInterrupted(c.path, told(old.blocks...)) {
			t.Errorf("%s: by the id of the first try got %s, %v", c.path, old.told(), err)
		}
	}
	if n := r.origin.Counts().Requests - before; n != len(cases) {
		t.Errorf("the upstream was asked %d times again", n)
	}
	for _, c := range cases {
		again := r.post(1, c.path, c.body, "Idempotency-Key", "k", "Authorization", "Bearer me")
		if err := again.toEnd(); err != nil || again.told() != r.direct(c.path, c.body) {
			t.Errorf("%s: got %s, %v", c.path, again.told(), err)
		}
	}
}
