package gateway_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// A cut is a caller who was killed after some events of an answer that goes on,
// and comes back.
type cut struct {
	// path, body and name are of the question and of its answer's stream.
	path, body, name string
	// had is what the caller has read, and last the id of it.
	had, last string
}

// ways are those to come back, each with what the whole is that the caller has in
// the end.
var ways = map[string]struct {
	request func(r *rig, c *cut) (method, url, body string, headers []string)
	whole   func(c *cut, got string) string
}{
	"by the stream's URL": {
		func(r *rig, c *cut) (string, string, string, []string) {
			return "GET", r.urls[1] + "/v1/stream/" + c.name, "", []string{"Accept", "text/event-stream", "Last-Event-ID", c.last}
		},
		func(c *cut, got string) string {
			_, got, _ = strings.Cut(got, "\n\n") // retry and the position
			got, _, _ = strings.Cut(got, "event: stream-closed")
			return c.had + got
		},
	},
	"by the key": {
		func(r *rig, c *cut) (string, string, string, []string) {
			return "POST", r.urls[1] + c.path, c.body, []string{"Idempotency-Key", "k"}
		},
		func(_ *cut, got string) string { return got },
	},
	"by the last id": {
		func(r *rig, c *cut) (string, string, string, []string) {
			return "POST", r.urls[1] + c.path, c.body, []string{"Last-Event-ID", c.last}
		},
		func(c *cut, got string) string { return c.had + got },
	},
}

// A caller is killed after k events of an answer that goes on, for every k of 300
// tokens, and comes back to another server: in each of the ways in chats, in one
// after the other elsewhere. What it has then is what the upstream has sent, which
// was asked once.
func TestKilledAfterEveryEvent(t *testing.T) {
	for path := range prompts {
		t.Run(strings.TrimPrefix(path, "/v1/"), func(t *testing.T) {
			r := newRig(t, 2)
			events := len(events(r.direct(path, question(path, "tokens=300"))))
			// The last event waits until all have come back.
			body := question(path, fmt.Sprintf("tokens=300 pace=1000 stall=%d", events-1))
			asked := r.origin.Counts().Requests
			name := streamOf(t, r.post(0, path, body, "Idempotency-Key", "k"))
			var back, done sync.WaitGroup
			back.Add(events - 1)
			got := make([]map[string]string, events)
			for k := 1; k < events; k++ {
				done.Go(func() {
					var err error
					if got[k], err = r.killAndComeBack(&cut{path: path, body: body, name: name}, k, back.Done); err != nil {
						t.Errorf("killed after %d: %v", k, err)
					}
				})
			}
			back.Wait()
			if c := r.origin.Counts(); c.Open != 1 || c.Requests != asked+1 {
				t.Errorf("before the end the upstream saw %+v", c)
			}
			r.origin.Resume()
			done.Wait()
			want := r.direct(path, body)
			for k := 1; k < events; k++ {
				if len(got[k]) == 0 {
					t.Fatalf("killed after %d: did not come back", k)
				}
				for way, whole := range got[k] {
					if told(whole) != want {
						t.Fatalf("killed after %d, back %s: got\n%s\nwant\n%s", k, way, told(whole), want)
					}
				}
			}
			if c, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Open == 0 }); err != nil || c.Requests != asked+2 || c.Left != 0 {
				t.Errorf("the upstream saw %+v, %v", c, err)
			}
		})
	}
}

// killAndComeBack returns what a caller has in the end, by way. It calls back once
// the caller has come back by all of them.
func (r *rig) killAndComeBack(c *cut, k int, back func()) (whole map[string]string, err error) {
	defer func() {
		if back != nil {
			back()
		}
	}()
	first, err := r.try(r.Context(), "POST", r.urls[k%2]+c.path, c.body, "Idempotency-Key", "k")
	if err != nil {
		return nil, err
	}
	blocks := readEvents(r.T, first, k)
	_ = first.Body.Close()
	c.had, c.last = strings.Join(blocks, ""), idOf(r.T, blocks[k-1])
	answers := map[string]*http.Response{}
	for i, way := range slices.Sorted(maps.Keys(ways)) {
		if c.path != chat && i != k%len(ways) {
			continue
		}
		method, url, body, headers := ways[way].request(r, c)
		if answers[way], err = r.try(r.Context(), method, url, body, headers...); err != nil {
			return nil, err
		}
		defer answers[way].Body.Close()
	}
	back()
	back = nil
	whole = map[string]string{}
	for way, answer := range answers {
		got, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		whole[way] = ways[way].whole(c, string(got))
	}
	return whole, nil
}
