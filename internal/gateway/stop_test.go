package gateway_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// Closing the stream on another server stops the upstream, and all readers see
// that it was cancelled, each in its own terms.
func TestStopFromAnotherServer(t *testing.T) {
	for path := range prompts {
		r := newRig(t, 2)
		body := question(path, "stall=6")
		response := r.post(0, path, body, "Idempotency-Key", "k")
		name := streamOf(t, response)
		other := r.post(1, path, body, "Idempotency-Key", "k")
		await(t, func() bool { return r.origin.Counts().Open == 1 })
		stop := r.ask(t.Context(), "POST", r.urls[1]+"/v1/stream/"+name, "", "Content-Type", "text/event-stream",
			"Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
		if stop.StatusCode != http.StatusNoContent {
			t.Fatalf("stop: got %s %s", stop.Status, read(t, stop))
		}
		if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Left == 1 && c.Open == 0 }); err != nil {
			t.Error(err)
		}
		first, second := read(t, response), read(t, other)
		if first != second || !strings.Contains(first, "cancelled") {
			t.Errorf("%s: got %s and %s", path, first, second)
		}
		if closed := r.end(name); closed.Reason != freshet.Cancelled {
			t.Errorf("%s: closed as %s", path, closed.Reason)
		}
	}
}

// A stop that races the last token: one end, the same in the store and for callers
// and readers on both servers. Each comes a little sooner or later than the one
// before, so that it stays close.
func TestStopRacesTheEnd(t *testing.T) {
	r := newRig(t, 2)
	const times, step = 1000, 20 * time.Microsecond
	ends, delay := map[freshet.Reason]int{}, 500*time.Microsecond
	for n := range times {
		key := strconv.Itoa(n)
		body := question(chat, "tokens=3 pace=2000 n="+key)
		own := r.post(0, chat, body, "Idempotency-Key", key)
		name := streamOf(t, own)
		stopped := make(chan struct{})
		time.AfterFunc(delay, func() {
			defer close(stopped)
			// That the answer was complete before is not an error here.
			_, _ = r.servers[1].Append(t.Context(), name, freshet.Append{Close: &freshet.Closing{Reason: freshet.Cancelled}})
		})
		callers := []*http.Response{own, r.post(1, chat, body, "Idempotency-Key", key)}
		var readers []*http.Response
		for _, url := range r.urls {
			readers = append(readers, r.ask(t.Context(), "GET", url+"/v1/stream/"+name, "", "Accept", "text/event-stream"))
		}
		<-stopped
		reason := r.end(name).Reason
		if ends[reason]++; reason == freshet.Cancelled {
			delay += step
		} else {
			delay = max(0, delay-step)
		}
		whole := read(t, callers[0])
		for i := range r.urls {
			got := whole
			if i > 0 {
				got = read(t, callers[i])
			}
			if got != whole || strings.Contains(got, "[DONE]") != (reason == freshet.Completed) || strings.Contains(got, `"cancelled"`) != (reason == freshet.Cancelled) {
				t.Errorf("closed as %s; server %d tells its caller %s", reason, i, got)
			}
			got = read(t, readers[i])
			if !strings.Contains(got, `{"reason":"`+string(reason)+`"}`) || strings.Contains(got, "[DONE]") != (reason == freshet.Completed) {
				t.Errorf("closed as %s; server %d tells %s", reason, i, got)
			}
		}
	}
	t.Log(ends, delay)
	if ends[freshet.Cancelled]+ends[freshet.Completed] != times || ends[freshet.Cancelled] < times/10 || ends[freshet.Completed] < times/10 {
		t.Errorf("the ends are %v", ends)
	}
}

// A caller who leaves stops nothing: the answer is recorded whole.
func TestLeavingIsNotStopping(t *testing.T) {
	for path := range prompts {
		r := newRig(t, 1)
		response := r.post(0, path, question(path, "tokens=9 stall=5"))
		name := streamOf(t, response)
		_ = readEvents(t, response, 3)
		_ = response.Body.Close()
		await(t, func() bool { return r.servers[0].Stats().Followers == 1 }) // the owner
		r.origin.Resume()
		if closed := r.end(name); closed.Reason != freshet.Completed {
			t.Errorf("%s: closed as %s, %s", path, closed.Reason, closed.Detail)
		}
		if c := r.origin.Counts(); c.Left != 0 {
			t.Errorf("%s: the upstream saw %+v", path, c)
		}
	}
}

// A generation whose stream is deleted is stopped too.
func TestDeletingStops(t *testing.T) {
	r := newRig(t, 2)
	response := r.post(0, chat, question(chat, "stall=3"))
	if err := r.servers[1].Delete(t.Context(), streamOf(t, response)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Left == 1 }); err != nil {
		t.Error(err)
	}
}
