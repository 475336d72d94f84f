package websocket

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/memstore"
)

// inBubble serves one connection over a pipe, where time passes by itself.
func inBubble(t *testing.T, test func(t *testing.T, h *hub.Hub, c *conn, peer net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Options{})
		h := hub.New(hub.Options{Store: store})
		defer h.Close()
		if _, _, err := h.Create(t.Context(), "s", freshet.Creation{Spec: freshet.Spec{ContentType: "text/plain"}}); err != nil {
			t.Fatal(err)
		}
		transport := New(Options{Hub: h})
		defer transport.Close()
		nc, peer := net.Pipe()
		defer peer.Close()
		c := transport.newConn(handshake{}, nc, nil, 1<<20)
		test(t, h, c, peer)
	})
}

// followed lets the connection follow the stream s, as a plain one.
func followed(t *testing.T, h *hub.Hub, c *conn) {
	t.Helper()
	p := &plain{c: c}
	c.session = p
	follower, err := h.Follow(t.Context(), "s", hub.FollowOptions{Idle: c.t.opts.Heartbeat})
	if err != nil {
		t.Fatal(err)
	}
	f := &follow{c: c, frames: &singles{&c.out, &c.t.plain}, tell: p}
	c.t.work.Go(func() { f.run(c.ctx, c.ctx, follower) })
}

func start(c *conn) {
	c.t.work.Add(1)
	c.t.run(c)
}

// nextFrame reads a frame and when it came.
func nextFrame(t *testing.T, peer net.Conn) (ws.Frame, time.Time) {
	t.Helper()
	f, err := readFrame(peer)
	if err != nil {
		t.Fatal(err)
	}
	return f, time.Now()
}

func TestPingsKeepAQuietConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hub.Hub, c *conn, peer net.Conn) {
		followed(t, h, c)
		start(c)
		last := time.Now()
		for range 20 {
			f, at := nextFrame(t, peer)
			if d := at.Sub(last); f.Header.OpCode != ws.OpPing || d < 14*time.Second || d > 16*time.Second {
				t.Fatalf("after %v came %+v", d, f.Header)
			}
			last = at
			_, _ = peer.Write(frame(ws.OpPong, true, ""))
		}
	})
}

func TestPingsWithoutAFollow(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hub.Hub, c *conn, peer net.Conn) {
		c.session = &operations{c: c, stream: "s", to: target{hub: h}, feeds: map[string]*feed{}}
		start(c)
		last := time.Now()
		for range 20 {
			f, at := nextFrame(t, peer)
			if d := at.Sub(last); f.Header.OpCode != ws.OpPing || d > 23*time.Second {
				t.Fatalf("after %v came %+v", d, f.Header)
			}
			last = at
			_, _ = peer.Write(frame(ws.OpPong, true, ""))
		}
	})
}

// A busy stream's records carry the pings, without which a peer that is gone
// would not be noticed.
func TestPingsAmongRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hub.Hub, c *conn, peer net.Conn) {
		followed(t, h, c)
		start(c)
		var appending sync.WaitGroup
		defer appending.Wait()
		appending.Go(func() {
			for range 100 {
				time.Sleep(time.Second)
				_, _ = h.Append(t.Context(), "s", freshet.Append{Records: []freshet.Record{{Data: []byte("x")}}})
			}
		})
		pings, began := 0, time.Now()
		for records := 0; records < 50; {
			f, _ := nextFrame(t, peer)
			if f.Header.OpCode == ws.OpPing {
				pings++
			} else {
				records++
			}
		}
		if pings < 3 || pings > 4 {
			t.Errorf("there were %d pings in 50 s", pings)
		}
		// None was answered.
		for {
			if _, err := readFrame(peer); err != nil {
				break
			}
		}
		if d := time.Since(began); d < 60*time.Second || d > 62*time.Second {
			t.Errorf("a peer that answers no ping was given up after %v", d)
		}
	})
}

func TestAPeerThatDoesNotReadIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hub.Hub, c *conn, peer net.Conn) {
		followed(t, h, c)
		start(c)
		began := time.Now()
		if _, err := h.Append(t.Context(), "s", freshet.Append{Records: []freshet.Record{{Data: []byte("x")}}}); err != nil {
			t.Fatal(err)
		}
		// It sends, though.
		for {
			if _, err := peer.Write(frame(ws.OpPong, true, "")); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if d := time.Since(began); d > 62*time.Second {
			t.Errorf("it was given up after %v", d)
		}
	})
}

// Pings come one at a time however many streams are followed.
func TestManyFollowsShareThePings(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hub.Hub, c *conn, peer net.Conn) {
		c.session = &operations{c: c, stream: "s", to: target{hub: h}, feeds: map[string]*feed{}}
		start(c)
		for _, name := range []string{"a", "b", "c", "d"} {
			_, _, _ = h.Create(t.Context(), name, freshet.Creation{})
			_, _ = peer.Write(text1(`{"op":"follow","id":1,"stream":"` + name + `"}`))
			time.Sleep(time.Second)
		}
		pings, began := 0, time.Now()
		for time.Since(began) < 5*time.Minute {
			if f, _ := nextFrame(t, peer); f.Header.OpCode == ws.OpPing {
				pings++
				_, _ = peer.Write(frame(ws.OpPong, true, ""))
			}
		}
		if pings > 25 {
			t.Errorf("there were %d pings in 5 minutes", pings)
		}
	})
}
