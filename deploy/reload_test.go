package deploy_test

import (
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// What the READMEs say of a reload: followers go on as they are, over the old
// configuration, except for WebSockets through Caddy, which come back at once.
func TestReload(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, fleet.BalancerOptions{Program: program, Setup: "pubsub"})
		c := r.client(http1)
		r.create(c, "s")
		overHTTP1, overHTTP2 := r.follow(r.client(http1), "s", ""), r.follow(r.client(http2), "s", "")
		w := r.dial(c, "/v1/stream/s")
		w.follow("s", "")
		r.append(c, "s", 1)
		w.want(1)
		overHTTP1.want(1)
		overHTTP2.want(1)

		if err := r.balancer.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if program == "caddy" {
			w.wantLost()
			offset := w.offset
			w = r.dial(c, "/v1/stream/s")
			w.follow("s", offset)
		}
		r.insist(r.client(http1), "s", 0)
		overHTTP1.want(0)
		overHTTP2.want(0)
		w.want(0)
	})
}
