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
