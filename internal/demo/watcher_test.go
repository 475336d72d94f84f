package demo

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestSampleTokens(t *testing.T) {
	tokens := sampleTokens()
	if got := string(bytes.Join(tokens, nil)); got != sample {
		t.Errorf("the tokens are together %q", got)
	}
	if n := len(tokens); n < 250 || n > 350 {
		t.Errorf("there are %d tokens", n)
	}
	halves := 0
	for _, token := range tokens {
		if len(token) == 0 {
			t.Error("a token is empty")
		}
		if !utf8.Valid(token) {
			halves++
		}
	}
	if halves != 4 {
		t.Errorf("%d tokens end or begin inside a character instead of 4", halves)
	}
}

// Guarantee 7.
func TestWatcherIsBounded(t *testing.T) {
	const rounds, size = 10_000, 1 << 10
	w := newWatcher()
	for range rounds {
		for _, tap := range []string{"a", "b"} {
			w.offer(message{Tap: tap, Bytes: make([]byte, size)})
		}
	}
	if w.bytes > queueBytes || len(w.queue) > queueBytes/size+2 {
		t.Errorf("%d bytes wait in %d messages", w.bytes, len(w.queue))
	}
	seen := map[string]int{}
	markers := 0
	encoded, err := w.take()
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range encoded {
		var m message
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		seen[m.Tap] += len(m.Bytes) + m.Dropped
		if m.Dropped > 0 {
			markers++
		}
	}
	if seen["a"] != rounds*size || seen["b"] != rounds*size || markers != 2 {
		t.Errorf("%v bytes were shown or told missing, with %d markers", seen, markers)
	}
	w.offer(message{Tap: "a", Bytes: []byte("x")})
	if again, err := w.take(); err != nil || len(again) != 1 {
		t.Errorf("after that %d messages are shown, error %v", len(again), err)
	}
}

func TestIsTap(t *testing.T) {
	for s, want := range map[string]bool{
		"0123456789abcdef": true, "0123456789abcde": false, "AZaz09-_AZaz09-_": true,
		"0123456789abcde/": false, "0123456789abcdeä": false, "": false,
	} {
		if isTap(s) != want {
			t.Errorf("isTap(%q) is %v", s, !want)
		}
	}
}
