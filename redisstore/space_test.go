package redisstore

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/storetest"
)

// The suite with the clock of Redis, and with Redis' own expiry as the net below.
func TestStoreOnRedisTime(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		New: func(t storetest.TB, _ *storetest.Clock) func() freshet.Store {
			prefix := newPrefix()
			return func() freshet.Store { return open(t, sharedURL(), Options{Prefix: prefix}) }
		},
		Fleet:    true,
		RealTime: true,
		Scale:    10,
	})
}

// What is gone leaves no key behind: neither what was deleted nor what expired,
// nor its name or deadline.
func TestNothingIsLeftBehind(t *testing.T) {
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	prefix := newPrefix()
	s := open(t, sharedURL(), Options{Prefix: prefix, Now: func() time.Time { return now }})
	defer s.Close()
	for i := range 40 {
		name := fmt.Sprintf("s%d", i)
		c := freshet.Creation{Nonce: freshet.NewNonce(), Spec: freshet.Spec{KeepOpen: time.Hour, KeepClosed: time.Minute}}
		if _, _, err := s.Create(t.Context(), name, c); err != nil {
			t.Fatal(err)
		}
		a := freshet.Append{Records: []freshet.Record{{Data: []byte("a")}}, Producer: &freshet.Producer{ID: "p"}, Lease: time.Minute}
		if i%4 == 1 {
			a.Close = &freshet.Closing{Reason: freshet.Completed}
		}
		if _, err := s.Append(t.Context(), name, freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{a}}); err != nil {
			t.Fatal(err)
		}
		if i%4 == 2 {
			if err := s.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(keysOf(t, prefix)); n < 90 { // 30 streams with three each
		t.Fatalf("%d keys of 30 streams", n)
	}
	total := 0
	for range 3 { // leases first, then what closed, then nothing
		now = now.Add(61 * time.Second)
		done, err := s.Sweep(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		total += done
	}
	if total != 20+30 {
		t.Errorf("%d streams were closed or removed, want 20 closed and 30 removed", total)
	}
	if keys := keysOf(t, prefix); len(keys) > 0 {
		t.Errorf("left behind: %q", keys)
	}
}

// Redis lets go of a stream by itself long after it has expired, should nobody
// sweep.
func TestRedisExpiresLate(t *testing.T) {
	prefix := newPrefix()
	s := open(t, sharedURL(), Options{Prefix: prefix})
	defer s.Close()
	spec := freshet.Spec{KeepOpen: time.Hour}
	if _, _, err := s.Create(t.Context(), "s", freshet.Creation{Nonce: freshet.NewNonce(), Spec: spec}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []freshet.Append{
		{Records: []freshet.Record{{Data: []byte("a")}}, Producer: &freshet.Producer{ID: "p"}},
		{Records: []freshet.Record{{Data: []byte("b")}}},
	} {
		if _, err := s.Append(t.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{a}}); err != nil {
			t.Fatal(err)
		}
	}
	k := s.keys("s")
	for _, key := range []string{k.head, k.records, k.producers} {
		text, err := shared.Do(t.Context(), "PTTL", key)
		ms, _ := strconv.Atoi(text)
		if left := time.Duration(ms) * time.Millisecond; err != nil || left < 24*time.Hour || left > 26*time.Hour {
			t.Errorf("%s lives for %v more, want a day and the hour: %v", key, left, err)
		}
	}
	// A stream that is to be kept for ever is.
	if _, err := s.Append(t.Context(), "s", freshet.Call{Nonce: freshet.NewNonce(), Appends: []freshet.Append{{Close: &freshet.Closing{}}}}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{k.head, k.records, k.producers} {
		if text, err := shared.Do(t.Context(), "PTTL", key); err != nil || text != "-1" {
			t.Errorf("%s of a stream without end lives for %s, %v", key, text, err)
		}
	}
}

func keysOf(t *testing.T, prefix string) []string {
	t.Helper()
	text, err := shared.Do(t.Context(), "KEYS", prefix+":*")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(text)
}
