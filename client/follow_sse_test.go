package client

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

const plain = "text/plain; charset=utf-8"

// wantEnd fails unless err is the end of a stream for this reason.
func wantEnd(t *testing.T, err error, reason freshet.Reason) {
	t.Helper()
	var end *EndError
	if !errors.As(err, &end) || !errors.Is(err, io.EOF) || end.Reason != reason {
		t.Fatalf("ended with %v, not %q", err, reason)
	}
}

// Guarantee 2: drops of every kind, in every place, lose and double nothing.
func TestFollowComesBackAfterDrops(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		var drops []error
		f := c.Follow(t.Context(), "a b/ü", FollowOptions{OnDrop: func(err error, _ time.Duration) { drops = append(drops, err) }})
		got, err := readAll(f)
		wantEnd(t, err, freshet.Completed)
		if want := "one\r\n|two\r|three|four"; got != want {
			t.Errorf("read %q, not %q", got, want)
		}
		if len(drops) != 8 {
			t.Errorf("dropped %d times: %v", len(drops), drops)
		}
		if f.Offset() != offset(4) {
			t.Errorf("ended at %s", f.Offset())
		}
		for i, want := range []string{"", "", "", offset(0), offset(2), offset(2), offset(3), offset(4), offset(4)} {
			r := s.asked[i]
			if got := r.Header.Get("Last-Event-ID"); got != want {
				t.Errorf("request %d had the id %q, not %q", i, got, want)
			}
			if got, want := r.URL.RequestURI(), "/base/v1/stream/a%20b/%C3%BC?encoding=json"; got != want {
				t.Errorf("request %d was for %s, not %s", i, got, want)
			}
		}
	},
		fail(errCut),
		say("", errCut),
		say(at(0), errCut),
		say(at(0)+event(1, "one\r\n")+event(2, "two\r")+"data: \"thr", errCut),
		// A clean end without stream-closed is no end.
		say(at(2)+"data: \"three\"\nid: "+offset(3)+"\n", nil),
		say(at(2)+event(3, "three"), nil),
		say(at(3)+event(4, "four"), errCut),
		// The drop between the last record and the end.
		say(at(4)+"event: stream-closed\ndata: {\"reason\":\"completed\"}\n", errCut),
		say(at(4)+closed(4, "completed"), nil),
	)
}

func TestFollowEndsForEachReason(t *testing.T) {
	for _, reason := range []freshet.Reason{freshet.Completed, freshet.Cancelled, freshet.Failed, freshet.Interrupted} {
		play(t, plain, func(t *testing.T, c *Client, _ *script) {
			_, err := c.Follow(t.Context(), "s", FollowOptions{}).Next()
			wantEnd(t, err, reason)
		}, say(at(0)+closed(0, string(reason)), errCut))
	}
}

func TestFollowTakes204ForTheEnd(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		s.head = answer(200, "Content-Type", plain, "Stream-Closed", "true", "Freshet-Close-Reason", "failed")
		_, err := c.Follow(t.Context(), "s", FollowOptions{Offset: offset(3) + "-end"}).Next()
		wantEnd(t, err, freshet.Failed)
		if got := s.asked[0].URL.Query().Get("offset"); got != offset(3)+"-end" {
			t.Errorf("asked from %q", got)
		}
	}, answer(http.StatusNoContent))
}

func TestFollowDecodesByKind(t *testing.T) {
	binary := "\x00\xff\r\n"
	for _, test := range []struct{ contentType, data, header, want string }{
		{plain, `"a\nb"`, "", "a\nb"},
		{"application/json", `"a"`, "", `"a"`},
		{"application/json", `{"a":1}`, "", `{"a":1}`},
		{"text/event-stream", `"a"`, "", "a"},
		{"application/octet-stream", base64.StdEncoding.EncodeToString([]byte(binary)), "", binary},
		{"text/html", base64.StdEncoding.EncodeToString([]byte(binary)), "base64", binary},
	} {
		play(t, test.contentType, func(t *testing.T, c *Client, _ *script) {
			f := c.Follow(t.Context(), "s", FollowOptions{})
			record, err := f.Next()
			if err != nil || string(record.Data) != test.want || record.Type != "tick" || record.Offset != offset(1) {
				t.Errorf("%s: got %q %q at %s, %v", test.contentType, record.Type, record.Data, record.Offset, err)
			}
			f.Close()
		}, events(func(l *live) {
			l.say("event: tick\ndata: " + test.data + "\nid: " + offset(1) + "\n\n")
		}, "Stream-SSE-Data-Encoding", test.header))
	}
}

// A server that breaks the protocol is told of at once; going on could lose or
// double records.
func TestFollowStopsAtProtocolErrors(t *testing.T) {
	for name, r := range map[string]reply{
		"no id":      say(at(0)+"data: \"a\"\n\n", nil),
		"id again":   say(at(0)+event(1, "a")+event(1, "b"), nil),
		"id before":  say(at(5)+event(4, "a"), nil),
		"no string":  say(at(0)+"data: a\nid: "+offset(1)+"\n\n", nil),
		"bad end":    say("event: stream-closed\ndata: x\nid: 1\n\n", nil),
		"bad gap":    say("event: stream-gap\ndata: {}\nid: 1\n\n", nil),
		"other type": content(200, "<html>", "Content-Type", "text/html"),
	} {
		t.Run(name, func(t *testing.T) {
			play(t, plain, func(t *testing.T, c *Client, _ *script) {
				if _, err := readAll(c.Follow(t.Context(), "s", FollowOptions{})); !errors.Is(err, ErrProtocol) {
					t.Errorf("got %v", err)
				}
			}, r)
		})
	}
}

// Guarantee 6, on the reader's side.
func TestFollowGap(t *testing.T) {
	lost := "retry: 1000\n\nevent: stream-gap\ndata: {\"requested\":\"" + offset(2) + "\",\"resumed\":\"" + offset(0) + "\",\"why\":\"diverged\"}\nid: " + offset(0) + "\n\n"
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		_, err := c.Follow(t.Context(), "s", FollowOptions{Offset: offset(2)}).Next()
		var gap *GapError
		if !errors.As(err, &gap) || !errors.Is(err, freshet.ErrGap) || *gap != (GapError{"diverged", offset(2), offset(0)}) {
			t.Errorf("got %#v", err)
		}
	}, say(lost, nil))
	play(t, plain, func(t *testing.T, c *Client, s *script) {
		gaps := 0
		f := c.Follow(t.Context(), "s", FollowOptions{Offset: offset(2), OnGap: func(*GapError) error { gaps++; return nil }})
		got, err := readAll(f)
		wantEnd(t, err, "completed")
		if got != "a|b" || gaps != 1 {
			t.Errorf("read %q with %d gaps", got, gaps)
		}
	}, say(lost+event(1, "a"), errCut), say(at(1)+event(2, "b")+closed(2, "completed"), nil))
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		stop := errors.New("stop")
		f := c.Follow(t.Context(), "s", FollowOptions{Offset: offset(2), OnGap: func(*GapError) error { return stop }})
		if _, err := f.Next(); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
	}, say(lost, nil))
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		f := c.Follow(t.Context(), "s", FollowOptions{Offset: offset(2), OnGap: func(*GapError) error { return nil }})
		_, err := f.Next()
		wantEnd(t, err, freshet.GapDeleted)
	}, say("event: stream-gap\ndata: {\"requested\":\"x\",\"resumed\":\"-1\",\"why\":\"deleted\"}\n\n"+closed(2, "deleted"), nil))
}

func TestFollowRefused(t *testing.T) {
	for _, test := range []struct {
		reply reply
		want  *freshet.Error
	}{
		{refuse(404, freshet.ErrNotFound), freshet.ErrNotFound},
		{refuse(400, freshet.ErrOffset), freshet.ErrOffset},
		{answer(404), freshet.ErrNotFound},
	} {
		play(t, plain, func(t *testing.T, c *Client, _ *script) {
			_, err := c.Follow(t.Context(), "s", FollowOptions{}).Next()
			var refused *Error
			if !errors.Is(err, test.want) || !errors.As(err, &refused) || refused.Status < 400 {
				t.Errorf("got %v", err)
			}
		}, test.reply)
	}
}

// A heartbeat keeps a connection; two minutes of silence with them are none.
func TestFollowIdle(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		begun := time.Now()
		var drops []error
		f := c.Follow(t.Context(), "s", FollowOptions{OnDrop: func(err error, _ time.Duration) { drops = append(drops, err) }})
		got, err := readAll(f)
		wantEnd(t, err, "completed")
		if got != "a|b" || len(drops) != 1 || !errors.Is(drops[0], errIdle) {
			t.Errorf("read %q, dropped for %v", got, drops)
		}
		if took := time.Since(begun); took < 120*time.Second+defaultIdle || took > 122*time.Second+defaultIdle {
			t.Errorf("took %v", took)
		}
	}, events(func(l *live) {
		l.say(at(0))
		for range 8 {
			time.Sleep(15 * time.Second)
			l.say(":\n\n")
		}
		l.say(event(1, "a"))
		<-l.ctx.Done()
	}), say(at(1)+event(2, "b")+closed(2, "completed"), nil))
}

// A reader that takes its time is not idle.
func TestFollowSlowReader(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		f := c.Follow(t.Context(), "s", FollowOptions{})
		if _, err := f.Next(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		got, err := readAll(f)
		wantEnd(t, err, "completed")
		if got != "b" {
			t.Errorf("read %q", got)
		}
	}, say(at(0)+event(1, "a")+event(2, "b")+closed(2, "completed"), nil))
}

func TestFollowContextAndClose(t *testing.T) {
	hang := events(func(l *live) { l.say(at(0)); <-l.ctx.Done() })
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Follow(ctx, "s", FollowOptions{}).Next(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}, hang)
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		f := c.Follow(t.Context(), "s", FollowOptions{})
		time.AfterFunc(time.Second, f.Close)
		for range 2 {
			if _, err := f.Next(); !errors.Is(err, errClosed) {
				t.Errorf("got %v", err)
			}
		}
	}, hang)
}
