package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/faultproxy"
)

// A followed is a client's report of how it followed a stream.
type followed struct {
	// Opens is how often it was connected, Gaps how many gaps it was told.
	Opens, Gaps int
	// Reason is why the stream was closed, as far as the client learnt it, and
	// Stopped what made it stop.
	Reason, Stopped string
}

// stockClients are the clients that run outside of a browser, unmodified.
var stockClients = []struct {
	name    string
	command []string
	// mode is the last argument, if any.
	mode string
	// scale is by how much more is sent, and each connection let through, to a
	// client that takes nothing of a response before it has the whole.
	scale int
	// whole says that text has to be appended in whole characters: the client
	// starts with a response that ends where an append did, and goes on over
	// server-sent events, which have no bytes.
	whole bool
	// stopped is what ends the client.
	stopped string
}{
	{name: "eventsource", command: []string{"node", "node/follow-eventsource.mjs"}, stopped: "204"},
	{name: "undici", command: []string{"node", "node/follow-undici.mjs"}, stopped: "closed"},
	{name: "eventsource-client", command: []string{"node", "node/follow-eventsource-client.mjs"}, stopped: "closed"},
	{name: "eventsource-parser", command: []string{"node", "node/follow-eventsource-parser.mjs"}, stopped: "clean end"},
	{name: "fetch-event-source", command: []string{"node", "node/follow-fetch-event-source.mjs"}, stopped: "clean end"},
	{name: "ws", command: []string{"node", "node/follow-ws.mjs"}, stopped: "1000"},
	{name: "durable-streams-sse", command: []string{"node", "node/follow-durable-streams.mjs"}, mode: "sse", scale: pageScale, whole: true, stopped: "stream closed"},
	{name: "durable-streams-long-poll", command: []string{"node", "node/follow-durable-streams.mjs"}, mode: "long-poll", scale: pageScale, stopped: "stream closed"},
	{name: "curl", command: []string{"shell/follow-curl.sh"}, stopped: "clean end"},
	{name: "httpx", command: []string{"/usr/bin/python3", "python/follow-httpx.py"}, stopped: "stream-closed"},
	{name: "websockets", command: []string{"/usr/bin/python3", "python/follow-websockets.py"}, stopped: "1000"},
}

const (
	// feedBytes is about how long a stream is, and mostLet after how much of it
	// a connection is cut at last: not before an event of joined text is
	// through, which has up to 32 KiB.
	feedBytes, mostLet = 600_000, 100_000
	// pageScale makes mostLet more than a whole page, which has up to 1 MiB.
	pageScale = 12
	// feedTime is for how long a stream is written.
	feedTime = 6 * time.Second
	// leastCuts is how many cuts there are at least: a run whose faults did not
	// happen proves nothing.
	leastCuts = 5
)

// followProxy starts a proxy that cuts each connection after some of what the
// server sends.
func followProxy(t *testing.T, s *server, seed uint64, most int) *faultproxy.Proxy {
	t.Helper()
	proxy, err := faultproxy.New(faultproxy.Options{
		Target: strings.TrimPrefix(s.url, "http://"),
		Least:  1_000, Most: most, Seed: seed,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return proxy
}

// checkCuts checks that the faults happened, and that the client came back
// after each.
func checkCuts(t *testing.T, proxy *faultproxy.Proxy, got followed) {
	t.Helper()
	counts := proxy.Counts()
	t.Logf("%+v, %+v", counts, got)
	if counts.Cuts() < leastCuts || counts.FIN == 0 || counts.RST == 0 {
		t.Errorf("the proxy cut too seldom: %+v", counts)
	}
	if got.Opens < leastCuts || got.Gaps != 0 || got.Reason != "completed" {
		t.Errorf("connected %d times, told %d gaps and the reason %q", got.Opens, got.Gaps, got.Reason)
	}
}

// TestStockClients shows guarantees 2 and 5 with the clients that people use:
// each follows a stream through a proxy that keeps cutting it, while it is
// written, and stops at its end as its program stops.
func TestStockClients(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for i, client := range stockClients {
		for j, content := range []string{"json", "text"} {
			t.Run(client.name+"/"+content, func(t *testing.T) {
				t.Parallel()
				seed := uint64(2*i + j)
				scale := max(1, client.scale)
				proxy := followProxy(t, s, seed, scale*mostLet)
				name := "stock/" + client.name + "/" + content
				f := jsonFeed(seed, scale*feedBytes)
				if content == "text" {
					f = textFeed(seed, scale*feedBytes, client.whole)
				}
				f.create(s, name)
				given := make(chan error, 1)
				go func() { given <- f.give(s, name, feedTime) }()

				args := append(client.command[1:], "http://"+proxy.Addr()+"/v1/stream/"+name, content)
				if client.mode != "" {
					args = append(args, client.mode)
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				command := exec.CommandContext(ctx, client.command[0], args...)
				var stdout, stderr bytes.Buffer
				command.Stdout, command.Stderr = &stdout, &stderr
				err := command.Run()
				if err := <-given; err != nil {
					t.Fatal(err)
				}
				if err != nil {
					t.Fatalf("%s: %v after %+v, with %s\n%s", client.name, err, proxy.Counts(), firstDifference(stdout.String(), f.want), stderr.String())
				}
				if stdout.String() != f.want {
					t.Errorf("wrote %s", firstDifference(stdout.String(), f.want))
				}
				lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
				var got followed
				if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
					t.Fatalf("%v in the report of:\n%s", err, stderr.String())
				}
				checkCuts(t, proxy, got)
				if got.Stopped != client.stopped {
					t.Errorf("stopped by %q instead of %q", got.Stopped, client.stopped)
				}
			})
		}
	}
}
