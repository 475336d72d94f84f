package deploy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// A browser stays with its server, whatever it asks for and over what; if the
// server dies it goes on elsewhere, and stays there.
func TestStickyByCookie(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, fleet.BalancerOptions{Program: program, Setup: "sticky-cookie"})
		homes := map[string]bool{}
		for range 12 {
			c := r.client(http1)
			w := r.dial(c, "/v1/ws")
			homes[w.server] = true
			if again := r.dial(c, "/v1/ws"); again.server != w.server {
				t.Errorf("the second WebSocket is on %s, the first on %s", again.server, w.server)
			}
		}
		if len(homes) < 2 {
			t.Errorf("all browsers are on %v", homes)
		}

		browser, other := r.client(http2), r.client(http1)
		home := r.create(browser, "s")
		r.wantAll(browser, "s", home)
		w := r.dialAt(browser, "/v1/stream/s", home)
		w.follow("s", "")
		r.insist(other, "s", 0)
		w.want(0)

		r.kill(home)
		w.wantLost()
		r.insist(other, "s", 1)
		back := r.dial(browser, "/v1/stream/s")
		if back.server == home {
			t.Fatalf("it came back to %s, which is dead", home)
		}
		back.follow("s", w.offset)
		r.insist(other, "s", 2)
		back.want(1, 2)
		r.wantAll(browser, "s", back.server)

		// When the server is back, nginx, which keeps nothing of this, sends the
		// browser there again; the others have given it another cookie.
		if err := r.servers[home].Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if program == "nginx" {
			r.awaitTurn(home, func() *http.Client { return browser })
			return
		}
		r.awaitTurn(home, func() *http.Client { return r.client(http1) })
		r.wantAll(browser, "s", back.server)
	})
}

// awaitTurn returns once requests are sent to a server again, several in turn:
// until nginx has seen the end of an answer it sends one a second. Of the others
// it has the fewest connections, or gets its share of those placed at random.
func (r *rig) awaitTurn(server string, client func() *http.Client) {
	r.t.Helper()
	for inTurn := 0; inTurn < 3; {
		inTurn++
		if answer, _ := r.do(client(), http.MethodGet, r.balancer.URL()+"/v1/streams", ""); by(answer) != server {
			inTurn = 0
		}
	}
}

// All who use a stream meet on one server, over whatever they come; if it dies,
// its streams go elsewhere, all of a stream to the same place, and others stay.
func TestStickyByURL(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, fleet.BalancerOptions{Program: program, Setup: "sticky-hash"})
		homes := map[string]string{}
		streams := map[string][]string{}
		for i := range 24 {
			name := fmt.Sprintf("rooms/%d", i)
			home := r.create(r.client(http2), name)
			homes[name], streams[home] = home, append(streams[home], name)
			r.wantAll(r.client(http1), name, home)
			r.wantAll(r.client(http2), name, home)
			_ = r.dialAt(r.client(http1), "/v1/stream/"+name+"?offset=now", home).conn.CloseNow()
		}
		if len(streams) != 3 {
			t.Fatalf("the streams are on %v", streams)
		}
		spread := map[string]bool{}
		for range 24 {
			spread[r.dial(r.client(http1), "/v1/ws").server] = true
		}
		if len(spread) < 2 {
			t.Errorf("connections for many streams are all on %v", spread)
		}

		const room = "rooms/0"
		home, c := homes[room], r.client(http1)
		w := r.dialAt(c, "/v1/stream/"+room, home)
		w.follow(room, "")
		r.insist(c, room, 0)
		w.want(0)
		r.kill(home)
		w.wantLost()
		r.insist(c, room, 1)
		back := r.dial(c, "/v1/stream/"+room)
		if back.server == home {
			t.Fatalf("it came back to %s, which is dead", home)
		}
		back.follow(room, w.offset)
		r.insist(c, room, 2)
		back.want(1, 2)
		r.wantAll(r.client(http2), room, back.server)
		for name, h := range homes {
			if h != home {
				r.wantAll(c, name, h)
			}
		}
	})
}

// wantAll checks that requests of several kinds land on one server.
func (r *rig) wantAll(c *http.Client, name, home string) {
	r.t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
		if answer, _ := r.do(c, method, r.url(name), ""); by(answer) != home {
			r.t.Errorf("%s %s landed on %s, not %s", method, name, by(answer), home)
		}
	}
	f := r.follow(c, name, "")
	if f.server != home {
		r.t.Errorf("the events of %s come from %s, not %s", name, f.server, home)
	}
	f.leave()
}

func (r *rig) dialAt(c *http.Client, path, home string) *socket {
	r.t.Helper()
	// As browsers do without RFC 8441: another connection, with the same cookies.
	over := r.client(http1)
	over.Jar = c.Jar
	w := r.dial(over, path)
	if w.server != home {
		r.t.Errorf("the WebSocket of %s is on %s, not %s", path, w.server, home)
	}
	return w
}
