package deploy_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/internal/testcert"
	"github.com/freshet-stream/freshet/server"
)

// binary is the command freshet, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(testAll(m)) }

func testAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "deploy")
	if err == nil {
		defer os.RemoveAll(dir)
		binary, err = fleet.Build(context.Background(), dir, fleet.BuildOptions{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// programs are the load balancers.
var programs = []string{"haproxy", "nginx", "caddy"}

// each runs a test behind each load balancer.
func each(t *testing.T, test func(t *testing.T, program string)) {
	for _, program := range programs {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
}

// A rig is a Redis, three servers and a load balancer.
type rig struct {
	t        *testing.T
	balancer *fleet.Balancer
	// servers are named server-1 to server-3.
	servers map[string]*fleet.Server
	cert    *testcert.Pair
}

// newRig starts a load balancer in one of its set-ups with all that is behind.
// More arguments are for the servers.
func newRig(t *testing.T, o fleet.BalancerOptions, args ...string) *rig {
	t.Helper()
	dir := t.TempDir()
	redis, err := fleet.StartRedis(t.Context(), dir, fleet.RedisOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	r := &rig{t: t, servers: map[string]*fleet.Server{}, cert: testcert.New(t, "localhost", "127.0.0.1")}
	for i := range 3 {
		name := fmt.Sprintf("server-%d", i+1)
		s, err := fleet.StartServer(t.Context(), dir, fleet.ServerOptions{
			Binary: binary, Store: redis.URL(), Name: name, Args: append([]string{"--name", name, "--log-level", "warn"}, args...),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		r.servers[name] = s
		o.Servers = append(o.Servers, s.Addr())
	}
	o.Cert, o.Key = r.cert.Write(t, dir)
	r.balancer, err = fleet.StartBalancer(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.balancer.Close() })
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := r.balancer.Log()
			t.Logf("log of %s:\n%s", o.Program, text)
		}
	})
	return r
}

// client returns an HTTP client that keeps cookies: a browser, as far as a load
// balancer can tell.
func (r *rig) client(protocol string) *http.Client {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: r.cert.Trust(), ForceAttemptHTTP2: protocol == http2}
	if protocol == http1 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: jar}
}

const (
	http1 = "HTTP/1.1"
	http2 = "HTTP/2.0"
)

func (r *rig) url(name string) string { return r.balancer.URL() + "/v1/stream/" + name }

// do sends a request, and returns the answer and its body.
func (r *rig) do(c *http.Client, method, url, body string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	answer, err := c.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, url, err)
	}
	return answer, string(text)
}

// create creates a JSON stream and returns the server that did it.
func (r *rig) create(c *http.Client, name string) string {
	r.t.Helper()
	answer, text := r.do(c, http.MethodPut, r.url(name), "")
	if answer.StatusCode != http.StatusCreated {
		r.t.Fatalf("create %s: %s %s", name, answer.Status, text)
	}
	if want := r.url(name); answer.Header.Get("Location") != want {
		r.t.Errorf("Location is %q, want %q", answer.Header.Get("Location"), want)
	}
	return by(answer)
}

// append appends a number and returns the server that took it.
func (r *rig) append(c *http.Client, name string, n int) string {
	r.t.Helper()
	answer, text := r.do(c, http.MethodPost, r.url(name), fmt.Sprint(n))
	if answer.StatusCode/100 != 2 {
		r.t.Fatalf("append to %s: %s %s", name, answer.Status, text)
	}
	return by(answer)
}

// insist appends the numbers from 0, a call each, as the producer of a stream that
// repeats what may not have landed: a load balancer must not.
func (r *rig) insist(c *http.Client, name string, n int) {
	r.t.Helper()
	for r.t.Context().Err() == nil {
		request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url(name), strings.NewReader(fmt.Sprint(n)))
		if err != nil {
			r.t.Fatal(err)
		}
		request.Header = http.Header{
			"Content-Type": {"application/json"},
			"Producer-Id":  {"test"}, "Producer-Epoch": {"0"}, "Producer-Seq": {fmt.Sprint(n)},
		}
		answer, err := c.Do(request)
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		switch answer.StatusCode / 100 {
		case 2:
			return
		case 4:
			r.t.Fatalf("append to %s: %s %s", name, answer.Status, text)
		}
	}
	r.t.Fatal(r.t.Context().Err())
}

// kill kills a server.
func (r *rig) kill(name string) {
	r.t.Helper()
	if err := r.servers[name].Kill(); err != nil {
		r.t.Fatal(err)
	}
}

// by returns the server that gave an answer.
func by(answer *http.Response) string { return answer.Header.Get(server.NameHeader) }

// connections returns how many connections the servers have.
func (r *rig) connections() int {
	r.t.Helper()
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		const established = "01"
		fields := strings.Fields(line)
		if fields[3] != established {
			continue
		}
		for _, server := range r.servers {
			if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", server.Port)) {
				n++
			}
		}
	}
	return n
}
