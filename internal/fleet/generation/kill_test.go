package generation_test

import (
	"cmp"
	"fmt"
	"slices"
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

// A victim is an answer whose server is killed, with those who read it on the
// other one.
type victim struct {
	path, body string
	// first is the name of its stream.
	first string
	// own is what the killed server's caller has, and plain what a follower of the
	// stream has on the other one.
	own, plain *answer
	readers    []*reader
	reading    sync.WaitGroup
}

// A reader of a victim.
type reader struct {
	who string
	// ended is when it has read to the end, and err why it could not.
	ended time.Time
	err   error
	// told says what it got, unless that is the answer so far and that it was
	// interrupted, as its transport or endpoint tells it.
	told func() error
}

// add lets a reader read to its end.
func (v *victim) add(who string, read, told func() error) {
	reader := &reader{who: who, told: told}
	v.readers = append(v.readers, reader)
	v.reading.Go(func() {
		reader.err = read()
		reader.ended = time.Now()
	})
}

// had is how many events there are when the server is killed.
const had = 9

// lease is for how long the servers here may be silent.
const lease = 4 * time.Second

func (r *rig) keyed(i int, v *victim, headers ...string) *answer {
	r.Helper()
	return r.post(i, v.path, v.body, append(headers, "Idempotency-Key", "k", "Authorization", "Bearer me")...)
}

// addCaller adds one who gets the answer as its endpoint tells it, after some events that
// its caller had before.
func (v *victim) addCaller(who string, a *answer, before ...string) {
	told := func() error {
		all := slices.Concat(before, a.blocks)
		if len(all) != had+1 || told(all[:had]...) != v.own.told() || !tellsInterrupted(v.path, a.last()) {
			return fmt.Errorf("got %s", told(all...))
		}
		return nil
	}
	if v.path == turns {
		told = func() error {
			if a.text() != v.plain.text() || !strings.HasSuffix(a.told(), goneChunks) {
				return fmt.Errorf("got %s", a.told())
			}
			return nil
		}
	}
	v.add(who, a.toEnd, told)
}

// goneChunks are what the AI SDK is told at the end of such an answer.
const goneChunks = `data: {"type":"error","errorText":"The server that made the answer went away. Ask again."}` + "\n\ndata: [DONE]\n\n"

// victim asks one server, and has the answer read on the other in all ways there
// are.
func (r *rig) victim(path, prompt string) *victim {
	r.Helper()
	v := &victim{path: path, body: question(path, prompt)}
	v.own = r.keyed(0, v)
	v.first = v.own.stream()
	v.plain = r.follow(1, v.first)
	if err := v.plain.upTo(1 + had); err != nil { // it begins with where it is
		r.Fatal(path, err)
	}
	v.add("SSE", v.plain.toEnd, func() error {
		if len(v.plain.blocks) != had+2 || !strings.HasPrefix(v.plain.last(), "event: stream-closed\ndata: {\"reason\":\"interrupted\"}\n") {
			return fmt.Errorf("got %s", v.plain.blocks)
		}
		return nil
	})
	socket := r.socket(1, v.first)
	v.add("WebSocket", socket.toEnd, func() error {
		if all := strings.Join(socket.messages, ""); strings.Count(all, `"offset"`) != had || !strings.Contains(socket.last(), `"reason":"interrupted"`) {
			return fmt.Errorf("got %s", all)
		}
		return nil
	})
	v.addCaller("attached", r.keyed(1, v))
	if path == turns {
		v.addCaller("after a reload", r.must("GET", r.urls[1]+turns+"/c/stream", "", "Authorization", "Bearer me"))
		return v
	}
	if err := v.own.upTo(had); err != nil {
		r.Fatal(path, err)
	}
	if path == responses {
		v.addCaller("by its id", r.must("GET", r.urls[1]+responses+"/"+v.own.responseID(r.T)+"?stream=true", "", "Authorization", "Bearer me"))
	}
	return v
}

// A server is killed in mid-answer. Those who read on the other one, and the
// killed one's callers who come there, are told that the answer was interrupted,
// within two leases, as their endpoint and transport tell errors; the same question
// with its key is then asked anew, and answered.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t, fleet.RedisOptions{})
	for range 2 {
		r.process("--generation-lease", lease.String())
	}
	var victims []*victim
	for _, path := range []string{chat, responses, messages, turns} {
		victims = append(victims, r.victim(path, "tokens=20 stall=9"))
	}
	killed := time.Now()
	if err := r.processes[0].Kill(); err != nil {
		t.Fatal(err)
	}
	r.counted(func(c origin.Counts) bool { return c.Left == len(victims) && c.Open == 0 })
	for _, v := range victims {
		if err := v.own.toEnd(); err == nil {
			t.Fatalf("%s: the answer of the killed server ends as whole with %s", v.path, v.own.last())
		}
		if v.path != turns {
			v.addCaller("back", r.keyed(1, v, "Last-Event-ID", v.own.lastID()), v.own.blocks...)
		}
		// Once the lease is over, who comes with the key is the next try.
		if late := r.keyed(1, v); late.stream() == v.first {
			v.addCaller("late", late)
		} else if closed := r.closure(v.first); late.stream() != next(v.first) || closed.At.Sub(killed) < 0 {
			t.Errorf("%s: who comes late gets %s, and the first was closed at %v", v.path, late.stream(), closed.At)
		}
	}
	last := killed
	for _, v := range victims {
		v.reading.Wait()
		for _, reader := range v.readers {
			if err := cmp.Or(reader.err, reader.told()); err != nil {
				t.Errorf("%s, %s: %v", v.path, reader.who, err)
			}
			if took := reader.ended.Sub(killed); took > 2*lease {
				t.Errorf("%s, %s: told after %v", v.path, reader.who, took)
			}
			if reader.ended.After(last) {
				last = reader.ended
			}
		}
	}
	t.Logf("told after %v", last.Sub(killed))
	r.origin.Resume()
	var answers []*answer
	for _, v := range victims {
		if closed := r.closure(v.first); closed.Reason != freshet.Interrupted {
			t.Errorf("%s: closed as %s", v.path, closed.Reason)
		}
		a := r.keyed(1, v)
		if err := a.toEnd(); err != nil || a.stream() != next(v.first) {
			t.Errorf("%s: asked again it is %s, want %s; %v", v.path, a.stream(), next(v.first), err)
		}
		if closed := r.closure(a.stream()); closed.Reason != freshet.Completed {
			t.Errorf("%s: asked again it is closed as %s", v.path, closed.Reason)
		}
		answers = append(answers, a)
		if v.path == turns {
			continue
		}
		// Whoever comes with an id of the first one is still told of its end.
		old := r.post(1, v.path, "", "Authorization", "Bearer me", "Last-Event-ID", v.own.lastID())
		if err := old.toEnd(); err != nil || !tellsInterrupted(v.path, old.told()) {
			t.Errorf("%s: by the id of the first try got %s, %v", v.path, old.told(), err)
		}
	}
	if n := r.origin.Counts().Requests; n != 2*len(victims) {
		t.Errorf("the upstream was asked %d times for %d answers", n, len(victims))
	}
	for i, v := range victims {
		if v.path == turns {
			direct := newBlocks(r.direct(chat, question(chat, "tokens=20 stall=9")))
			if got := answers[i].text(); got != direct.text() || !strings.Contains(answers[i].told(), `"type":"finish"`) {
				t.Errorf("%s: got %q, want %q", v.path, got, direct.text())
			}
		} else if want := r.direct(v.path, v.body); answers[i].told() != want {
			t.Errorf("%s: got %s, want %s", v.path, answers[i].told(), want)
		}
	}
}

// next returns the name of the try after the first one.
func next(first string) string { return strings.TrimSuffix(first, "-1") + "-2" }
