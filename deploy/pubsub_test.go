package deploy_test

import (
	"fmt"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// The client W is connected to server 3 by WebSocket. A POST lands at server 2. W
// receives it: over the store, with and without sticky sessions.
func TestPostedAtServer2ReceivedAtServer3(t *testing.T) {
	for _, setup := range []string{"pubsub", "sticky-cookie", "sticky-hash"} {
		t.Run(setup, func(t *testing.T) {
			each(t, func(t *testing.T, program string) {
				r := newRig(t, fleet.BalancerOptions{Program: program, Setup: setup})
				name := r.createAt("server-2", setup == "sticky-hash")
				path := "/v1/stream/" + name
				if setup == "sticky-hash" { // whose URL leads to server 2
					path = "/v1/ws"
				}
				w := r.connectAt(path, "server-3")
				w.follow(name, "")
				n, at := 0, map[string]int{}
				for at["server-2"] < 3 {
					n++
					server := r.append(r.client(http2), name, n)
					at[server]++
					w.want(n)
					if server != "server-2" { // give it a connection more than server 2 has
						r.dial(r.client(http1), "/v1/ws")
					}
				}
				t.Logf("W on %s received %d posts: %v", w.server, n, at)
			})
		})
	}
}

// createAt creates a stream, one whose URL leads to the server if that matters.
func (r *rig) createAt(server string, matters bool) string {
	r.t.Helper()
	for i := 0; ; i++ {
		name := fmt.Sprintf("room-%d", i)
		if at := r.create(r.client(http2), name); at == server || !matters {
			return name
		}
	}
}

// connectAt opens WebSockets, each as another browser, until one is on the server.
func (r *rig) connectAt(path, server string) *socket {
	r.t.Helper()
	for {
		w := r.dial(r.client(http1), path)
		if w.server == server {
			return w
		}
	}
}
