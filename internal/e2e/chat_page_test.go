package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestChatPage drives the chat that serve shows, in Chromium.
func TestChatPage(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	for name, test := range map[string]func(*testing.T, context.Context){
		"resume": testChatResume, "stop": testChatStop, "early stop": testChatEarlyStop,
		"failures": testChatFailures, "restart": testChatRestart, "hostile": testChatHostile, "markdown": testChatMarkdown, "look": testChatLook,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, browser)
		})
	}
}

// openChat opens a new chat, whose questions go to a model.
func openChat(t *testing.T, browser context.Context, s *server, model string) *tab {
	t.Helper()
	p := openTab(t, browser, s.url+"/chat")
	p.run(chromedp.SetValue(chromedp.CSS("#model"), model))
	return p
}

// again opens the same chat in a second tab.
func (p *tab) again() *tab {
	p.t.Helper()
	return openTab(p.t, p.ctx, eval[string](p, "location.href"))
}

// say types a question and sends it.
func (p *tab) say(question string) {
	p.t.Helper()
	p.run(chromedp.SendKeys(chromedp.CSS("#say textarea"), question+"\r"))
}

// turn returns an expression for what a selector finds in the last turn.
func turn(selector string) string {
	return fmt.Sprintf("document.querySelector('[data-turn]:last-child %s')", selector)
}

// waitAnswer waits until more than n characters of the last answer are shown.
func (p *tab) waitAnswer(n int) {
	p.t.Helper()
	p.waitFor(fmt.Sprintf("%s?.textContent.length > %d", turn("[data-answer]"), n))
}

func (p *tab) waitState(state string) {
	p.t.Helper()
	p.waitFor(fmt.Sprintf("%s?.dataset.state == '%s'", turn("[data-state]"), state))
}

// checkAnswer checks that the last answer is shown, and kept as it came.
func (p *tab) checkAnswer(want string) {
	p.t.Helper()
	if got := eval[string](p, turn("[data-answer]")+".textContent"); solid(got) != solid(want) {
		p.t.Errorf("the page shows %s", firstDifference(solid(got), solid(want)))
	}
	kept := eval[string](p, `JSON.parse(localStorage[Object.keys(localStorage).filter((key) => key.startsWith("freshet-chat/" + location.hash.slice(1) + "/")).sort().at(-1)]).end.text`)
	if kept != want {
		p.t.Errorf("the page keeps %s", firstDifference(kept, want))
	}
}

// solid returns a text without the white space that layout makes of Markdown.
func solid(text string) string { return strings.Join(strings.Fields(text), "") }

// figure returns what a meter of the last turn shows.
func (p *tab) figure(name string) string {
	p.t.Helper()
	return eval[string](p, turn("[data-figure="+name+"]")+".textContent")
}

// The answer goes on after a refresh in its middle, a second tab shows the same,
// and the model is asked once. Then either tab goes on with the chat.
func testChatResume(t *testing.T, browser context.Context) {
	o, originURL := startOrigin(t)
	want, short := originText(t, originURL, slowly), originText(t, originURL, "tokens=6")
	p := openChat(t, browser, startGateway(t, originURL), "origin/m")
	p.say(slowly)
	p.waitAnswer(10)
	p.waitState("live")
	p.run(chromedp.Reload())
	p.waitAnswer(10)
	second := p.again()
	second.waitAnswer(10)
	for _, tab := range []*tab{p, second} {
		tab.waitState("live")
		if got := eval[string](tab, turn("[data-answer]")+".textContent"); !strings.HasPrefix(solid(want), solid(got)) || solid(got) == solid(want) {
			t.Errorf("in mid-answer the page shows %q", got)
		}
	}
	o.Resume()
	for _, tab := range []*tab{p, second} {
		tab.waitState("completed")
		tab.checkAnswer(want)
		if got := tab.figure("tokens"); got != "120 tokens (usage)" {
			t.Errorf("the page counts %q", got)
		}
		for _, name := range []string{"first", "rate", "server"} {
			if tab.figure(name) == "" {
				t.Errorf("the page does not tell the %s", name)
			}
		}
	}
	p.checkReload()
	second.run(chromedp.SetValue(chromedp.CSS("#model"), "origin/m"))
	second.say("tokens=6")
	for _, tab := range []*tab{p, second} {
		tab.waitFor(`document.querySelectorAll("[data-turn]").length == 2`)
		tab.waitState("completed")
		tab.checkAnswer(short)
	}
	if n := o.Counts().Requests; n != 4 {
		t.Errorf("the origin was asked %d times for two answers, and twice by the test", n)
	}
}

// checkReload checks that an answer which was drawn as it came is the same when it
// is drawn at once.
func (p *tab) checkReload() {
	p.t.Helper()
	before := eval[string](p, turn("[data-answer]")+".innerHTML")
	p.run(chromedp.Reload())
	p.waitAnswer(0)
	if after := eval[string](p, turn("[data-answer]")+".innerHTML"); after != before {
		p.t.Errorf("after a reload the page shows %s", firstDifference(after, before))
	}
}

// A stop in one tab stops the answer at the model, and both show it.
func testChatStop(t *testing.T, browser context.Context) {
	o, originURL := startOrigin(t)
	want := originText(t, originURL, slowly)
	p := openChat(t, browser, startGateway(t, originURL), "origin/m")
	p.say(slowly)
	p.waitAnswer(10)
	second := p.again()
	second.waitAnswer(10)
	second.click("#stop")
	awaitStopped(t, o)
	for _, tab := range []*tab{p, second} {
		tab.waitState("cancelled")
		tab.waitFor("!document.querySelector('#send').hidden")
	}
	got, same := eval[string](p, turn("[data-answer]")+".textContent"), eval[string](second, turn("[data-answer]")+".textContent")
	if got != same || len(got) <= 10 || solid(got) == solid(want) || !strings.HasPrefix(solid(want), solid(got)) {
		t.Errorf("stopped, the tabs show %q and %q of %q", got, same, want)
	}
	p.checkReload()
	p.waitState("cancelled")
}

// A stop before anybody knows where the answer will be waits for that, also when
// the tab that has asked is gone: another asks on, and the model is asked once.
func testChatEarlyStop(t *testing.T, browser context.Context) {
	asked, begin, left := make(chan struct{}, 9), make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		// What is not read keeps the server from seeing that the caller leaves.
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-begin
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":"So"}}]}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	}))
	t.Cleanup(upstream.Close)
	p := openChat(t, browser, startGateway(t, upstream.URL), "m")
	p.say("Well?")
	<-asked
	second := p.again()
	second.waitState("asking")
	p.run(chromedp.Reload())
	second.click("#stop")
	for _, tab := range []*tab{p, second} {
		tab.waitFor(turn("[data-state]") + "?.textContent == 'stopping'")
	}
	close(begin)
	<-left
	for _, tab := range []*tab{p, second} {
		tab.waitState("cancelled")
		if got := eval[string](tab, turn("[data-answer]")+".textContent"); !strings.HasPrefix("So", got) {
			t.Errorf("stopped, the tab shows %q", got)
		}
	}
	if len(asked) > 0 {
		t.Errorf("the model was asked %d times more", len(asked))
	}
}

// What went wrong is told, and is tried again when asked to.
func testChatFailures(t *testing.T, browser context.Context) {
	o, originURL := startOrigin(t)
	p := openChat(t, browser, startGateway(t, originURL, "--upstream-stall-timeout", "1s"), "origin/m")
	for _, failure := range []struct{ question, state, message string }{
		{"status=429 retry-after=7", "refused", "429: The prompt asked for 429 Too Many Requests. It asks to wait for 7 s."},
		{"tokens=20 error=5", "failed", "The server had an error while processing your request."},
		{"tokens=20 end=5", "failed", "The answer ended before it was complete."},
		{"tokens=20 stall=5", "failed", "The model fell silent."},
	} {
		before := o.Counts().Requests
		p.say(failure.question)
		for n := range 2 {
			p.waitFor(turn("[data-question]") + "?.textContent == '" + failure.question + "'")
			p.waitState(failure.state)
			if got := eval[string](p, turn("[data-message]")+".textContent"); got != failure.message {
				t.Errorf("of %s the page says %q", failure.question, got)
			}
			if got := o.Counts().Requests - before; got != n+1 {
				t.Errorf("%s was asked %d times and not %d", failure.question, got, n+1)
			}
			if n == 0 {
				p.click("[data-turn]:last-child [data-again]")
				p.waitFor(fmt.Sprintf("%s.dataset.state != %q", turn("[data-state]"), failure.state))
			}
		}
	}
}

// The page finds back to a server that was restarted: it learns that the answer was
// interrupted, and asks what could not be asked.
func testChatRestart(t *testing.T, browser context.Context) {
	s := &server{t: t}
	store := "pebble:" + t.TempDir()
	s.run("--listen", "127.0.0.1:0", "--store", store)
	restart := func() { s.run("--listen", strings.TrimPrefix(s.url, "http://"), "--store", store) }
	p := openChat(t, browser, s, "demo")
	p.say("Will you last?")
	p.waitAnswer(30)
	s.stop()
	restart()
	p.waitState("interrupted")
	if got := eval[string](p, turn("[data-message]")+".textContent"); got != "The server that made the answer went away." {
		t.Errorf("of a server that went away the page says %q", got)
	}
	p.waitAnswer(29)
	s.stop()
	p.click("[data-turn]:last-child [data-again]")
	p.waitState("reconnecting")
	restart()
	p.waitAnswer(30)
	// A mouse may miss what moves down as the answer grows.
	eval[bool](p, turn("[data-stream]")+".click() || true")
	p.waitText(30)
	if got := p.stream(); !strings.HasPrefix(got, "gen/") {
		t.Errorf("the answer's stream is %s", got)
	}
}

// hostile is what a model might be made to say.
var hostile = strings.Join([]string{
	"<script>window.pwned = 1</script>",
	"Text <img src=x onerror=\"window.pwned = 2\"> <svg onload=\"window.pwned = 3\"> <iframe src=\"javascript:window.pwned = 4\"></iframe>",
	"[one](javascript:window.pwned=5) [two](JaVaScRiPt:window.pwned=6) [three](\x01javascript:window.pwned=7) [four](java&#x73;cript:window.pwned=8) " +
		"[five](data:text/html,<script>window.pwned=9</script>) [six](vbscript:x) [seven](//elsewhere.example/x) [eight](/v1/streams) [nine](blob:x) <javascript:window.pwned=10>",
	"[good](https://example.com/?a=1&b=2 \"a title\") <mailto:a@example.com> https://example.com/plain",
	"![picture](https://example.com/pixel.png) ![](javascript:window.pwned=11) [![inner](https://example.com/i.png)](javascript:window.pwned=12)",
	"```js\" onload=\"window.pwned=13\n</code></pre><script>window.pwned=14</script>\n```",
	"| a | <b onclick=window.pwned=15>b</b> |\n|---|:-:|\n| " + strings.Repeat("wide", 60) + " | `<script>` |",
	"1. one\n\n   ```sh\n   ls\n   ```\n2. snake_case_name, $5 and &lt;&amp;&#0;&#99999999;\n   - [x] done",
	strings.Repeat("unbreakable", 80),
	strings.Repeat("> ", 80) + "deep",
	strings.Repeat("> ", 3000) + "deeper",
}, "\n\n")

// Whatever an answer says, it becomes text, and links to where links may lead.
func testChatHostile(t *testing.T, browser context.Context) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for rest := hostile; rest != ""; {
			n := min(len(rest), 16) // all of it is ASCII
			data, err := json.Marshal(map[string]any{"choices": []any{map[string]any{"index": 0, "delta": map[string]string{"content": rest[:n]}}}})
			if err != nil {
				t.Error(err)
			}
			_, _ = fmt.Fprintf(w, "data: %s\n\n", data) // a caller who has left
			rest = rest[n:]
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(upstream.Close)
	p := openChat(t, browser, startGateway(t, upstream.URL), "m")
	p.run(as("light", 320)...)
	p.say("Please <b>be</b> nice")
	p.waitState("completed")
	if got := eval[string](p, turn("[data-question]")+".textContent"); got != "Please <b>be</b> nice" {
		t.Errorf("the question is shown as %q", got)
	}
	tags := eval[[]string](p, `[...new Set([...`+turn("[data-answer]")+`.querySelectorAll("*")].map((e) => e.localName))].sort()`)
	for _, tag := range tags {
		if !strings.Contains(" a blockquote code div h3 h4 input li ol p pre span table tbody td th thead tr ul ", " "+tag+" ") {
			t.Errorf("the answer has become a %s", tag)
		}
	}
	names := eval[[]string](p, `[...new Set([...`+turn("[data-answer]")+`.querySelectorAll("*")].flatMap((e) => e.getAttributeNames()))].sort()`)
	for _, name := range names {
		if !strings.Contains(" checked class data-align data-language disabled href rel start tabindex target title type ", " "+name+" ") {
			t.Errorf("the answer has set the attribute %s", name)
		}
	}
	links := strings.Join(eval[[]string](p, `[...`+turn("[data-answer]")+`.querySelectorAll("a")].map((a) => a.href + " " + a.rel)`), "\n")
	want := "https://example.com/?a=1&b=2 noopener noreferrer\nmailto:a@example.com noopener noreferrer\nhttps://example.com/plain noopener noreferrer\n" +
		"https://example.com/pixel.png noopener noreferrer\nhttps://example.com/i.png noopener noreferrer"
	if links != want {
		t.Errorf("the answer links to\n%s", links)
	}
	shown := eval[string](p, turn("[data-answer]")+".textContent")
	for _, part := range []string{"<script>window.pwned = 1</script>", "onerror=\"window.pwned = 2\"", "</code></pre><script>window.pwned=14</script>", "snake_case_name, $5 and <&", "deeper"} {
		if !strings.Contains(shown, part) {
			t.Errorf("the page does not show %s", part)
		}
	}
	if pwned := eval[any](p, "window.pwned ?? null"); pwned != nil {
		t.Errorf("script %v of the answer ran", pwned)
	}
	p.checkLook("light", 320)
	p.checkReload()
}

// The page fits, while an answer comes and after it, and pictures of it are kept.
func testChatLook(t *testing.T, browser context.Context) {
	s := startServer(t)
	phone := openTab(t, browser, s.url+"/chat", as("light", 390)...)
	phone.checkLook("light", 390)
	phone.waitFor("document.querySelector('#model').value == 'demo'")
	phone.say("What is real here?")
	for scheme, width := range map[string]int64{"light": 1280, "dark": 390} {
		t.Run(fmt.Sprintf("live-%s-%d", scheme, width), func(t *testing.T) {
			p := openTab(t, browser, eval[string](phone, "location.href"), as(scheme, width)...)
			p.waitAnswer(600)
			p.checkLook(scheme, width)
		})
	}
	phone.waitState("completed")
	shown := eval[string](phone, turn("[data-answer]")+".innerText")
	if !strings.HasPrefix(shown, "This is the demo upstream of Freshet.") || !strings.HasSuffix(strings.TrimSpace(shown), "you will hear it again.") {
		t.Errorf("the page shows %q", shown)
	}
	phone.say("And **this** one, with a longer question, which takes more than a line to ask on a phone?")
	phone.waitAnswer(20)
	phone.click("#stop")
	phone.waitState("cancelled")
	for _, look := range []struct {
		scheme string
		width  int64
	}{{"light", 390}, {"light", 320}, {"dark", 1280}} {
		t.Run(fmt.Sprintf("%s-%d", look.scheme, look.width), func(t *testing.T) {
			p := openTab(t, browser, eval[string](phone, "location.href"), as(look.scheme, look.width)...)
			p.waitState("cancelled")
			p.checkLook(look.scheme, look.width)
		})
	}
}
