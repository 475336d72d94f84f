package demo_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
)

const (
	tapA = "AAAAAAAAAAAAAAAA"
	tapB = "BBBBBBBBBBBBBBBB"
)

// gather collects the bytes shown for a tap until its connection has ended.
func gather(next func() shown, tap string) (shownBytes []byte, end string) {
	for {
		m := next()
		if m.Tap != tap {
			continue
		}
		shownBytes = append(shownBytes, m.Bytes...)
		if m.End != "" {
			return shownBytes, m.End
		}
	}
}

func TestTapShowsSSE(t *testing.T) {
	f := start(t, nil)
	next := f.watch(tapA, tapB)
	name := f.start("rate=200&tokens=30")
	body, err := io.ReadAll(f.follow(name, tapA).Body)
	if err != nil {
		t.Fatal(err)
	}
	opened := next()
	if opened.Open == nil || opened.Open.Path != "/v1/stream/"+name || opened.Open.WebSocket {
		t.Errorf("first the tap shows %+v", opened)
	}
	got, end := gather(next, tapA)
	if !bytes.Equal(got, body) || end != "closed" {
		t.Errorf("the tap shows\n%q\nof\n%q\nand the end %s", got, body, end)
	}
	if !bytes.Contains(body, []byte("event: stream-closed")) {
		t.Errorf("the stream is %q", body)
	}
}

// dialRaw sends a request on a TCP connection of its own and returns what
// comes, after the head of the answer.
func (f *fixture) dialRaw(path string, headers ...string) (net.Conn, *bufio.Reader) {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	request := "GET " + path + " HTTP/1.1\r\nHost: " + conn.RemoteAddr().String() + "\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		f.t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			f.t.Fatal(err)
		}
		if line == "\r\n" {
			return conn, r
		}
	}
}

// websocketHeaders ask for a plain WebSocket.
func websocketHeaders() []string {
	return []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}
}

func TestTapShowsFrames(t *testing.T) {
	f := start(t, nil)
	next := f.watch(tapB)
	name := f.start("rate=200&tokens=30")
	conn, r := f.dialRaw("/v1/stream/"+name+"?tap="+tapB, websocketHeaders()...)
	var frames bytes.Buffer
	for !bytes.Contains(frames.Bytes(), []byte("completed")) {
		b, err := r.ReadByte()
		if err != nil {
			t.Fatal(err)
		}
		frames.WriteByte(b)
	}
	_ = conn.Close()
	if opened := next(); opened.Open == nil || !opened.Open.WebSocket {
		t.Errorf("first the tap shows %+v", opened)
	}
	got, _ := gather(next, tapB)
	head, rest, _ := bytes.Cut(got, []byte("\r\n\r\n"))
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Equal(rest, frames.Bytes()) {
		t.Errorf("the tap shows\n%q\n%q\nof\n%q", head, rest, frames.Bytes())
	}
}

// A cut is a TCP reset, whatever the connection is doing.
func TestCutResets(t *testing.T) {
	f := start(t, nil)
	f.create("demo/idle")
	busy := f.start("rate=200&tokens=5000")
	for name, tt := range map[string]struct {
		stream  string
		headers []string
	}{
		"SSE, busy":       {busy, []string{"Accept: text/event-stream"}},
		"SSE, idle":       {"demo/idle", []string{"Accept: text/event-stream"}},
		"WebSocket, busy": {busy, websocketHeaders()},
		"WebSocket, idle": {"demo/idle", websocketHeaders()},
	} {
		t.Run(name, func(t *testing.T) {
			next := f.watch(tapA)
			_, r := f.dialRaw("/v1/stream/"+tt.stream+"?tap="+tapA, tt.headers...)
			if _, err := r.ReadByte(); err != nil {
				t.Fatal(err)
			}
			if response := f.post("/v1/demo/cut", `{"tap":"`+tapA+`"}`); response.StatusCode != http.StatusNoContent {
				t.Fatalf("cut: %s", response.Status)
			}
			if _, err := io.Copy(io.Discard, r); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the client sees %v instead of a reset", err)
			}
			if _, end := gather(next, tapA); end != "reset" {
				t.Errorf("the tap shows the end %q", end)
			}
		})
	}
}

// In a server that does not know the connection, a cut still is no clean end.
func TestCutWithoutConnection(t *testing.T) {
	f := start(t, func(s *httptest.Server) { s.Config.ConnContext = nil })
	f.create("demo/idle")
	response := f.follow("demo/idle", tapA)
	f.post("/v1/demo/cut?tap="+tapA, "")
	if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the client sees %v", err)
	}
}

// Over HTTP/2 only the stream is reset: others on the connection go on.
func TestCutHTTP2(t *testing.T) {
	f := start(t, func(s *httptest.Server) { s.EnableHTTP2 = true })
	f.create("demo/idle")
	cut, other := f.follow("demo/idle", tapA), f.follow("demo/idle", tapB)
	if cut.ProtoMajor != 2 {
		t.Fatalf("the connection is %s", cut.Proto)
	}
	f.post("/v1/demo/cut?tap="+tapA, "")
	if _, err := io.Copy(io.Discard, cut.Body); err == nil || !strings.Contains(err.Error(), "stream error") {
		t.Errorf("the client sees %v instead of a reset of the stream", err)
	}
	f.start("rate=200&tokens=1")
	if _, err := other.Body.Read(make([]byte, 1)); err != nil {
		t.Errorf("the other stream ended with %v", err)
	}
}

// What is written faster than it can be shown slows nothing down, and the page
// is told how much it has not been shown.
func TestMoreThanCanBeShown(t *testing.T) {
	const size = 1 << 20
	f := start(t, nil)
	if _, _, err := f.streams.Create(t.Context(), "demo/big", freshet.Creation{
		Spec: freshet.Spec{ContentType: "text/plain"},
		First: &freshet.Append{
			Records: []freshet.Record{{Data: bytes.Repeat([]byte("x"), size)}},
			Close:   &freshet.Closing{Reason: freshet.Completed},
		},
	}); err != nil {
		t.Fatal(err)
	}
	next := f.watch(tapA)
	body, err := io.ReadAll(f.follow("demo/big", tapA).Body)
	if err != nil {
		t.Fatal(err)
	}
	seen, dropped := 0, 0
	for {
		m := next()
		seen += len(m.Bytes)
		dropped += m.Dropped
		if m.End != "" {
			break
		}
	}
	if dropped == 0 || seen+dropped != len(body) {
		t.Errorf("%d bytes were shown and %d told missing of %d", seen, dropped, len(body))
	}
}

// The connection, the page that watches and the request to cut are each on a
// server of their own.
func TestTapAcrossServers(t *testing.T) {
	connected := start(t, nil)
	watched, asked := connected.beside("server-2"), connected.beside("server-3")
	connected.create("demo/idle")
	for round := range 2 {
		next := watched.watch(tapA)
		_, r := connected.dialRaw("/v1/stream/demo/idle?tap="+tapA, "Accept: text/event-stream")
		if _, err := r.ReadByte(); err != nil {
			t.Fatal(err)
		}
		for range round {
			// Of the round before.
			gather(next, tapA)
		}
		if opened := next(); opened.Open == nil || opened.Open.Server != "server-1" {
			t.Errorf("first the tap shows %+v", opened)
		}
		if response := asked.post("/v1/demo/cut?tap="+tapA, ""); response.StatusCode != http.StatusNoContent {
			t.Fatalf("cut: %s", response.Status)
		}
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the client sees %v instead of a reset", err)
		}
		if _, end := gather(next, tapA); end != "reset" {
			t.Errorf("the tap shows the end %q", end)
		}
	}
}

// The stream of a tap is not shown in turn, which would never end.
func TestTapOfATap(t *testing.T) {
	f := start(t, nil)
	f.create("demo/idle")
	next := f.watch(tapA)
	f.follow("demo/idle", tapA)
	f.follow("demo/tap-"+tapA, tapA)
	f.follow("demo/tap-"+tapA, tapB)
	f.post("/v1/demo/cut?tap="+tapA, "")
	if _, end := gather(next, tapA); end != "reset" {
		t.Errorf("the tap shows the end %q", end)
	}
	if _, err := f.store.Info(t.Context(), "demo/tap-"+tapB); !errors.Is(err, freshet.ErrNotFound) {
		t.Errorf("the stream of a tap is shown: %v", err)
	}
	infos, err := f.store.List(t.Context(), "demo/tap-", "", 10)
	if err != nil || len(infos) != 1 || infos[0].Tail.Seq > 10 {
		t.Errorf("the streams of taps are %+v, error %v", infos, err)
	}
}
