package load

import (
	"fmt"
	"testing"
	"time"
)

const ms = time.Millisecond

func stamped(at time.Duration) string {
	b := AppendStamp(nil)
	writeTime(b[1:], at)
	return fmt.Sprintf("2a\r\ndata: {\"content\":\"%s x\"}\n\n\r\n", b)
}

// However what comes is cut, the tokens in it are the same, and so is the end.
func TestHearIsNotMisledByCuts(t *testing.T) {
	text := stamped(20*ms) + stamped(40*ms) + finalChunk[2:]
	for cut := 1; cut < len(text); cut++ {
		a, h := answer{gap: 20 * ms, asked: 5 * ms}, Heard{}
		if a.hear([]byte(text[:cut]), 30*ms, &h) {
			t.Fatalf("cut at %d: ended before the end", cut)
		}
		if !a.hear([]byte(text[cut:]), 50*ms, &h) {
			t.Fatalf("cut at %d: not ended", cut)
		}
		if a.tokens != 2 || len(h.Delays) != 2 || len(h.First) != 1 {
			t.Fatalf("cut at %d: %d tokens, heard %+v", cut, a.tokens, h)
		}
	}
}

func TestHearKnowsWhatIsHeldBack(t *testing.T) {
	type token struct{ written, arrived time.Duration }
	for name, c := range map[string]struct {
		tokens []token
		held   int64
	}{
		"each at once":                          {[]token{{0, 1}, {20, 21}, {40, 41}}, 0},
		"late, but before the next was written": {[]token{{0, 19}, {20, 39}, {40, 59}}, 0},
		"together with the next":                {[]token{{0, 21}, {20, 21}, {40, 41}}, 1},
		"just before the next":                  {[]token{{0, 22}, {20, 23}, {40, 41}}, 1},
		"all at the end":                        {[]token{{0, 41}, {20, 41}, {40, 41}}, 2},
		"written together":                      {[]token{{18, 21}, {20, 21}, {40, 41}}, 0},
	} {
		a, h := answer{gap: 20 * ms}, Heard{}
		for _, k := range c.tokens {
			a.hear([]byte(stamped(k.written*ms)), k.arrived*ms, &h)
		}
		if h.Held != c.held {
			t.Errorf("%s: %d are held back, want %d", name, h.Held, c.held)
		}
		for i, k := range c.tokens {
			if want := (k.arrived - k.written) * ms; h.Delays[i] != want {
				t.Errorf("%s: token %d was on its way for %v, want %v", name, i, h.Delays[i], want)
			}
		}
	}
}

func TestHearTimesTheFirstTokenFromTheRequest(t *testing.T) {
	var h Heard
	for _, asked := range []time.Duration{3 * ms, 10 * ms} {
		a := answer{gap: 20 * ms, asked: asked}
		a.hear([]byte("HTTP/1.1 200 OK\r\n\r\n2a\r\ndata: {\"content\":\"\"}\n\n\r\n"), asked+ms, &h)
		a.hear([]byte(stamped(asked+2*ms)), asked+5*ms, &h)
		a.hear([]byte(stamped(asked+22*ms)), asked+23*ms, &h)
	}
	if len(h.First) != 2 || h.First[0] != 5*ms || h.First[1] != 5*ms {
		t.Errorf("the first tokens came after %v, want 5ms", h.First)
	}
}
