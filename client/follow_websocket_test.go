package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
)

// A dialogue is what a server does with one WebSocket, after it has been asked
// to follow.
type dialogue func(t *testing.T, ask followMessage, conn *websocket.Conn)

// serveWebSocket serves one dialogue after the other, and HEAD.
func serveWebSocket(t *testing.T, contentType string, dialogues ...dialogue) *Client {
	t.Helper()
	var asked atomic.Int64
	listener := pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Stream-Next-Offset", offset(5))
			return
		}
		n := int(asked.Add(1)) - 1
		if n >= len(dialogues) {
			t.Errorf("unexpected connection %d", n)
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		var ask followMessage
		if _, text, err := conn.Read(r.Context()); err != nil || json.Unmarshal(text, &ask) != nil || ask.Op != "follow" {
			t.Errorf("asked %q, %v", text, err)
		}
		dialogues[n](t, ask, conn)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	transport := &http.Transport{DialContext: listener.dial, DisableKeepAlives: true}
	c, err := New("http://freshet.test", Options{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A pipeListener listens in memory, where time can be made up.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error   { close(l.done); return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// tell sends a message.
func tell(t *testing.T, conn *websocket.Conn, format string, args ...any) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		t.Error(err)
	}
}

func records(n int, data string) string {
	return fmt.Sprintf(`{"op":"records","stream":"s","records":[{"offset":%q,"data":%s}]}`, offset(n), data)
}

func TestWebSocketComesBack(t *testing.T) {
	wantFrom := func(t *testing.T, ask followMessage, want string) {
		t.Helper()
		if ask.Offset != want {
			t.Errorf("asked from %q, not %q", ask.Offset, want)
		}
	}
	c := serveWebSocket(t, plain,
		func(t *testing.T, ask followMessage, conn *websocket.Conn) {
			wantFrom(t, ask, "")
			tell(t, conn, `{"op":"records","stream":"s","records":[{"offset":%q,"data":"a\r"},{"offset":%q,"data":"b"}]}`, offset(1), offset(2))
			_ = conn.Close(websocket.StatusServiceRestart, "drain")
		},
		func(t *testing.T, ask followMessage, conn *websocket.Conn) {
			wantFrom(t, ask, offset(2))
			tell(t, conn, `{"op":"news of a later version"}`)
			tell(t, conn, "%s", records(3, `"c"`))
		},
		func(t *testing.T, ask followMessage, conn *websocket.Conn) {
			wantFrom(t, ask, offset(3))
			tell(t, conn, `{"op":"error","code":"unavailable","message":"later"}`)
		},
		func(t *testing.T, _ followMessage, conn *websocket.Conn) {
			// A message that is cut, as a library may hand it out.
			text := records(4, `"d"`)
			tell(t, conn, "%s", text[:len(text)-3])
		},
		func(t *testing.T, _ followMessage, conn *websocket.Conn) {
			w, err := conn.Writer(context.Background(), websocket.MessageText)
			if err == nil {
				_, err = io.WriteString(w, records(4, `"d"`)[:20])
			}
			if err != nil {
				t.Error(err)
			}
		},
		func(t *testing.T, ask followMessage, conn *websocket.Conn) {
			wantFrom(t, ask, offset(3))
			tell(t, conn, "%s", records(4, `"d"`))
			tell(t, conn, `{"op":"closed","stream":"s","reason":"cancelled"}`)
		},
	)
	f := c.Follow(t.Context(), "s", FollowOptions{Via: WebSocket})
	got, err := readAll(f)
	wantEnd(t, err, "cancelled")
	if got != "a\r|b|c|d" || f.Offset() != offset(4) {
		t.Errorf("read %q to %s", got, f.Offset())
	}
}

func TestWebSocketKinds(t *testing.T) {
	for _, test := range []struct{ contentType, data, want string }{
		{plain, `"a\n"`, "a\n"},
		{"application/json", `"a"`, `"a"`},
		{"application/octet-stream", `"AP8="`, "\x00\xff"},
		{"text/event-stream", `"a"`, "a"},
	} {
		c := serveWebSocket(t, test.contentType, func(t *testing.T, _ followMessage, conn *websocket.Conn) {
			tell(t, conn, "%s", records(1, test.data))
			tell(t, conn, `{"op":"closed","reason":"completed"}`)
		})
		got, err := readAll(c.Follow(t.Context(), "s", FollowOptions{Via: WebSocket}))
		wantEnd(t, err, "completed")
		if got != test.want {
			t.Errorf("%s: read %q", test.contentType, got)
		}
	}
}

func TestWebSocketEndsForGood(t *testing.T) {
	for name, test := range map[string]struct {
		say  string
		code websocket.StatusCode
		want error
	}{
		"gap":        {say: `{"op":"gap","requested":"1","resumed":"2","why":"trimmed"}`, want: freshet.ErrGap},
		"missing":    {say: `{"op":"error","code":"not_found","message":"no"}`, want: freshet.ErrNotFound},
		"no offset":  {say: `{"op":"records","records":[{"data":"a"}]}`, want: ErrProtocol},
		"no JSON":    {say: `hello there`, want: ErrProtocol},
		"no string":  {say: records(1, "1"), want: ErrProtocol},
		"bad policy": {code: websocket.StatusPolicyViolation},
	} {
		t.Run(name, func(t *testing.T) {
			c := serveWebSocket(t, plain, func(t *testing.T, _ followMessage, conn *websocket.Conn) {
				if test.code != 0 {
					_ = conn.Close(test.code, "go away")
					return
				}
				tell(t, conn, "%s", test.say)
				_, _, _ = conn.Read(t.Context())
			})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := c.Follow(ctx, "s", FollowOptions{Via: WebSocket}).Next()
			if err == nil || ctx.Err() != nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// From now on means from the moment of asking, whatever drops after.
func TestWebSocketFollowsFromNow(t *testing.T) {
	from := func(t *testing.T, ask followMessage, conn *websocket.Conn) {
		if ask.Offset != offset(5) {
			t.Errorf("asked from %q", ask.Offset)
		}
	}
	c := serveWebSocket(t, plain, from, func(t *testing.T, ask followMessage, conn *websocket.Conn) {
		from(t, ask, conn)
		tell(t, conn, `{"op":"closed","reason":"completed"}`)
	})
	_, err := c.Follow(t.Context(), "s", FollowOptions{Via: WebSocket, Offset: now}).Next()
	wantEnd(t, err, "completed")
}

// Pings are heartbeats; silence is a drop.
func TestWebSocketIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := serveWebSocket(t, plain,
			func(t *testing.T, _ followMessage, conn *websocket.Conn) {
				ctx := conn.CloseRead(context.Background())
				for range 8 {
					time.Sleep(15 * time.Second)
					if err := conn.Ping(ctx); err != nil {
						t.Error(err)
					}
				}
				tell(t, conn, "%s", records(1, `"a"`))
				<-ctx.Done()
			},
			func(t *testing.T, _ followMessage, conn *websocket.Conn) {
				tell(t, conn, `{"op":"closed","reason":"completed"}`)
			},
		)
		var drops []error
		f := c.Follow(t.Context(), "s", FollowOptions{Via: WebSocket, OnDrop: func(err error, _ time.Duration) { drops = append(drops, err) }})
		got, err := readAll(f)
		wantEnd(t, err, "completed")
		if got != "a" || len(drops) != 1 || !errors.Is(drops[0], errIdle) {
			t.Errorf("read %q, dropped for %v", got, drops)
		}
		between(t, time.Since(begun), 120*time.Second+defaultIdle, 122*time.Second+defaultIdle)
	})
}

func TestWebSocketRefused(t *testing.T) {
	play(t, plain, func(t *testing.T, c *Client, _ *script) {
		if _, err := c.Follow(t.Context(), "s", FollowOptions{Via: WebSocket}).Next(); !errors.Is(err, freshet.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}, answer(503), refuse(404, freshet.ErrNotFound))
}
