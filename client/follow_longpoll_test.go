package client

import (
	"errors"
	"testing"

	"github.com/freshet-stream/freshet"
)

func TestLongPollComesBack(t *testing.T) {
	page := func(n int, body string, headers ...string) reply {
		return content(200, body, append(headers, "Content-Type", plain, "Stream-Next-Offset", offset(n), "Stream-Cursor", "77")...)
	}
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		f := c.Follow(t.Context(), "s", FollowOptions{Via: LongPoll})
		got, err := readAll(f)
		wantEnd(t, err, "failed")
		if got != "ab|\xff" || f.Offset() != offset(3) {
			t.Errorf("read %q to %s", got, f.Offset())
		}
		for i, want := range []string{
			"live=long-poll&offset=-1", "live=long-poll&offset=-1",
			"cursor=77&live=long-poll&offset=" + offset(2), "live=long-poll&offset=" + offset(2),
			"cursor=78&live=long-poll&offset=" + offset(2), "cursor=77&live=long-poll&offset=" + offset(3),
		} {
			if got := s.asked[i].URL.RawQuery; got != want {
				t.Errorf("asked for %s, not %s", got, want)
			}
		}
	},
		fail(errCut), page(2, "ab"), fail(errCut),
		answer(204, "Stream-Next-Offset", offset(2), "Stream-Cursor", "78"), page(3, "\xff"),
		answer(204, "Stream-Next-Offset", offset(3), "Stream-Closed", "true", "Freshet-Close-Reason", "failed"),
	)
}

func TestLongPollKinds(t *testing.T) {
	for _, test := range []struct{ contentType, body, want string }{
		{"application/json", `["a",{"b":1},[2]]`, `"a"|{"b":1}|[2]`},
		{"application/json", `[]`, ``},
		{"text/event-stream", "event: x\ndata: a\n\ndata: b\ndata: c\n\n", "a|b\nc"},
		{"application/octet-stream", "\x00\xff", "\x00\xff"},
	} {
		play(t, test.contentType, func(t *testing.T, c *Client, _ *script) {
			f := c.Follow(t.Context(), "s", FollowOptions{Via: LongPoll})
			got, err := readAll(f)
			wantEnd(t, err, "completed")
			if got != test.want || f.Offset() != offset(3) {
				t.Errorf("%s: read %q to %s", test.contentType, got, f.Offset())
			}
		}, content(200, test.body, "Content-Type", test.contentType, "Stream-Next-Offset", offset(3), "Stream-Closed", "true", "Freshet-Close-Reason", "completed"))
	}
}

func TestLongPollLosses(t *testing.T) {
	opts := FollowOptions{Via: LongPoll, Offset: offset(3)}
	for want, r := range map[string]reply{
		freshet.GapTrimmed: refuse(410, freshet.ErrGap, "Freshet-Gap", "trimmed"),
		freshet.GapUnknown: refuse(404, freshet.ErrNotFound),
	} {
		play(t, plain, func(t *testing.T, c *Client, _ *script) {
			_, err := c.Follow(t.Context(), "s", opts).Next()
			var gap *GapError
			if !errors.As(err, &gap) || gap.Why != want || gap.Resumed != "-1" {
				t.Errorf("got %v", err)
			}
		}, r)
	}
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		opts := opts
		opts.OnGap = func(*GapError) error { return nil }
		_, err := c.Follow(t.Context(), "s", opts).Next()
		wantEnd(t, err, freshet.GapUnknown)
	}, refuse(404, freshet.ErrNotFound))
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		if _, err := c.Follow(t.Context(), "s", FollowOptions{Via: LongPoll}).Next(); !errors.Is(err, freshet.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}, refuse(404, freshet.ErrNotFound))
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		if _, err := c.Follow(t.Context(), "s", opts).Next(); !errors.Is(err, ErrProtocol) {
			t.Errorf("got %v", err)
		}
	}, answer(200))
}
