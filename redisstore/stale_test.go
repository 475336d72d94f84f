package redisstore

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/faultproxy"
	"github.com/freshet-stream/freshet/internal/fleet"
)

// Trap: a try that was given up comes to Redis after all, when the same call has
// landed by another connection, and others since. It does not land again.
func TestLateTryDoesNotLandAgain(t *testing.T) {
	t.Parallel()
	r := startRedis(t, fleet.RedisOptions{})
	s, proxy := through(t, r, "?write_timeout=200ms")
	const tries = 5
	for n := range tries {
		if tryLate(t, r, s, proxy, "s"+strconv.Itoa(n)) {
			return
		}
	}
	t.Fatalf("no first try of %d came to Redis after the second", tries)
}

// tryLate lets the first try of an append come to Redis after the second, and
// looks at what has landed. It reports whether that could be done: a connection
// that is given up may take what it carried with it.
func tryLate(t *testing.T, r *fleet.Redis, s *Store, proxy *faultproxy.Proxy, name string) (late bool) {
	t.Helper()
	create(t, s, name)
	before := appendTo(t, s, name, "zero").Tail
	pass, release := proxy.Hold()
	defer release()
	call := freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Records: []freshet.Record{{Data: []byte("one")}}}}, Tail: before}
	if _, err := s.Append(t.Context(), name, call); !errors.Is(err, freshet.ErrUncertain) {
		t.Fatalf("the first try: %v", err)
	}
	pass()
	call.Retry = true
	results, err := s.Append(t.Context(), name, call)
	for errors.Is(err, freshet.ErrUncertain) {
		results, err = s.Append(t.Context(), name, call)
	}
	if err != nil || results[0].Err != nil {
		t.Fatalf("again: %v, %+v", err, results)
	}
	appendTo(t, s, name, "two")
	made := evals(t, r)
	release()
	for end := time.Now().Add(5 * time.Second); !late && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		late = evals(t, r) != made
	}
	appendTo(t, s, name, "three")
	page, err := s.Read(t.Context(), name, freshet.Offset{}, freshet.Limit{})
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
	return late
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
