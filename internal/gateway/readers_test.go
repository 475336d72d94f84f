package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

func brief(o *server.Options) { o.DisconnectGrace = 750 * time.Millisecond }

// A caller who asked for it stops the answer by leaving, if nobody else reads.
func TestCancelOnDisconnect(t *testing.T) {
	r := newRig(t, 1, brief)
	response := r.post(0, chat, question(chat, "stall=4"), "Freshet-On-Disconnect", "cancel")
	name := streamOf(t, response)
	_ = response.Body.Close()
	if _, err := r.origin.Await(t.Context(), func(c origin.Counts) bool { return c.Left == 1 }); err != nil {
		t.Fatal(err)
	}
	if closed := r.end(name); closed.Reason != freshet.Cancelled || !strings.Contains(string(closed.Detail), "nobody read") {
		t.Errorf("closed as %s, %s", closed.Reason, closed.Detail)
	}
}

// A reader on another server, over whatever transport, keeps it going: it is said
// there that somebody reads, for much longer than the grace.
func TestReaderElsewhereKeepsItGoing(t *testing.T) {
	r := newRig(t, 2, brief)
	response := r.post(0, chat, question(chat, "stall=4"), "Freshet-On-Disconnect", "cancel")
	name := streamOf(t, response)
	reader := r.ask(t.Context(), "GET", r.urls[1]+"/v1/stream/"+name, "", "Accept", "text/event-stream")
	_ = response.Body.Close()
	await(t, func() bool { return r.servers[0].Stats().Followers == 1 }) // the owner, who is no reader
	const times = 8
	n, said := 0, time.Time{}
	await(t, func() bool {
		info, err := r.store.Info(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Closed != nil {
			t.Fatalf("closed as %s, %s after readers were told of %d times", info.Closed.Reason, info.Closed.Detail, n)
		}
		if !info.Watched.Equal(said) {
			said = info.Watched
			n++
		}
		return n == times
	})
	r.origin.Resume()
	if got := read(t, reader); !strings.Contains(got, "[DONE]") {
		t.Errorf("got %s", got)
	}
}

// Other values of the header are mistakes.
func TestOnDisconnectIsChecked(t *testing.T) {
	r := newRig(t, 1)
	if got := r.post(0, chat, question(chat, "x"), "Freshet-On-Disconnect", "stop"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("got %s", got.Status)
	}
}
