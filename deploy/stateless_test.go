package deploy_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/fleet"
)

func stateless(program string) fleet.BalancerOptions {
	return fleet.BalancerOptions{Program: program, Setup: "stateless"}
}

// Each record is received before the next one is appended, so that one which is
// held back stops the test.
func TestEventsAreNotHeldBack(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, stateless(program))
		for _, protocol := range []string{http1, http2} {
			t.Run(protocol, func(t *testing.T) {
				reader, writer := r.client(protocol), r.client(protocol)
				name := "unbuffered-" + protocol[5:6]
				r.create(writer, name)
				if answer, _ := r.do(reader, http.MethodHead, r.url(name), ""); answer.Proto != protocol {
					t.Fatalf("it speaks %s", answer.Proto)
				}
				f := r.follow(reader, name, "")
				for n := range 20 {
					r.append(writer, name, n)
					f.want(n)
				}
			})
		}
	})
}

// Nor is what is sent in a request whose body goes on.
func TestStreamedAppendsAreNotHeldBack(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, stateless(program))
		c := r.client(http2)
		r.create(c, "s")
		f := r.follow(c, "s", "")
		body, in := io.Pipe()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url("s"), body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-ndjson")
		status := make(chan int, 1)
		go func() {
			defer close(status)
			answer, err := c.Do(request)
			if err != nil {
				t.Error(err)
				_ = body.CloseWithError(err)
				return
			}
			_ = answer.Body.Close()
			status <- answer.StatusCode
		}()
		for n := range 20 {
			if _, err := in.Write([]byte{byte('0' + n%10), '\n'}); err != nil {
				t.Fatal(err)
			}
			f.want(n % 10)
		}
		_ = in.Close()
		if s := <-status; s/100 != 2 {
			t.Errorf("the append was answered by %d", s)
		}
	})
}

// A follower that comes back lands anywhere and goes on exactly.
func TestReconnectsLandElsewhereAndResume(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, stateless(program))
		reader, writer := r.client(http2), r.client(http2)
		r.create(writer, "s")
		at, id := map[string]int{}, ""
		r.append(writer, "s", 0)
		for n := range 24 {
			f := r.follow(reader, "s", id)
			at[f.server]++
			f.want(n)
			id = f.leave()
			r.append(writer, "s", n+1)
		}
		if len(at) != 3 {
			t.Errorf("the reconnects landed at %v", at)
		}
	})
}

// What is seen of a killed server is a lost connection, and the next one goes on.
func TestKilledServerIsAReconnect(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, stateless(program))
		for _, protocol := range []string{http1, http2} {
			reader, writer := r.client(protocol), r.client(http1)
			name := "killed-" + protocol[5:6]
			r.create(writer, name)
			f := r.follow(reader, name, "")
			r.insist(writer, name, 0)
			f.want(0)
			r.kill(f.server)
			_, err := f.next()
			if err == nil {
				t.Fatal("the follower lives although its server was killed")
			}
			// These versions end the response as if it were whole; EventSource comes
			// back all the same.
			whole := program == "caddy" || program == "haproxy" && protocol == http2
			if errors.Is(err, io.EOF) != whole {
				t.Errorf("over %s the response ended with: %v", protocol, err)
			}
			for n := 1; n <= 6; n++ { // past the dead server, by round robin
				r.insist(writer, name, n)
			}
			back := r.follow(reader, name, f.leave())
			if back.server == f.server {
				t.Errorf("it came back to %s, which is dead", back.server)
			}
			back.want(1, 2, 3, 4, 5, 6)
			back.leave()
			if err := r.servers[f.server].Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// An append that finds its server dead goes to another one. Caddy 2.6 cannot do
// that: one is refused, and what comes after it goes elsewhere.
func TestAppendsPassADeadServer(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, stateless(program))
		c := r.client(http1)
		// Not through the load balancer, which would keep the connection: an append
		// over one that breaks may have landed, and is refused by all.
		for _, server := range r.servers {
			if answer, text := r.do(c, http.MethodPut, server.URL()+"/v1/stream/s", ""); answer.StatusCode/100 != 2 {
				t.Fatalf("create: %s %s", answer.Status, text)
			}
		}
		r.kill("server-2")
		refused := 0
		for range 12 {
			answer, text := r.do(c, http.MethodPost, r.url("s"), "1")
			switch {
			case by(answer) == "server-2":
				t.Fatal("a dead server has answered")
			case answer.StatusCode == http.StatusBadGateway && program == "caddy":
				refused++
			case answer.StatusCode/100 != 2:
				t.Errorf("an append was answered by %s %s", answer.Status, text)
			}
		}
		if refused > 1 {
			t.Errorf("%d of 12 appends were refused", refused)
		}
	})
}

// Without any server an EventSource has to see a reason to come back: it would
// take a status, which fails the test, for the end.
func TestNoServerIsAReconnect(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		r := newRig(t, stateless(program))
		for _, protocol := range []string{http1, http2} {
			c := r.client(protocol)
			name := "none-" + protocol[5:6]
			r.create(c, name)
			f := r.follow(c, name, "")
			r.append(c, name, 0)
			f.want(0)
			id := f.leave()
			for server := range r.servers {
				r.kill(server)
			}
			if again, err := r.tryFollow(c, name, id); err == nil {
				if n, err := again.next(); err == nil {
					t.Errorf("over %s %q sent %d", protocol, again.server, n)
				}
				if again.leave() != "" {
					t.Errorf("over %s the id was changed", protocol)
				}
			}
			if answer, err := c.Post(r.url(name), "application/json", strings.NewReader("1")); err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode < 500 {
					t.Errorf("over %s an append was answered by %s", protocol, answer.Status)
				}
			}
			for _, server := range r.servers {
				if err := server.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			r.untilServed(c)
		}
	})
}

// untilServed returns once the load balancer has noticed that servers are back.
func (r *rig) untilServed(c *http.Client) {
	r.t.Helper()
	for {
		request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.balancer.URL()+"/readyz", nil)
		if err != nil {
			r.t.Fatal(err)
		}
		answer, err := c.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if r.t.Context().Err() != nil {
			r.t.Fatal("no server is found again")
		}
	}
}
