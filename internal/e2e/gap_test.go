package e2e

import (
	"context"
	"fmt"
	"strconv"
	"testing"
)

// gapSeen is what a page sees of a gap over a native EventSource.
type gapSeen struct {
	Requested, Resumed, Why string
	// ID is the browser's last event id after the gap, and Text what came
	// then.
	ID, Text string
}

// followGap opens a native EventSource at an id and returns the gap and the
// text after it.
const followGap = `new Promise((resolve, reject) => {
  const source = new EventSource("/v1/stream/%s?last-event-id=" + encodeURIComponent(%q));
  let gap, before = "";
  source.addEventListener("stream-gap", (e) => (gap = { ...JSON.parse(e.data), id: e.lastEventId }));
  source.onmessage = (e) => {
    if (!gap) { before += e.data; return; }
    source.close();
    resolve({ ...gap, text: before + e.data });
  };
  source.onerror = () => { source.close(); reject(new Error("the connection ended without a gap")); };
})`

// Guarantee 6.
func testGaps(t *testing.T, s *server, browser context.Context) {
	const stream = "/v1/stream/gaps/one"
	create := func(text string) (tail string) {
		response, _ := s.do("PUT", stream, text, "Content-Type", "text/plain")
		return response.Header.Get("Stream-Next-Offset")
	}
	former := create("of the former stream")
	s.do("DELETE", stream, "")
	tail := create("of the new stream")
	seq, err := strconv.Atoi(tail[:16])
	if err != nil {
		t.Fatal(err)
	}
	s.do("PUT", "/v1/stream/gaps/other", "x", "Content-Type", "text/plain")
	other, _ := s.do("HEAD", "/v1/stream/gaps/other", "")

	p := openTab(t, browser, s.url+"/#gaps/one")
	for name, tt := range map[string]struct{ id, why string }{
		"a re-created stream": {former, "diverged"},
		"another stream's id": {other.Header.Get("Stream-Next-Offset"), "diverged"},
		"a foreign id":        {"event-42", "diverged"},
		"beyond the tail":     {fmt.Sprintf("%016d%s", seq+100, tail[16:]), "ahead"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tab{t, p.ctx}
			got := eval[gapSeen](p, fmt.Sprintf(followGap, "gaps/one", tt.id))
			if got.Why != tt.why || got.Requested != tt.id || got.Text != "of the new stream" || got.ID != got.Resumed {
				t.Errorf("got %+v for %s", got, tt.id)
			}
		})
	}
}
