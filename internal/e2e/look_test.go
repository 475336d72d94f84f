package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// testLook checks that the page fits, and keeps pictures of it (go test
// -artifacts -outputdir DIR).
func testLook(t *testing.T, s *server, browser context.Context) {
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360, 320} {
			t.Run(fmt.Sprintf("%s-%d", scheme, width), func(t *testing.T) {
				p := openTab(t, browser, s.url+"/#"+s.demo("rate=60&tokens=2000"), as(scheme, width)...)
				p.waitText(300)
				p.click("[data-pane=sse] button[data-cut]")
				p.waitFor(in("sse", "[data-cuts]") + ".textContent == '1'")
				p.waitText(700)
				p.checkLook(scheme, width)
			})
		}
	}
}

// as lets a page be shown in a colour scheme, on a screen of a width.
func as(scheme string, width int64) []chromedp.Action[chromedp.Void] {
	return []chromedp.Action[chromedp.Void]{
		chromedp.EmulateViewport(width, 900, chromedp.EmulateScale(2)),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}),
	}
}

// checkLook checks that the page fits, and keeps pictures of it.
func (p *tab) checkLook(scheme string, width int64) {
	p.t.Helper()
	if over := eval[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		p.t.Errorf("the page is %d pixels wider than the window: %v", over, eval[[]string](p, `
			[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 80))`))
	}
	dark := eval[bool](p, "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((c) => c < 64)")
	if dark != (scheme == "dark") {
		p.t.Errorf("the background is dark: %v", dark)
	}
	for name, png := range map[string][]byte{
		"part":  get(p, chromedp.CaptureScreenshot()),
		"whole": get(p, chromedp.FullScreenshot(100)),
	} {
		path := filepath.Join(p.t.ArtifactDir(), fmt.Sprintf("%s-%d-%s.png", scheme, width, name))
		if err := os.WriteFile(path, png, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}
