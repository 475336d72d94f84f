package client

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

func TestNewRefusesURLs(t *testing.T) {
	for _, bad := range []string{"", "localhost:4437", "ftp://x", "http://", "http://x?a=b", "http://x#a", "http://[::1"} {
		if _, err := New(bad, Options{}); err == nil {
			t.Errorf("New(%q) has no error", bad)
		}
	}
}

func TestSplitURL(t *testing.T) {
	base, name, err := SplitURL("https://example.com/base/v1/stream/a%20b/%C3%BC")
	if err != nil || base != "https://example.com/base" || name != "a b/ü" {
		t.Errorf("got %q %q %v", base, name, err)
	}
	c, err := New(base, Options{})
	if err != nil || c.URL(name) != "https://example.com/base/v1/stream/a%20b/%C3%BC" {
		t.Errorf("went to %q %v", c.URL(name), err)
	}
	for _, bad := range []string{"https://example.com/a", "http://x/v1/stream/", "http://x/v1/stream/a?b", "http://x/v1/stream/a%2Fb"} {
		if _, _, err := SplitURL(bad); err == nil {
			t.Errorf("SplitURL(%q) has no error", bad)
		}
	}
}

func TestCreate(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		opts := CreateOptions{ContentType: plain, TTL: time.Minute, Data: []byte("x"), Closed: true}
		if created, err := c.Create(t.Context(), "s", opts); !created || err != nil {
			t.Errorf("got %v %v", created, err)
		}
		h := s.asked[0].Header
		if s.asked[0].Method != http.MethodPut || h.Get("Content-Type") != plain || h.Get("Stream-TTL") != "60" || h.Get("Stream-Closed") != "true" || s.bodies[0] != "x" {
			t.Errorf("sent %v %q", h, s.bodies[0])
		}
		if created, err := c.Create(t.Context(), "s", CreateOptions{}); created || err != nil {
			t.Errorf("got %v %v", created, err)
		}
		if _, err := c.Create(t.Context(), "s", CreateOptions{}); !errors.Is(err, freshet.ErrConflict) {
			t.Errorf("got %v", err)
		}
		if _, err := c.Create(t.Context(), "a/../b", CreateOptions{}); !errors.Is(err, freshet.ErrName) {
			t.Errorf("got %v", err)
		}
	}, answer(201), answer(200), answer(409))
}

func TestInfoCloseDelete(t *testing.T) {
	play(t, "application/json", func(t *testing.T, c *Client, s *script) {
		info, err := c.Info(t.Context(), "s")
		if err != nil || info.Kind() != freshet.KindJSON || info.Tail != offset(9) || info.Closed {
			t.Errorf("got %+v %v", info, err)
		}
		if err := c.Close(t.Context(), "s", ""); err != nil {
			t.Error(err)
		}
		if h := s.asked[0].Header; h.Get("Freshet-Close-Reason") != "completed" || h.Get("Content-Type") != "" {
			t.Errorf("closed with %v", h)
		}
		if err := c.Delete(t.Context(), "s"); err != nil || s.asked[1].Method != http.MethodDelete {
			t.Errorf("got %v", err)
		}
		s.head = answer(404)
		_, err = c.Info(t.Context(), "s")
		var refused *Error
		if !errors.Is(err, freshet.ErrNotFound) || !errors.As(err, &refused) || refused.Detail != "the stream s does not exist" {
			t.Errorf("got %v", err)
		}
	}, answer(204), answer(204))
}

func TestErrorsSayWhatTheServerSays(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, test := range []struct {
		reply reply
		want  string
		code  *freshet.Error
	}{
		{refuse(409, freshet.ErrTypeMismatch), "append to stream: " + freshet.ErrTypeMismatch.Detail, freshet.ErrTypeMismatch},
		{content(400, "no\n", "Content-Type", "text/plain"), "append to stream: the server answered 400 Bad Request: no", nil},
		{content(400, long, "Content-Type", "text/html"), "append to stream: the server answered 400 Bad Request", nil},
		{content(400, "{", "Content-Type", "application/problem+json"), "append to stream: the server answered 400 Bad Request", nil},
	} {
		play(t, plain, func(t *testing.T, c *Client, _ *script) {
			_, err := c.Append(t.Context(), "s", Append{Data: []byte("x")})
			if err == nil || err.Error() != test.want || test.code != nil && !errors.Is(err, test.code) {
				t.Errorf("got %v", err)
			}
		}, test.reply)
	}
}

func TestRetryAfter(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "x": 0, "99999999": time.Hour,
		at.Add(time.Minute).Format(http.TimeFormat):  time.Minute,
		at.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, at); got != want {
			t.Errorf("%q is %v, not %v", value, got, want)
		}
	}
}
