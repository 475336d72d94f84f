package e2e

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"
)

//go:embed page/follow.js
var followScript string

// A heard is what page/follow.js says of one stream.
type heard struct {
	followed
	Data []string
}

// TestBrowserClients shows guarantees 2 and 5 with Chromium's own EventSource
// and WebSocket, through proxies that keep cutting them.
func TestBrowserClients(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	browser := startBrowser(t)
	for i, client := range []struct{ name, function, stopped string }{
		{"EventSource", "followEvents", "closed"},
		{"WebSocket", "followSocket", "1000"},
	} {
		for j, content := range []string{"json", "text"} {
			t.Run(client.name+"/"+content, func(t *testing.T) {
				t.Parallel()
				seed := uint64(100 + 2*i + j)
				f, separator := jsonFeed(seed, feedBytes), "\n"
				if content == "text" {
					f, separator = textFeed(seed, feedBytes, false), ""
				}
				proxy := followProxy(t, s, seed, mostLet)
				p := openTab(t, browser, "http://"+proxy.Addr()+"/healthz")
				eval[any](p, followScript+"; null")
				name := "browser/" + client.name + "/" + content
				f.create(s, name)
				given := make(chan error, 1)
				go func() { given <- f.give(s, name, feedTime) }()
				got := eval[heard](p, fmt.Sprintf(`%s(location.origin + "/v1/stream/%s", blank())`, client.function, name))
				if err := <-given; err != nil {
					t.Fatal(err)
				}
				text := strings.Join(append(got.Data, ""), separator)
				if text != f.want {
					t.Errorf("the page was given %s", firstDifference(text, f.want))
				}
				checkCuts(t, proxy, got.followed)
				if got.Stopped != client.stopped {
					t.Errorf("stopped by %q instead of %q", got.Stopped, client.stopped)
				}
			})
		}
	}
}
