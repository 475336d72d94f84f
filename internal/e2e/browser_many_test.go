package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/faultproxy"
)

const (
	// singles is how many EventSources a page has at once over HTTP/1.1, of which
	// a browser has six connections to a host, and set how many streams it
	// follows through one POST /v1/follow.
	singles, set = 5, 32
	// setRecords is how many records each stream gets.
	setRecords = 20
)

// TestBrowserFollowsMany has one page follow 37 streams over HTTP/1.1 and append
// to them. It takes one connection for each EventSource, one for the set, and
// one for all appends; and loses nothing if they are cut.
func TestBrowserFollowsMany(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	browser := startBrowser(t)
	random := rand.New(rand.NewPCG(37, 0))
	var records []string
	for n := range setRecords {
		records = append(records, jsonRecord(n, sentence(random, 500+random.IntN(1000))))
	}
	for _, tt := range []struct {
		name string
		// most bounds what a connection lets through. When it fails, Chromium
		// keeps from the page what fetch has received and the page not read.
		most int
	}{{"uncut", 0}, {"cut", 200_000}} {
		t.Run(tt.name, func(t *testing.T) {
			var names []string
			for i := range singles + set {
				name := fmt.Sprintf("many/%s/%d", tt.name, i)
				s.do("PUT", "/v1/stream/"+name, "", "Content-Type", "application/json")
				names = append(names, name)
			}
			proxy, err := faultproxy.New(faultproxy.Options{
				Target: strings.TrimPrefix(s.url, "http://"), Least: min(tt.most, 2_000), Most: tt.most, Seed: 37,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = proxy.Close() })
			p := openTab(t, browser, "http://"+proxy.Addr()+"/healthz")
			eval[any](p, followScript+"; null")
			got := followMany(p, names[:singles], names[singles:], records)
			for i, h := range got {
				if text := strings.Join(h.Data, "\n"); text != strings.Join(records, "\n") {
					t.Errorf("%s gave %s", names[i], firstDifference(text, strings.Join(records, "\n")))
				}
				stopped := "clean end"
				if i < singles {
					stopped = "closed"
				}
				if h.Gaps != 0 || h.Reason != "completed" || h.Stopped != stopped {
					t.Errorf("%s: %d gaps, reason %q, stopped by %q", names[i], h.Gaps, h.Reason, h.Stopped)
				}
			}
			if protocols := eval[[]string](p, protocols); len(protocols) != 1 || protocols[0] != "http/1.1" {
				t.Errorf("spoke %q", protocols)
			}
			counts := proxy.Counts()
			t.Logf("%+v, the set connected %d times", counts, got[singles].Opens)
			switch {
			case tt.most == 0 && counts.Connections != singles+2:
				t.Errorf("there were %d connections", counts.Connections)
			case tt.most > 0 && (counts.Cuts() < leastCuts || counts.FIN == 0 || counts.RST == 0 || got[singles].Opens < leastCuts):
				t.Errorf("the proxy cut too seldom: %+v", counts)
			}
		})
	}
}

// followMany runs the function of that name in page/follow.js.
func followMany(p *tab, single, set, records []string) []heard {
	p.t.Helper()
	var args []string
	for _, list := range [][]string{single, set, records} {
		arg, err := json.Marshal(append([]string{}, list...))
		if err != nil {
			p.t.Fatal(err)
		}
		args = append(args, string(arg))
	}
	return eval[[]heard](p, "followMany("+strings.Join(args, ", ")+")")
}
