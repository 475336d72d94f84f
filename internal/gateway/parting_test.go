package gateway_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/server"
)

// An upstream that has told the end of its answer is left soon, however much it
// goes on to say: signs of life are then none of an answer.
func TestEndsThatGoOn(t *testing.T) {
	for path, c := range map[string]struct {
		last   string
		reason freshet.Reason
	}{
		"/v1/messages": {"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", freshet.Failed},
		chat:           {"data: [DONE]\n\n", freshet.Completed},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			t.Parallel()
			left := make(chan struct{})
			upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(left)
				w.Header().Set("Content-Type", "text/event-stream")
				tick := time.NewTicker(50 * time.Millisecond)
				defer tick.Stop()
				for say := c.last; ; say = ":\n\n" {
					_, _ = io.WriteString(w, say)
					_ = http.NewResponseController(w).Flush()
					select {
					case <-tick.C:
					case <-r.Context().Done():
						return
					}
				}
			})
			r := newRigBefore(t, 1, upstream, func(o *server.Options) { o.UpstreamStall = time.Hour })
			response := r.post(0, path, question(path, "x"))
			if got := told(read(t, response)); got != c.last {
				t.Errorf("got %q", got)
			}
			if closed := r.end(streamOf(t, response)); closed.Reason != c.reason || len(closed.Detail) > 0 {
				t.Errorf("closed as %s, %s", closed.Reason, closed.Detail)
			}
			<-left
		})
	}
}

// An answer that has failed has failed, although its upstream then says that it is
// done, as some do: under its key it is asked for anew.
func TestFailedAndDone(t *testing.T) {
	const failed = "data: {\"choices\":[]}\n\ndata: {\"error\":{\"message\":\"out of memory\"}}\n\ndata: [DONE]\n\n"
	r := newRigBefore(t, 1, says(failed))
	var names []string
	for range 2 {
		response := r.post(0, chat, question(chat, "x"), "Idempotency-Key", "k")
		if got := told(read(t, response)); got != failed {
			t.Errorf("got %q", got)
		}
		name := streamOf(t, response)
		if closed := r.end(name); closed.Reason != freshet.Failed {
			t.Errorf("closed as %s", closed.Reason)
		}
		names = append(names, name)
	}
	if names[0] == names[1] {
		t.Errorf("%s was replayed", names[0])
	}
}
