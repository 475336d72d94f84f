package generation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// stops are the ways to stop an answer on another server.
var stops = map[string]func(r *rig, a *answer) error{
	"HTTP": func(r *rig, a *answer) error {
		stop, err := r.ask("POST", r.urls[1]+"/v1/stream/"+a.stream(), "", "Content-Type", "text/event-stream",
			"Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
		if err == nil && stop.StatusCode/100 != 2 {
			err = fmt.Errorf("got %s", stop.Status)
		}
		return err
	},
	"WebSocket": func(r *rig, a *answer) error {
		c, _, err := websocket.Dial(r.ctx, r.urls[1]+"/v1/stream/"+a.stream(), &websocket.DialOptions{Subprotocols: []string{"freshet.v1.json"}})
		if err != nil {
			return err
		}
		defer c.CloseNow()
		if err := c.Write(r.ctx, websocket.MessageText, []byte(`{"op":"close","id":1,"reason":"cancelled"}`)); err != nil {
			return err
		}
		_, said, err := c.Read(r.ctx)
		if err == nil && !strings.Contains(string(said), `"ack"`) {
			err = fmt.Errorf("got %s", said)
		}
		return err
	},
	"cancel": func(r *rig, a *answer) error {
		stop, err := r.ask("POST", r.urls[1]+responses+"/"+a.responseID(r.T)+"/cancel", "")
		if err == nil && stop.StatusCode/100 != 2 {
			err = fmt.Errorf("got %s", stop.Status)
		}
		return err
	},
}

// A stop on one server, by whatever way, reaches the upstream of the other within
// a second, and all readers on both are told that the answer was cancelled.
func TestStopOnTheOtherServer(t *testing.T) {
	t.Parallel()
	r := newRig(t, fleet.RedisOptions{})
	for range 2 {
		r.process()
	}
	const had = 5
	for how, stop := range stops {
		for path := range prompts {
			if how == "cancel" && path != responses {
				continue
			}
			before := r.origin.Counts()
			body := question(path, "tokens=20 stall=5 "+how)
			var callers []*answer
			for i := range r.urls {
				a := r.post(i, path, body, "Idempotency-Key", how)
				if err := a.upTo(had); err != nil {
					t.Fatal(how, path, err)
				}
				callers = append(callers, a)
			}
			name := callers[0].stream()
			plain := []*answer{r.follow(0, name), r.follow(1, name)}
			began := time.Now()
			if err := stop(r, callers[1]); err != nil {
				t.Fatal(how, path, err)
			}
			r.counted(func(c origin.Counts) bool { return c.Left == before.Left+1 && c.Open == 0 })
			if took := time.Since(began); took > time.Second {
				t.Errorf("%s, %s: the upstream was left after %v", how, path, took)
			}
			for _, a := range append(callers, plain...) {
				if err := a.toEnd(); err != nil || !strings.Contains(a.last(), "cancelled") {
					t.Errorf("%s, %s: the end is %s, %v", how, path, a.last(), err)
				}
			}
			if callers[0].told() != callers[1].told() {
				t.Errorf("%s, %s: got %s and %s", how, path, callers[0].told(), callers[1].told())
			}
			if closed := r.closure(name); closed.Reason != freshet.Cancelled {
				t.Errorf("%s, %s: closed as %s", how, path, closed.Reason)
			}
		}
	}
}

// A stop that races the last token has one end, in the store and for all readers
// on both servers. Each stop comes a little sooner or later than the one before,
// so that it stays close.
func TestStopRacesTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, fleet.RedisOptions{})
	for range 2 {
		r.serve()
	}
	const times, step = 200, 100 * time.Microsecond
	ends, delay := map[freshet.Reason]int{}, time.Millisecond
	for n := range times {
		body, key := question(chat, fmt.Sprint("tokens=4 pace=1000 n=", n)), fmt.Sprint(n)
		own := r.post(0, chat, body, "Idempotency-Key", key)
		name := own.stream()
		stopped := make(chan error, 1)
		time.AfterFunc(delay, func() {
			_, err := r.ask("POST", r.urls[1]+"/v1/stream/"+name, "", "Content-Type", "text/event-stream",
				"Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
			stopped <- err
		})
		callers := []*answer{own, r.post(1, chat, body, "Idempotency-Key", key)}
		readers := []*answer{r.follow(0, name), r.follow(1, name)}
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		reason := r.closure(name).Reason
		if ends[reason]++; reason == freshet.Cancelled {
			delay += step
		} else {
			delay = max(0, delay-step)
		}
		for i, a := range callers {
			if err := a.toEnd(); err != nil || a.told() != callers[0].told() ||
				strings.Contains(a.last(), "[DONE]") != (reason == freshet.Completed) || strings.Contains(a.last(), `"cancelled"`) != (reason == freshet.Cancelled) {
				t.Errorf("closed as %s; server %d tells its caller %s, %v", reason, i, a.told(), err)
			}
		}
		for i, a := range readers {
			if err := a.toEnd(); err != nil || !strings.Contains(a.last(), `{"reason":"`+string(reason)+`"}`) ||
				!strings.HasPrefix(callers[0].told(), told(a.blocks[1:len(a.blocks)-1]...)) {
				t.Errorf("closed as %s; server %d tells its reader %s, %v", reason, i, a.told(), err)
			}
		}
	}
	t.Log(ends, delay)
	if ends[freshet.Cancelled]+ends[freshet.Completed] != times || ends[freshet.Cancelled] < times/10 || ends[freshet.Completed] < times/10 {
		t.Errorf("the ends are %v", ends)
	}
	r.counted(func(c origin.Counts) bool { return c.Open == 0 })
	if c := r.origin.Counts(); c.Requests != times {
		t.Errorf("the origin saw %+v", c)
	}
}
