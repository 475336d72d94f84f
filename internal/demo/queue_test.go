package demo

import (
	"bytes"
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
func TestQueueIsBounded(t *testing.T) {
	const rounds, size = 10_000, 1 << 10
	q := newQueue()
	for range rounds {
		q.offer(message{Bytes: make([]byte, size)})
	}
	if q.bytes > queueBytes || len(q.waiting) > queueBytes/size+1 {
		t.Errorf("%d bytes wait in %d messages", q.bytes, len(q.waiting))
	}
	told, markers := 0, 0
	waiting, last := q.take()
	for _, m := range waiting {
		told += len(m.Bytes) + m.Dropped
		if m.Dropped > 0 {
			markers++
		}
	}
	if told != rounds*size || markers != 1 || last {
		t.Errorf("%d bytes are shown or told missing, with %d markers; last: %v", told, markers, last)
	}
	q.offer(message{Bytes: []byte("x")})
	q.offer(message{End: endReset})
	q.offer(message{End: endClosed})
	q.offer(message{Bytes: []byte("too late")})
	if waiting, last := q.take(); len(waiting) != 2 || waiting[1].End != endReset || !last {
		t.Errorf("at the end %+v is shown; last: %v", waiting, last)
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
