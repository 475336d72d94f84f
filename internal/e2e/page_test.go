package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// panes are the values of data-pane.
var panes = []string{"sse", "ws"}

// TestPage drives the page that serve shows, in Chromium. It runs alone: sample
// answers take the time that they take, and what is done to them has to fit in.
func TestPage(t *testing.T) {
	s := startServer(t)
	browser := startBrowser(t)
	t.Run("both panes survive five cuts", func(t *testing.T) { testCuts(t, s, browser) })
	t.Run("a reload shows the whole answer", func(t *testing.T) { testReload(t, s, browser) })
	t.Run("stop", func(t *testing.T) { testStop(t, s, browser) })
	t.Run("append by hand", func(t *testing.T) { testCompose(t, s, browser) })
	t.Run("the list", func(t *testing.T) { testList(t, s, browser) })
	t.Run("an answer that is gone", func(t *testing.T) { testGone(t, s, browser) })
	t.Run("a restart", func(t *testing.T) { testRestart(t, browser) })
	t.Run("gaps", func(t *testing.T) { testGaps(t, s, browser) })
	t.Run("look", func(t *testing.T) { testLook(t, s, browser) })
}

// in returns an expression for what a selector finds in a pane.
func in(pane, selector string) string {
	return fmt.Sprintf("document.querySelector('[data-pane=%s] %s')", pane, selector)
}

func (p *tab) text(pane string) string {
	p.t.Helper()
	return eval[string](p, in(pane, "[data-text]")+".textContent")
}

// waitText waits until both panes show more than n characters.
func (p *tab) waitText(n int) {
	p.t.Helper()
	for _, pane := range panes {
		p.waitFor(fmt.Sprintf("%s?.textContent.length > %d", in(pane, "[data-text]"), n))
	}
}

// waitEnd waits until both panes tell the reason of the end, and checks that
// they show the whole stream.
func (p *tab) waitEnd(s *server, reason string) {
	p.t.Helper()
	for _, pane := range panes {
		p.waitFor(fmt.Sprintf("['completed','cancelled','failed','interrupted','refused','unknown'].includes(%s.dataset.state)", in(pane, "[data-state]")))
		if got := eval[string](p, in(pane, "[data-state]")+".dataset.state"); got != reason {
			p.t.Errorf("%s ended as %s instead of %s", pane, got, reason)
		}
	}
	want := s.read(p.stream())
	for _, pane := range panes {
		if got := p.text(pane); got != want {
			p.t.Errorf("%s shows %d bytes, the stream has %d:\n%q\n%q", pane, len(got), len(want), got, want)
		}
	}
	p.waitFor("document.querySelector('#verdict').dataset.verdict == 'same'")
}

func (p *tab) stream() string {
	p.t.Helper()
	return eval[string](p, "document.querySelector('main').dataset.stream")
}

// Guarantees 2 and 5.
func testCuts(t *testing.T, s *server, browser context.Context) {
	const cuts = 5
	// Two whole answers: long enough for a machine on which five reconnections
	// take their time.
	p := openTab(t, browser, s.url+"/#"+s.demo("rate=20&tokens=656"))
	p.waitText(20)
	for i := range cuts {
		for _, pane := range panes {
			p.waitFor(in(pane, "[data-state]") + ".dataset.state == 'live'")
		}
		before := len(p.text("sse"))
		for _, pane := range panes {
			p.click("[data-pane=" + pane + "] button[data-cut]")
		}
		for _, pane := range panes {
			p.waitFor(fmt.Sprintf("%s.textContent == '%d'", in(pane, "[data-cuts]"), i+1))
		}
		p.waitText(before)
	}
	p.waitEnd(s, "completed")
	for _, pane := range panes {
		if got := eval[string](p, in(pane, "[data-cuts]")+".textContent"); got != fmt.Sprint(cuts) {
			t.Errorf("%s counts %s cuts", pane, got)
		}
	}
	if n := eval[int](p, "window.sources"); n != 1 {
		t.Errorf("the page made %d EventSource objects, so that not the browser reconnected", n)
	}
	checkReplays(t, eval[[]tapped](p, "window.tapped"), cuts)
}

// Guarantee 8.
func testReload(t *testing.T, s *server, browser context.Context) {
	p := openTab(t, browser, s.url+"/#"+s.demo("rate=60&tokens=400"))
	p.waitText(150)
	name := p.stream()
	before := p.text("ws")
	p.run(chromedp.Reload())
	p.waitText(len([]rune(before)) + 1)
	if p.stream() != name {
		t.Fatalf("the page shows %s after a reload, and %s before", p.stream(), name)
	}
	for _, pane := range panes {
		if got := p.text(pane); !strings.HasPrefix(got, before) {
			t.Errorf("%s does not begin with what was shown before the reload: %q", pane, got)
		}
		if state := eval[string](p, in(pane, "[data-state]")+".dataset.state"); state != "live" {
			t.Errorf("%s is %s: the reload was not in mid-answer", pane, state)
		}
	}
	p.waitEnd(s, "completed")
}

func testStop(t *testing.T, s *server, browser context.Context) {
	p := openTab(t, browser, s.url+"/")
	p.waitText(40)
	p.click("#stop")
	p.waitEnd(s, "cancelled")
	length := len(s.read(p.stream()))
	// Were the producer still at work, six tokens would come meanwhile.
	time.Sleep(300 * time.Millisecond)
	if now := len(s.read(p.stream())); now != length {
		t.Errorf("the stream grew from %d to %d bytes after it was stopped", length, now)
	}
	name := p.stream()
	p.click("#another")
	p.waitFor("document.querySelector('main').dataset.stream != '" + name + "'")
	p.waitText(10)
	if got := eval[string](p, "location.hash"); got != "#"+p.stream() {
		t.Errorf("the address ends in %s for %s", got, p.stream())
	}
}

func testCompose(t *testing.T, s *server, browser context.Context) {
	const said = "«a line, and\nanother 👋»"
	p := openTab(t, browser, s.url+"/")
	p.waitText(10)
	p.run(chromedp.SetValue(chromedp.CSS("#compose textarea"), said))
	p.click("#compose button")
	for _, pane := range panes {
		p.waitFor(fmt.Sprintf("%s.textContent.includes(%q)", in(pane, "[data-text]"), said))
	}
	p.click("#stop")
	p.waitEnd(s, "cancelled")
	p.waitFor("document.querySelector('#compose textarea').disabled")
}

func testList(t *testing.T, s *server, browser context.Context) {
	s.do("PUT", "/v1/stream/list/äöü%20'1'", "first ", "Content-Type", "text/plain")
	p := openTab(t, browser, s.url+"/")
	p.run(chromedp.SendKeys(chromedp.CSS("#prefix"), "list/"))
	p.waitFor("document.querySelectorAll('#streams a').length == 1")
	p.click("#streams a")
	p.waitText(5)
	if got := p.stream(); got != "list/äöü '1'" {
		t.Errorf("the page shows %q", got)
	}
	s.do("POST", "/v1/stream/list/äöü%20'1'", "last", "Content-Type", "text/plain", "Stream-Closed", "true")
	for _, pane := range panes {
		p.waitFor(in(pane, "[data-state]") + ".dataset.state == 'completed'")
		if got := p.text(pane); got != "first last" {
			t.Errorf("%s shows %q", pane, got)
		}
	}
	for _, snippet := range []string{"curl", "sse", "ws"} {
		if got := eval[string](p, "document.querySelector('[data-snippet="+snippet+"]').textContent"); !strings.Contains(got, "/v1/stream/list/%C3%A4%C3%B6%C3%BC%20%271%27") {
			t.Errorf("the snippet %s does not name the stream: %s", snippet, got)
		}
	}
}

func testGone(t *testing.T, s *server, browser context.Context) {
	p := openTab(t, browser, s.url+"/#demo/nosuchth")
	p.waitText(10)
	if name := p.stream(); name == "demo/nosuchth" {
		t.Errorf("the page shows %s", name)
	}
	p = openTab(t, browser, s.url+"/#none/such")
	p.waitFor("document.querySelector('#notice').textContent.includes('There is no stream none/such')")

	s.do("PUT", "/v1/stream/soon/gone", "here", "Content-Type", "text/plain")
	p = openTab(t, browser, s.url+"/#soon/gone")
	p.waitText(3)
	s.do("DELETE", "/v1/stream/soon/gone", "")
	for _, pane := range panes {
		p.waitFor(in(pane, "[data-state]") + ".dataset.state == 'deleted'")
	}
}

// Both panes find back to a server that was restarted, and learn how the
// producer ended that went with it.
func testRestart(t *testing.T, browser context.Context) {
	s := &server{t: t}
	store := "pebble:" + t.TempDir()
	s.run("--listen", "127.0.0.1:0", "--store", store)
	p := openTab(t, browser, s.url+"/")
	p.waitText(100)
	s.stop()
	for _, pane := range panes {
		p.waitFor("['reconnecting', 'interrupted'].includes(" + in(pane, "[data-state]") + ".dataset.state)")
	}
	s.run("--listen", strings.TrimPrefix(s.url, "http://"), "--store", store)
	for _, pane := range panes {
		p.waitFor(in(pane, "[data-state]") + ".dataset.state == 'interrupted'")
		if got, want := p.text(pane), s.read(p.stream()); got != want {
			t.Errorf("%s shows %q, the stream has %q", pane, got, want)
		}
	}
}
