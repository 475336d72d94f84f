package redisstore

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// Trap: a try that was given up comes to Redis after all, when the same call has
// landed by another connection, and others since. It does not land again.
func TestLateTryDoesNotLandAgain(t *testing.T) {
	t.Parallel()
	r := startRedis(t, fleet.RedisOptions{})
	s, proxy := through(t, r, "?write_timeout=200ms")
	create(t, s, "s")
	before := appendTo(t, s, "s", "zero").Tail

	proxy.Delay(4 * time.Second)
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: []byte("one")}}}}, Tail: before}
	if _, err := s.Append(t.Context(), "s", call); !errors.Is(err, freshet.ErrUncertain) {
		t.Fatalf("the first try: %v", err)
	}
	proxy.Delay(0)
	call.Retry = true
	results, err := s.Append(t.Context(), "s", call)
	for errors.Is(err, freshet.ErrUncertain) {
		results, err = s.Append(t.Context(), "s", call)
	}
	if err != nil || results[0].Err != nil {
		t.Fatalf("again: %v, %+v", err, results)
	}
	appendTo(t, s, "s", "two")
	made := evals(t, r)
	for end := time.Now().Add(time.Minute); evals(t, r) == made; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the first try never came to Redis")
		}
	}
	appendTo(t, s, "s", "three")
	page, err := s.Read(t.Context(), "s", freshet.Offset{}, freshet.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range page.Records {
		got = append(got, string(r.Data))
	}
	if want := []string{"zero", "one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("the stream has %q, want %q", got, want)
	}
}

// evals returns how many scripts that alter streams a Redis has run.
func evals(t *testing.T, r *fleet.Redis) string {
	t.Helper()
	text, err := r.Do(t.Context(), "INFO", "commandstats")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(text, "cmdstat_evalsha:calls=")
	if !ok {
		t.Fatalf("no scripts in %s", text)
	}
	n, _, _ := strings.Cut(rest, ",")
	return n
}
