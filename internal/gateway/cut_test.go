package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// A cut is a caller who was killed after k events of an answer that goes on, and
// comes back to another server.
type cut struct {
	// path, body and name are of the question and of its answer's stream, and
	// response is the upstream's id of it, if it is a response.
	path, body, name, response string
	k                          int
	// url is of the server to which the caller comes back.
	url string
	// had is what the caller has read, and last the id of it.
	had, last string
	backs     []*back
}

// A back is a way to come back that was taken, with what is read of it.
type back struct {
	*reading
	way *way
}

// A way to come back.
type way struct {
	name string
	// only, unless it is "", is the one path that has it.
	only    string
	request func(c *cut) (method, url, body string, headers []string)
	// again is how many blocks come that the caller has had, or that are no events.
	again func(c *cut) int
	// whole is what the caller has in the end.
	whole func(c *cut, got string) string
}

// has reports whether an endpoint has the way.
func (w *way) has(path string) bool { return w.only == "" || w.only == path }

func none(*cut) int                      { return 0 }
func together(c *cut, got string) string { return c.had + got }

var ways = []way{
	{
		"by the stream's URL", "",
		func(c *cut) (string, string, string, []string) {
			return "GET", "/v1/stream/" + c.name, "", []string{"Accept", "text/event-stream", "Last-Event-ID", c.last}
		},
		func(*cut) int { return 1 }, // retry and the position
		func(c *cut, got string) string {
			_, got, _ = strings.Cut(got, "\n\n")
			got, _, _ = strings.Cut(got, "event: stream-closed")
			return c.had + got
		},
	},
	{
		"by the key", "",
		func(c *cut) (string, string, string, []string) {
			return "POST", c.path, c.body, []string{"Idempotency-Key", "k"}
		},
		func(c *cut) int { return c.k },
		func(_ *cut, got string) string { return got },
	},
	{
		"by the last id", "",
		func(c *cut) (string, string, string, []string) {
			return "POST", c.path, c.body, []string{"Last-Event-ID", c.last}
		}, none, together,
	},
	{
		"by the number of its last event", resp,
		func(c *cut) (string, string, string, []string) {
			return "GET", fmt.Sprintf("%s/%s?stream=true&starting_after=%d", resp, c.response, c.k-1), "", nil
		}, none, together,
	},
}

// lanes is how many callers are killed and come back at a time.
const lanes = 8

// A caller is killed after k events of an answer that goes on, for every k of 300
// tokens, and comes back to another server in every way that there is. What it has
// then is what the upstream has sent, which was asked once.
func TestKilledAfterEveryEvent(t *testing.T) {
	for path := range prompts {
		t.Run(strings.TrimPrefix(path, "/v1/"), func(t *testing.T) {
			// Whatever time the callers take, nobody is impatient.
			r := newRig(t, 2, func(o *server.Options) { o.UpstreamStall, o.Heartbeat = time.Hour, time.Hour })
			r.killAll(path)
		})
	}
}

// killAll lets callers share an answer, each of whom is killed after one event more
// than another.
func (r *rig) killAll(path string) {
	r.Helper()
	events := strings.Count(r.direct(path, question(path, "tokens=300")), "\n\n")
	// The last event waits until all have come back.
	body := question(path, fmt.Sprintf("tokens=300 pace=1000 stall=%d", events-1))
	asked := r.origin.Counts().Requests
	own := r.post(0, path, body, "Idempotency-Key", "k")
	all := cut{path: path, body: body, name: streamOf(r.T, own)}
	in := &reading{body: own.Body}
	first, err := in.upTo(1)
	if err != nil {
		r.Fatal(err)
	}
	if path == resp {
		all.response = responseID(r.T, first)
	}
	var cuts []*cut
	var back, done sync.WaitGroup
	lane := make(chan struct{}, lanes)
	for k := 1; k < events; k++ {
		c := all
		c.k, c.url = k, r.urls[1-k%2]
		cuts = append(cuts, &c)
		back.Add(1)
		lane <- struct{}{}
		done.Go(func() {
			err := r.killAndComeBack(&c, r.urls[k%2], events-1)
			<-lane
			back.Done()
			if err == nil {
				err = c.readOn()
			}
			if err != nil {
				r.Errorf("killed after %d: %v", k, err)
			}
		})
	}
	back.Wait()
	if c := r.origin.Counts(); c.Open != 1 || c.Requests != asked+1 {
		r.Errorf("before the end the upstream saw %+v", c)
	}
	r.origin.Resume()
	done.Wait()
	err = in.toEnd()
	whole, want := string(in.got), r.direct(path, body)
	if err != nil || told(whole) != want {
		r.Fatalf("who was not killed got %s, %v\nwant\n%s", told(whole), err, want)
	}
	came := 0
	for _, c := range cuts {
		for _, b := range c.backs {
			came++
			if got := b.way.whole(c, string(b.got)); got != whole && told(got) != want {
				r.Fatalf("killed after %d, back %s: got\n%s\nwant\n%s", c.k, b.way.name, told(got), want)
			}
		}
	}
	each := 0
	for i := range ways {
		if ways[i].has(path) {
			each++
		}
	}
	if came != each*(events-1) || each < 3 {
		r.Errorf("%d came back in %d ways after %d events", came, each, events-1)
	}
	if c, err := r.origin.Await(r.Context(), func(c origin.Counts) bool { return c.Open == 0 }); err != nil || c.Requests != asked+2 || c.Left != 0 {
		r.Errorf("the upstream saw %+v, %v", c, err)
	}
}

// killAndComeBack reads k events from a server, leaves, and comes back to the other
// one in all ways, each of which reads what there is so far.
func (r *rig) killAndComeBack(c *cut, url string, soFar int) error {
	first, err := r.try(r.Context(), "POST", url+c.path, c.body, "Idempotency-Key", "k")
	if err != nil {
		return err
	}
	in := &reading{body: first.Body}
	c.had, err = in.upTo(c.k)
	_ = first.Body.Close()
	if err != nil {
		return err
	}
	c.last = idOf(r.T, c.had[strings.LastIndex(c.had, "\nid: "):])
	for i := range ways {
		w := &ways[i]
		if !w.has(c.path) {
			continue
		}
		method, path, body, headers := w.request(c)
		answer, err := r.try(r.Context(), method, c.url+path, body, headers...)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		b := &back{&reading{body: answer.Body}, w}
		c.backs = append(c.backs, b)
		if _, err := b.upTo(w.again(c) + soFar - c.k); err != nil {
			return fmt.Errorf("%s: %s, %w", w.name, answer.Status, err)
		}
	}
	return nil
}

// readOn reads to the end of all ways.
func (c *cut) readOn() error {
	for _, b := range c.backs {
		if err := b.toEnd(); err != nil {
			return fmt.Errorf("%s: %w", b.way.name, err)
		}
	}
	return nil
}

// A reading is of the body of an answer, which has neither heartbeats nor comments.
// It costs little, since there are many.
type reading struct {
	body io.ReadCloser
	got  []byte
}

// upTo reads until it has n blocks, and returns those.
func (r *reading) upTo(n int) (string, error) {
	at, end := 0, []byte("\n\n")
	for blocks := 0; blocks < n; {
		if i := bytes.Index(r.got[at:], end); i >= 0 {
			at += i + len(end)
			blocks++
			continue
		}
		r.got = slices.Grow(r.got, 8<<10)
		m, err := r.body.Read(r.got[len(r.got):cap(r.got)])
		if r.got = r.got[:len(r.got)+m]; err != nil && m == 0 {
			return "", fmt.Errorf("read %d events: %w after %d: %q", n, err, blocks, r.got[at:])
		}
	}
	return string(r.got[:at]), nil
}

// toEnd reads all that is left.
func (r *reading) toEnd() error {
	defer r.body.Close()
	rest, err := io.ReadAll(r.body)
	r.got = append(r.got, rest...)
	return err
}
