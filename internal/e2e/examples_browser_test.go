package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The parts of the chat in examples/browser.
const (
	shownAnswer = `(document.querySelector("#messages .assistant:last-child")?.textContent ?? "")`
	shownStatus = `document.querySelector("#status")?.textContent`
)

// startBrowserExample serves the files of the example, a gateway that lets their
// pages in, and returns the page's URL for a server that is reached by a proxy.
func startBrowserExample(t *testing.T, originURL string) (s *server, page func(server string) string) {
	t.Helper()
	files := httptest.NewServer(http.FileServer(http.Dir("../../examples/browser")))
	t.Cleanup(files.Close)
	s = startGateway(t, originURL, "--allow-origin", files.URL)
	return s, func(server string) string {
		return files.URL + "/?" + url.Values{"server": {server}, "model": {"origin/m"}}.Encode()
	}
}

// ask types a question into the form of a chat and sends it.
func (p *tab) ask(question string) {
	p.t.Helper()
	p.run(chromedp.SendKeys(chromedp.CSS("input"), question+"\r"))
}

// TestBrowserExample shows that the chat in plain JavaScript, from another origin
// than the server's, goes on after cuts and after a refresh in mid-answer, that a
// second tab shows the same, and that the model was asked once.
func TestBrowserExample(t *testing.T) {
	t.Parallel()
	o, originURL := startOrigin(t)
	want := originText(t, originURL, slowly)
	s, page := startBrowserExample(t, originURL)
	proxy := proxyTo(t, s)
	p := openTab(t, startBrowser(t), page("http://"+proxy.Addr()))
	p.ask(slowly)
	p.waitFor(shownAnswer + ".length > 10")
	cut(t, proxy)
	cut(t, proxy)
	p.run(chromedp.Reload())
	p.waitFor(shownAnswer + ".length > 10")
	second := openTab(t, p.ctx, page("http://"+proxy.Addr()))
	second.waitFor(shownAnswer + ".length > 10")
	o.Resume()
	for _, tab := range []*tab{p, second} {
		tab.waitFor(`!localStorage.chat.includes('"key"') && ` + shownStatus + ` == "" && ` + shownAnswer)
		if got := eval[string](tab, shownAnswer); got != want {
			t.Errorf("the page shows %s", firstDifference(got, want))
		}
	}
	p.run(chromedp.Reload())
	if got := eval[string](p, shownAnswer); got != want {
		t.Errorf("after the end the page shows %s", firstDifference(got, want))
	}
	if n := o.Counts().Requests; n != 2 {
		t.Errorf("the origin was asked %d times, of which once by the test", n)
	}
}

// TestBrowserExampleStops shows that its button stops the answer, at the model
// too, and that the chat then goes on.
func TestBrowserExampleStops(t *testing.T) {
	t.Parallel()
	o, originURL := startOrigin(t)
	want, short := originText(t, originURL, slowly), originText(t, originURL, "tokens=5")
	s, page := startBrowserExample(t, originURL)
	p := openTab(t, startBrowser(t), page(s.url))
	p.ask(slowly)
	p.waitFor(shownAnswer + ".length > 10")
	p.click("#stop")
	p.waitFor(shownStatus + ` == "stopped"`)
	awaitStopped(t, o)
	if got := eval[string](p, shownAnswer); !strings.HasPrefix(want, got) || len(got) <= 10 {
		t.Errorf("stopped, the page shows %s", firstDifference(got, want))
	}
	p.ask("tokens=5")
	p.waitFor(shownStatus + ` == ""`)
	if got := eval[string](p, shownAnswer); got != short {
		t.Errorf("after a stop the page shows %s", firstDifference(got, short))
	}
}

// TestBrowserSDKHeaders shows that a page of an allowed origin may send what SDKs
// send by themselves, besides their key: what they are, and how often they try.
func TestBrowserSDKHeaders(t *testing.T) {
	t.Parallel()
	_, originURL := startOrigin(t)
	s, page := startBrowserExample(t, originURL)
	p := openTab(t, startBrowser(t), page(s.url))
	eval[bool](p, `fetch("`+s.url+`/v1/chat/completions", {
		method: "POST",
		headers: {
			"Content-Type": "application/json", "Authorization": "Bearer any", "X-Stainless-Lang": "js", "X-Stainless-Retry-Count": "0",
			"OpenAI-Organization": "o", "Anthropic-Dangerous-Direct-Browser-Access": "true",
		},
		body: JSON.stringify({ model: "origin/m", messages: [{ role: "user", content: "tokens=1" }] }),
	}).then((response) => response.status, String).then((told) => (window.told = told)) && true`)
	p.waitFor("window.told")
	if got := eval[any](p, "window.told"); got != 200.0 {
		t.Errorf("the page was told %v", got)
	}
}
