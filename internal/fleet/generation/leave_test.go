package generation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
	"github.com/freshet-stream/freshet/server"
)

// An answer that is to end without readers goes on for one on the other server,
// over any transport, and ends when the last has left.
func TestLastReaderLeaves(t *testing.T) {
	t.Parallel()
	const grace = 750 * time.Millisecond
	r := newRig(t, fleet.RedisOptions{})
	for range 2 {
		r.serve(func(o *server.Options) { o.DisconnectGrace = grace })
	}
	body := question(chat, "tokens=20 stall=6")
	headers := []string{"Idempotency-Key", "k", "Freshet-On-Disconnect", "cancel"}
	own := r.post(0, chat, body, headers...)
	readers := []*answer{r.post(1, chat, body, headers...), r.follow(1, own.stream())}
	_ = own.Body.Close()
	for i, a := range readers {
		if err := a.upTo(6); err != nil {
			t.Fatal(err)
		}
		// That it goes on is seen in the store: it is said there again and again.
		var said time.Time
		for began, n := time.Now(), 0; n < 3 || time.Since(began) < 2*grace; {
			info, err := r.truth.Info(r.ctx, own.stream())
			if err != nil || info.Closed != nil {
				t.Fatalf("with reader %d: closed as %+v, %v", i, info.Closed, err)
			}
			if !info.Watched.Equal(said) {
				said = info.Watched
				n++
			}
			time.Sleep(5 * time.Millisecond)
		}
		if c := r.origin.Counts(); c.Left != 0 || c.Open != 1 {
			t.Errorf("with reader %d: the origin saw %+v", i, c)
		}
		_ = a.Body.Close()
	}
	r.counted(func(c origin.Counts) bool { return c.Left == 1 && c.Open == 0 })
	if closed := r.closure(own.stream()); closed.Reason != freshet.Cancelled || !strings.Contains(string(closed.Detail), "nobody read") {
		t.Errorf("closed as %s, %s", closed.Reason, closed.Detail)
	}
}
