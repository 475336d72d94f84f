package e2e

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/freshet-stream/freshet/internal/faultproxy"
	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

const useChat = "../../examples/usechat"

// watchStatus keeps what the page's status was.
const watchStatus = `
window.statuses = [];
const status = document.querySelector("#status");
new MutationObserver(() => window.statuses.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
null`

// A useChatRig is the example before a server of its own.
type useChatRig struct {
	origin *origin.Origin
	proxy  *faultproxy.Proxy
	want   string
	tab    *tab
}

// startUseChat serves what was built of the example, as npm run preview does, and
// asks the question whose answer stalls.
func startUseChat(t *testing.T, browser context.Context, built string) *useChatRig {
	t.Helper()
	o, originURL := startOrigin(t)
	s := startGateway(t, originURL)
	preview := start(t, "env", "-C", useChat, "FRESHET_URL="+s.url, "NO_COLOR=1",
		"node", "node_modules/vite/bin/vite.js", "preview", "--outDir", built, "--host", "127.0.0.1", "--port", "0")
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	preview.await(preview.stdout, url.MatchString)
	proxy := proxyTo(t, &server{url: url.FindString(preview.stdout.String())})
	r := &useChatRig{origin: o, proxy: proxy, want: originText(t, originURL, slowly)}
	r.tab = openTab(t, browser, "http://"+proxy.Addr()+"/?model=origin/m")
	r.tab.waitFor(`document.querySelector("input")`)
	r.tab.ask(slowly)
	r.tab.waitFor(shownAnswer + ".length > 10")
	return r
}

// second opens the conversation in another tab.
func (r *useChatRig) second() *tab {
	r.tab.t.Helper()
	p := openTab(r.tab.t, r.tab.ctx, eval[string](r.tab, "location.href"))
	p.waitFor(shownStatus + ` == "streaming"`)
	p.waitFor(shownAnswer + ".length > 10")
	return p
}

// TestUseChatExample shows that stock useChat with `resume` goes on after a cut and
// after a refresh in mid-answer, that a second tab shows the same, and that its
// stop button stops the model for both.
func TestUseChatExample(t *testing.T) {
	t.Parallel()
	built := t.TempDir()
	build := exec.CommandContext(t.Context(), "node", "node_modules/vite/bin/vite.js", "build", "--outDir", built, "--emptyOutDir")
	build.Dir, build.Env = useChat, append(os.Environ(), "NO_COLOR=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build examples/usechat: %v; run scripts/setup\n%s", err, out)
	}
	browser := startBrowser(t)
	t.Run("resume", func(t *testing.T) {
		r := startUseChat(t, browser, built)
		eval[any](r.tab, watchStatus)
		cut(t, r.proxy)
		r.tab.waitFor(`window.statuses.includes("network error") && window.statuses.at(-1) == "streaming"`)
		r.tab.run(chromedp.Reload())
		r.tab.waitFor(shownStatus + ` == "streaming"`)
		second := r.second()
		r.origin.Resume()
		for _, p := range []*tab{r.tab, second} {
			p.waitFor(shownStatus + ` == "ready"`)
			if got := eval[string](p, shownAnswer); got != r.want {
				t.Errorf("the page shows %s", firstDifference(got, r.want))
			}
			if n := eval[int](p, `document.querySelectorAll("#messages p").length`); n != 2 {
				t.Errorf("the page shows %d messages", n)
			}
		}
		if n := r.origin.Counts().Requests; n != 2 {
			t.Errorf("the origin was asked %d times, of which once by the test", n)
		}
	})
	t.Run("stop", func(t *testing.T) {
		r := startUseChat(t, browser, built)
		second := r.second()
		r.tab.click("#stop")
		awaitStopped(t, r.origin)
		for _, p := range []*tab{r.tab, second} {
			p.waitFor(shownStatus + ` == "ready"`)
		}
		got, same := eval[string](r.tab, shownAnswer), eval[string](second, shownAnswer)
		if got != same || len(got) <= 10 || got == r.want || !strings.HasPrefix(r.want, got) {
			t.Errorf("stopped, the pages show %q and %q of %q", got, same, r.want)
		}
	})
}
