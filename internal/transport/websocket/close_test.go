package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	cws "github.com/coder/websocket"
	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
)

// DESIGN 4.3: 1012 when the server drains.
func TestCloseEndsEveryConnection(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	plain, operations, idle := e.dial("s"), e.dial("s", Protocol), e.dial("s", Protocol)
	operations.send(`{"op":"follow","id":1}`)
	e.append("s", "x")
	plain.want(cws.MessageText, "x")
	operations.wantRecords("s", `"x"`)
	var clients sync.WaitGroup
	for _, c := range []*client{plain, operations, idle} {
		clients.Go(func() { c.wantEnd(1012, "connect again") })
	}
	e.transport.Close()
	clients.Wait()
	if n := e.open(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	_, answer, err := cws.Dial(t.Context(), e.server.URL+"/v1/stream/s", nil)
	if err == nil || answer.StatusCode != 503 {
		t.Errorf("after that a connection got %v", answer)
	}
}

// Guarantee 7, and no goroutine is left by anyone who leaves.
func TestNothingIsLeftOfConnections(t *testing.T) {
	e := newEnv(t, Options{CloseWait: 200 * time.Millisecond})
	e.create("s", "text/plain")
	e.append("s", "x")
	before := runtime.NumGoroutine()
	for i := range 30 {
		c := e.dial("s", Protocol)
		c.send(`{"op":"follow","id":1}`)
		c.wantRecords("s", `"x"`)
		p := e.dial("s")
		p.want(cws.MessageText, "x")
		switch i % 3 {
		case 0:
			_, _ = c.Conn.Close(1000, ""), p.Conn.Close(1000, "")
		case 1:
			_, _ = c.CloseNow(), p.CloseNow()
		case 2:
			r := e.dialRaw("s", "")
			_ = r.Conn.(*net.TCPConn).SetLinger(0)
			_ = r.Conn.Close()
			_, _ = c.CloseNow(), p.CloseNow()
		}
	}
	e.eventually("all is as before", func() bool {
		return e.open() == 0 && e.hub.Stats().Followers == 0 && runtime.NumGoroutine() <= before+2
	})
}

// RFC 6455, 7.1.1: closing with unread data in the buffer would let TCP reset
// the connection, and the close frame be lost.
func TestACloseFrameSurvivesUnreadData(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	for range 20 {
		r := e.dialRaw("s?append=s", "")
		bad := append(frame(ws.OpText, true, "\xff"), []byte(strings.Repeat("more that is never read as frames", 20000))...)
		go func() { _, _ = r.Write(bad) }()
		time.Sleep(5 * time.Millisecond)
		r.wantClose(1007)
		_ = r.Conn.Close()
	}
	for range 20 {
		e.eventually("the one before is gone", func() bool { return e.open() == 0 })
		r := e.dialRaw("s", "")
		e.eventually("it is served", func() bool { return e.open() == 1 })
		go func() {
			for range 100 {
				_, _ = r.Write(frame(ws.OpPong, true, strings.Repeat("p", 100)))
			}
			e.transportStop()
			for range 1000 {
				_, _ = r.Write(frame(ws.OpPong, true, strings.Repeat("p", 100)))
			}
			_, _ = r.Write(frame(ws.OpClose, true, "\x03\xe8"))
		}()
		r.wantClose(1012)
		_ = r.Conn.Close()
	}
}

// transportStop stops the connections that there are.
func (e *env) transportStop() {
	e.transport.mu.Lock()
	defer e.transport.mu.Unlock()
	for c := range e.transport.conns {
		c.stop(statusRestart, "")
	}
}

// A peer that never answers the close frame, and one that sends without end,
// are left after a time.
func TestAPeerThatDoesNotCloseIsLeft(t *testing.T) {
	e := newEnv(t, Options{CloseWait: 200 * time.Millisecond})
	e.create("s", "text/plain")
	silent, loud := e.dialRaw("s", ""), e.dialRaw("s", "")
	e.eventually("both are there", func() bool { return e.open() == 2 })
	go func() {
		for {
			if _, err := loud.Write(frame(ws.OpPong, true, "")); err != nil {
				return
			}
		}
	}()
	began := time.Now()
	e.transport.Close()
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
	silent.wantClose(1012)
}

// A slow reader among others holds nobody up, and gets everything.
func TestASlowReader(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	slow := e.dialRaw("s", "")
	_ = slow.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	fast := e.dial("s")
	piece := strings.Repeat("x", 32<<10)
	const n = 400
	for range n {
		e.append("s", piece)
		fast.want(cws.MessageText, piece)
	}
	e.close("s", freshet.Completed)
	fast.wantEnd(1000, "completed")
	for range n {
		slow.want(ws.OpText, piece)
	}
	slow.wantClose(1000)
}

// stuck is a store in which appends take until they are let go.
type stuck struct {
	freshet.Store
	let chan struct{}
}

func (s stuck) Append(ctx context.Context, name string, call freshet.Call) ([]freshet.Result, error) {
	select {
	case <-s.let:
		return s.Store.Append(ctx, name, call)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// While an append takes its time, pings are answered; what waits is bounded.
func TestAppendsThatTakeTheirTime(t *testing.T) {
	store := stuck{memstore.New(memstore.Options{}), make(chan struct{})}
	e := newEnvOver(t, store, Options{})
	e.create("s", "text/plain")
	e.create("to", "text/plain")
	r := e.dialRaw("s?append=to", "")
	r.send(text1("a"), text1("b"), frame(ws.OpPing, true, "p"))
	r.want(ws.OpPong, "p")
	// The client leaves; what it sent is appended before its close is answered.
	r.send(frame(ws.OpClose, true, "\x03\xe8"))
	close(store.let)
	r.wantClose(1000)
	if got := e.content("to"); len(got) != 2 {
		t.Errorf("the stream has %q", got)
	}
}

// An append that is under way when the server drains is answered.
func TestCloseLetsAppendsFinish(t *testing.T) {
	store := stuck{memstore.New(memstore.Options{}), make(chan struct{})}
	e := newEnvOver(t, store, Options{CloseWait: 5 * time.Second})
	e.create("s", "text/plain")
	c := e.dial("s", Protocol)
	c.send(`{"op":"append","id":1,"records":[{"data":"x"}]}`)
	c.send(`{"op":"auth","id":2}`)
	if m := c.next(); string(m.ID) != "2" {
		t.Fatalf("got %+v", m)
	}
	done := make(chan struct{})
	go func() { e.transport.Close(); close(done) }()
	time.Sleep(20 * time.Millisecond)
	close(store.let)
	if m := c.next(); m.Op != "ack" || string(m.ID) != "1" {
		t.Fatalf("got %+v", m)
	}
	c.wantEnd(1012, "")
	<-done
}

func TestQueueIsBounded(t *testing.T) {
	var work sync.WaitGroup
	q := queue{start: work.Go}
	let := make(chan struct{})
	pushed := make(chan int, 1000)
	go func() {
		for i := range queueJobs * 2 {
			q.push(1, func() { <-let })
			pushed <- i
		}
		close(pushed)
	}()
	for range queueJobs {
		<-pushed
	}
	select {
	case <-pushed:
		t.Error("there was room for more than the bound")
	case <-time.After(20 * time.Millisecond):
	}
	close(let)
	for range pushed {
	}
	<-q.idle()
	work.Wait()
	q.push(queueBytes*2, func() {})
	<-q.idle()
	work.Wait()
}

// The network's errors end a connection without more ado.
func TestALostConnection(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	r := e.dialRaw("s", "")
	r.send(frame(ws.OpText, false, "half a message"))
	_ = r.Conn.(*net.TCPConn).CloseWrite()
	if _, err := readFrame(r.in); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
	e.eventually("it is gone", func() bool { return e.open() == 0 })
}
