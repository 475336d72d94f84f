package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// A cluster is three servers over one Redis, behind a balancer that chooses the
// next of them for each request.
type cluster struct {
	t        *testing.T
	servers  []*fleet.Server
	balancer *fleet.Balancer
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir := t.TempDir()
	redis, err := fleet.StartRedis(t.Context(), dir, fleet.RedisOptions{AppendOnly: true})
	if err != nil {
		t.Fatalf("%v; run scripts/setup", err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	c := &cluster{t: t}
	var addrs []string
	for i := range 3 {
		name := fmt.Sprint("server-", i+1)
		s, err := fleet.StartServer(t.Context(), dir, fleet.ServerOptions{
			Binary: binary, Store: redis.URL(), Name: name, Args: []string{"--name", name},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		c.servers = append(c.servers, s)
		addrs = append(addrs, s.Addr())
	}
	c.balancer, err = fleet.StartBalancer(t.Context(), dir, fleet.BalancerOptions{Program: "haproxy", Setup: "stateless", Servers: addrs})
	if err != nil {
		t.Fatalf("%v; run scripts/setup", err)
	}
	t.Cleanup(func() { _ = c.balancer.Close() })
	return c
}

// at returns one of the servers, by number from 1, to be asked directly.
func (c *cluster) at(n int) *server { return &server{t: c.t, url: c.servers[n-1].URL()} }

// front returns whichever server the balancer chooses.
func (c *cluster) front() *server { return &server{t: c.t, url: c.balancer.URL()} }

// TestFleet shows a fleet in Chromium.
func TestFleet(t *testing.T) {
	c := startCluster(t)
	browser := startBrowser(t)
	t.Run("each request is answered by the next server", func(t *testing.T) { testRoundRobin(t, c) })
	t.Run("posted at one server, received at another", func(t *testing.T) { testSeedPicture(t, c, browser) })
	t.Run("a pane whose server dies goes on at another", func(t *testing.T) { testServerDies(t, c, browser) })
	t.Run("two browsers on servers that are restarted", func(t *testing.T) { testTwoBrowsers(t, c, browser) })
	t.Run("look", func(t *testing.T) { testFleetLook(t, c, browser) })
}

func testRoundRobin(t *testing.T, c *cluster) {
	var names []string
	for range 3 {
		response, _ := c.front().do("GET", "/healthz", "")
		names = append(names, response.Header.Get("Freshet-Server"))
	}
	slices.Sort(names)
	if want := []string{"server-1", "server-2", "server-3"}; !slices.Equal(names, want) {
		t.Errorf("three requests were answered by %q", names)
	}
}

// answer starts a sample answer that one of the servers writes.
func (c *cluster) answer(n int, query string) string {
	c.t.Helper()
	return c.at(n).demo(query)
}

// serverOf returns the name of the server that a pane shows, once it shows one.
func (p *tab) serverOf(pane string) string {
	p.t.Helper()
	p.waitFor(in(pane, "[data-state]") + ".dataset.state == 'live' && " + in(pane, "[data-server]") + ".textContent.startsWith('server-')")
	return eval[string](p, in(pane, "[data-server]")+".textContent")
}

// move has a pane's connection cut until it is on a server that is wanted.
func (p *tab) move(pane string, wanted func(name string) bool) string {
	p.t.Helper()
	name := p.serverOf(pane)
	for cuts := eval[int](p, "+"+in(pane, "[data-cuts]")+".textContent"); !wanted(name); cuts++ {
		p.click("[data-pane=" + pane + "] button[data-cut]")
		p.waitFor(fmt.Sprintf("%s.textContent == '%d'", in(pane, "[data-cuts]"), cuts+1))
		name = p.serverOf(pane)
	}
	return name
}

// A trip is what the page says of a post.
type trip struct {
	Posted   string
	Received map[string]string
	Kind     string
}

// post appends by hand and returns what the page says of it.
func (p *tab) post(text string) trip {
	p.t.Helper()
	before := eval[int](p, "window.posts.length")
	p.run(chromedp.SetValue(chromedp.CSS("#compose textarea"), text))
	p.click("#compose button")
	p.waitFor(fmt.Sprintf("window.posts.length > %d", before))
	p.waitFor(`document.querySelector("#trips li")?.dataset.trip`)
	got := eval[trip](p, `(({ dataset, children }) => ({
		posted: dataset.posted, kind: dataset.trip,
		received: Object.fromEntries([...children].filter((e) => e.dataset.received).map((e) => [e.dataset.received, e.dataset.server])),
	}))(document.querySelector("#trips li"))`)
	for _, pane := range panes {
		p.waitFor(fmt.Sprintf("%s.textContent.includes(%q)", in(pane, "[data-text]"), text))
		// The server says the same through the balancer as the page shows.
		if name := p.serverOf(pane); got.Received[pane] != name {
			p.t.Errorf("%s is on %s, and %q arrived there from %s", pane, name, text, got.Received[pane])
		}
	}
	if took := eval[string](p, "window.posts.at(-1).server"); took != got.Posted {
		p.t.Errorf("the post was answered by %s, and the page says %s", took, got.Posted)
	}
	return got
}

// The picture that all of this began with: a client is connected to one server,
// a request lands on another, and the client receives it.
func testSeedPicture(t *testing.T, c *cluster, browser context.Context) {
	p := openTab(t, browser, c.balancer.URL()+"/#"+c.answer(3, "rate=5&tokens=5000"))
	p.waitText(10)
	// The panes on different servers, so that whichever takes a post, one of them
	// is on another.
	sse := p.serverOf("sse")
	p.move("ws", func(name string) bool { return name != sse })
	seen := map[string]bool{}
	for i := 0; len(seen) < 3; i++ {
		if i == 20 {
			t.Fatalf("20 posts were taken by %v only", seen)
		}
		got := p.post(fmt.Sprintf(" «post %d» ", i))
		seen[got.Posted] = true
		if got.Kind != "across" || got.Received["sse"] == got.Posted && got.Received["ws"] == got.Posted {
			t.Errorf("the page says %+v", got)
		}
		t.Logf("posted at %s, received over SSE at %s, received over WebSocket at %s", got.Posted, got.Received["sse"], got.Received["ws"])
	}
	// Both panes on one server: when that takes the post there is nothing to see,
	// and the page offers to post it again.
	p.move("ws", func(name string) bool { return name == sse })
	for got := (trip{}); got.Kind != "home"; {
		got = p.post(" «at home» ")
		if home := got.Posted == sse; home != (got.Kind == "home") {
			t.Fatalf("the panes are on %s, and the page says %+v", sse, got)
		}
	}
	posts := eval[int](p, "window.posts.length")
	p.click("#trips li:first-child button")
	p.waitFor(fmt.Sprintf("window.posts.length > %d", posts))
	p.click("#stop")
	p.waitEnd(c.at(1), "cancelled")
}

// Guarantee 2.
func testServerDies(t *testing.T, c *cluster, browser context.Context) {
	// Server 3 writes the answer, and is left alone.
	p := openTab(t, browser, c.balancer.URL()+"/#"+c.answer(3, "rate=20&tokens=5000"))
	p.waitText(20)
	for _, pane := range panes {
		name := p.move(pane, func(name string) bool { return name != "server-3" })
		victim := c.servers[slices.IndexFunc(c.servers, func(s *fleet.Server) bool { return s.Name() == name })]
		cuts := eval[int](p, "+"+in(pane, "[data-cuts]")+".textContent")
		if err := victim.Kill(); err != nil {
			t.Fatal(err)
		}
		p.waitFor(fmt.Sprintf("+%s.textContent > %d", in(pane, "[data-cuts]"), cuts))
		if now := p.serverOf(pane); now == name {
			t.Errorf("%s is on %s, which is dead", pane, now)
		}
		if err := victim.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.waitText(len([]rune(p.text("sse"))))
	p.click("#stop")
	p.waitEnd(c.at(3), "cancelled")
}

// A token is what a follower is given at an offset: one token, or several that
// left together, and then the offset is that of the last.
type token struct{ Offset, Data string }

// Two browsers, each at a server of its own, show the same tokens at the same
// offsets while these servers crash and are deployed anew.
func testTwoBrowsers(t *testing.T, c *cluster, first context.Context) {
	const rounds = 3
	name := c.answer(3, "rate=25&tokens=5000")
	second := startBrowser(t)
	tabs := []*tab{openTab(t, first, c.servers[0].URL()+"/#"+name), openTab(t, second, c.servers[1].URL()+"/#"+name)}
	for i, p := range tabs {
		p.waitText(20)
		for _, pane := range panes {
			if got, want := p.serverOf(pane), c.servers[i].Name(); got != want {
				t.Fatalf("%s of browser %d is on %s", pane, i+1, got)
			}
		}
	}
	for round := range rounds {
		for i, p := range tabs {
			s, end := c.servers[i], c.servers[i].Kill
			if (round+i)%2 == 1 {
				end = func() error { return s.Terminate(t.Context()) }
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			for _, pane := range panes {
				p.waitFor(in(pane, "[data-state]") + ".dataset.state == 'reconnecting'")
			}
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, pane := range panes {
				p.waitFor(fmt.Sprintf("%s.textContent == '%d'", in(pane, "[data-cuts]"), round+1))
			}
			p.waitText(len([]rune(p.text("sse"))))
		}
	}
	c.at(3).do("POST", "/v1/stream/"+name, "", "Stream-Closed", "true", "Freshet-Close-Reason", "cancelled")
	want := c.at(3).read(name)
	histories := map[string][]token{}
	for i, p := range tabs {
		p.waitEnd(c.at(3), "cancelled")
		for pane, tokens := range eval[map[string][]token](p, "window.heard") {
			histories[fmt.Sprintf("%s of browser %d", pane, i+1)] = tokens
		}
	}
	checkTokens(t, histories, want)
}

// checkTokens checks that followers were given a text whole, in order, and that
// those who were at the same offset had the same of it by then.
func checkTokens(t *testing.T, histories map[string][]token, want string) {
	t.Helper()
	type place struct {
		who  string
		upTo int
	}
	places := map[string]place{}
	shared := 0
	for who, tokens := range histories {
		var text strings.Builder
		last := ""
		for _, token := range tokens {
			text.WriteString(token.Data)
			if token.Offset <= last {
				t.Errorf("%s was given %s after %s", who, token.Offset, last)
			}
			last = token.Offset
			if at, ok := places[token.Offset]; !ok {
				places[token.Offset] = place{who, text.Len()}
			} else if shared++; at.upTo != text.Len() {
				t.Errorf("at %s %s had %d bytes and %s %d", token.Offset, who, text.Len(), at.who, at.upTo)
			}
		}
		if got := text.String(); got != want {
			t.Errorf("%s was given %s", who, firstDifference(got, want))
		}
	}
	if len(histories) < 4 || shared < 3*100 {
		t.Errorf("%d followers met at %d offsets", len(histories), shared)
	}
}

// testFleetLook keeps pictures of the page of a fleet.
func testFleetLook(t *testing.T, c *cluster, browser context.Context) {
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360, 320} {
			t.Run(fmt.Sprintf("%s-%d", scheme, width), func(t *testing.T) {
				p := openTab(t, browser, c.balancer.URL()+"/#"+c.answer(3, "rate=20&tokens=5000"), as(scheme, width)...)
				p.waitText(100)
				sse := p.serverOf("sse")
				p.move("ws", func(name string) bool { return name != sse })
				for _, text := range []string{" «one» ", " «two» "} {
					p.post(text)
				}
				p.checkLook(scheme, width)
			})
		}
	}
}
