package e2e

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long anything in the browser may take.
const patience = 90 * time.Second

// startBrowser runs a headless Chromium with a fresh profile until the test
// ends, with some more flags. Tabs are opened in the context that it returns.
func startBrowser(t *testing.T, flags ...string) context.Context {
	t.Helper()
	binary := os.Getenv("CHROMIUM")
	if binary == "" {
		var err error
		if binary, err = exec.LookPath("chromium"); err != nil {
			t.Fatalf("%v; run scripts/setup", err)
		}
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(binary),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(time.Minute),
	}
	for _, flag := range append(flags,
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars",
	) {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("run chromium: %v", err)
	}
	return ctx
}

// A tab is one of a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// observe runs before the page's own scripts. It counts the EventSource objects
// that they make, and keeps what the panes are given at which offset, what the
// streams of their taps have, and which server took a post.
const observe = `
window.sources = 0;
window.heard = { sse: [], ws: [] };
window.EventSource = class extends EventSource {
  constructor(...args) {
    super(...args);
    window.sources++;
    this.addEventListener("message", ({ data, lastEventId }) => window.heard.sse.push({ offset: lastEventId, data }));
  }
};
window.tapped = [];
window.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    const isTap = new URL(this.url).pathname === "/v1/ws";
    this.addEventListener("message", ({ data }) => {
      const { stream, records = [] } = JSON.parse(data);
      if (isTap) for (const record of records) window.tapped.push({ tap: stream, ...record.data });
      else window.heard.ws.push(...records);
    });
  }
};
window.posts = [];
window.fetch = new Proxy(fetch, {
  async apply(target, self, args) {
    const response = await Reflect.apply(target, self, args);
    if (args[1]?.method === "POST") {
      window.posts.push({ path: args[0], server: response.headers.get("Freshet-Server"), offset: response.headers.get("Stream-Next-Offset") });
    }
    return response;
  },
});
window.failures = [];
window.addEventListener("error", ({ message }) => window.failures.push(message));
window.addEventListener("unhandledrejection", ({ reason }) => window.failures.push(String(reason)));
document.addEventListener("securitypolicyviolation", (e) => window.failures.push(e.violatedDirective + " " + e.blockedURI));
`

// openTab opens a tab with a URL. When the test ends it checks that the page's
// scripts did not fail.
func openTab(t *testing.T, browser context.Context, url string, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &tab{t, ctx}
	// The first call has no time limit of its own: it would be the tab's.
	if err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: observe})
		return err
	})); err != nil {
		t.Fatal(err)
	}
	p.run(before...)
	p.run(chromedp.Navigate(url))
	t.Cleanup(func() {
		if failures := eval[[]string](p, `window.failures`); len(failures) > 0 {
			t.Errorf("the page's scripts failed: %q", failures)
		}
	})
	return p
}

func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// get returns what an action returns.
func get[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// eval returns the value of an expression, or what its promise resolves to.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	return get(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// waitFor waits until an expression is true.
func (p *tab) waitFor(expression string) {
	p.t.Helper()
	for by := time.Now().Add(patience); !eval[bool](p, "!!("+expression+")"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(by) {
			p.t.Fatalf("the page never came to %s; it shows:\n%s", expression, eval[string](p, `document.body.innerText`))
		}
	}
}

// click clicks on what a selector finds.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.run(chromedp.Click(chromedp.CSS(selector)))
}
