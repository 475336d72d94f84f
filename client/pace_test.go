package client

import (
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

// waits follows and returns the pauses before coming back.
func waits(t *testing.T, c *Client, opts FollowOptions) (waits []time.Duration) {
	t.Helper()
	opts.OnDrop = func(_ error, wait time.Duration) { waits = append(waits, wait) }
	_, err := readAll(c.Follow(t.Context(), "s", opts))
	wantEnd(t, err, "completed")
	return waits
}

func between(t *testing.T, d, least, most time.Duration) {
	t.Helper()
	if d < least || d > most {
		t.Errorf("waited %v, not between %v and %v", d, least, most)
	}
}

func TestFollowBacksOff(t *testing.T) {
	end := say(at(1)+closed(1, "completed"), nil)
	var replies []reply
	for range 12 {
		replies = append(replies, fail(errCut))
	}
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		span := defaultBackoff / 2
		for _, d := range waits(t, c, FollowOptions{}) {
			between(t, d, span/10, span)
			span = min(2*span, maxBackoff)
		}
	}, append(replies, end)...)

	// What the server says counts: its retry field, and Retry-After.
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		w := waits(t, c, FollowOptions{})
		between(t, w[0], 400*time.Millisecond, 4*time.Second)
		between(t, w[1], 7*time.Second, 8*time.Second)
		between(t, w[2], 20*time.Second, 20*time.Second)
	}, say("retry: 8000\nid: "+offset(0)+"\n\n", errCut),
		refuse(503, freshet.ErrUnavailable, "Retry-After", "7"),
		refuse(429, freshet.ErrProducers, "Retry-After", "20"),
		end)

	// Progress makes the pauses short again; reaching the server does not.
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		w := waits(t, c, FollowOptions{Offset: offset(0)})
		between(t, w[5], 50*time.Millisecond, 500*time.Millisecond)
		between(t, w[4], 800*time.Millisecond, 8*time.Second)
	}, say(at(0), errCut), say(at(0), errCut), say(at(0), errCut), say(at(0), errCut), say(at(0), errCut),
		say(at(0)+event(1, "a"), errCut), end)
}

func TestFollowWaits(t *testing.T) {
	missing := refuse(404, freshet.ErrNotFound)
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		got, err := readAll(c.Follow(t.Context(), "s", FollowOptions{Offset: now, Wait: 10 * time.Minute}))
		wantEnd(t, err, "completed")
		if got != "a" {
			t.Errorf("read %q", got)
		}
		if q := s.asked[0].URL.Query(); q.Get("wait") != "300" || q.Get("offset") != "now" {
			t.Errorf("asked for %v", q)
		}
		// What comes to be after one has asked is new as a whole.
		if q := s.asked[2].URL.Query(); q.Has("offset") {
			t.Errorf("asked for %v", q)
		}
	}, missing, missing, say("id: "+freshet.Offset{}.String()+"\n\n", errCut), say(at(0)+event(1, "a")+closed(1, "completed"), nil))

	var replies []reply
	for range 60 {
		replies = append(replies, missing)
	}
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		begun := time.Now()
		_, err := c.Follow(t.Context(), "s", FollowOptions{Wait: 20 * time.Second}).Next()
		between(t, time.Since(begun), 20*time.Second, 21*time.Second)
		if !isFinal(err) {
			t.Errorf("got %v", err)
		}
		s.replies = s.replies[:len(s.asked)]
	}, replies...)
}
