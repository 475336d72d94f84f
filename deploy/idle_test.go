package deploy_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"
)

const idle = time.Second

// Followers that hear nothing but heartbeats stay, for far longer than the load
// balancer lets a connection be silent.
func TestHeartbeatsKeepFollowers(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		const every, heartbeats = 100 * time.Millisecond, 25
		o := stateless(program)
		o.Idle = idle
		r := newRig(t, o, "--heartbeat", every.String())
		c := r.client(http1)
		r.create(c, "s")
		w := r.dial(c, "/v1/stream/s")
		w.follow("s", "")
		arrived := make(chan error, 1)
		go func() { // a WebSocket is asked for signs of life while it is read
			numbers, err := w.next()
			if err == nil && (len(numbers) != 1 || numbers[0] != 7) {
				t.Errorf("the WebSocket got %d", numbers)
			}
			arrived <- err
		}()
		for _, protocol := range []string{http1, http2} {
			lines := bufio.NewScanner(r.follow(r.client(protocol), "s", "").body)
			for n := 0; n < heartbeats && lines.Scan(); {
				if strings.HasPrefix(lines.Text(), ":") {
					n++
				}
			}
			if err := lines.Err(); err != nil {
				t.Errorf("over %s: %v", protocol, err)
			}
		}
		select {
		case err := <-arrived:
			t.Fatalf("the WebSocket ended: %v", err)
		default:
		}
		r.append(c, "s", 7)
		if err := <-arrived; err != nil {
			t.Errorf("the WebSocket: %v", err)
		}
	})
}

// Without heartbeats they do not: the time that the other test is about is there.
func TestSilentFollowersAreCut(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		o := stateless(program)
		o.Idle = idle
		r := newRig(t, o, "--heartbeat", "1h")
		for _, protocol := range []string{http1, http2} {
			c := r.client(protocol)
			name := "silent-" + protocol[5:6]
			r.create(c, name)
			if n, err := r.follow(c, name, "").next(); err == nil {
				t.Errorf("over %s: got %d", protocol, n)
			}
		}
		c := r.client(http1)
		w := r.dial(c, "/v1/stream/silent-1")
		w.follow("silent-1", "")
		w.wantLost()
	})
}

// A follower that leaves the load balancer leaves the server too.
func TestLeavingReachesTheServer(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		const followers = 30
		r := newRig(t, stateless(program))
		for _, protocol := range []string{http1, http2} {
			c := r.client(protocol)
			name := "left-" + protocol[5:6]
			r.create(c, name)
			var all []*events
			for range followers {
				all = append(all, r.follow(c, name, ""))
			}
			if n := r.connections(); n < followers {
				t.Fatalf("the servers have %d connections from %d followers", n, followers)
			}
			for _, f := range all {
				f.leave()
			}
			for r.connections() > followers/2 { // some are kept for other requests
				if t.Context().Err() != nil {
					t.Fatalf("the servers keep %d connections", r.connections())
				}
			}
			c.Transport.(*http.Transport).CloseIdleConnections()
		}
	})
}
