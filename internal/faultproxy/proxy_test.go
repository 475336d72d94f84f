package faultproxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve answers every connection with the same bytes and leaves it open.
func serve(t *testing.T, text []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = c.Write(text)
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func TestProxyCutsByTurns(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 1000)
	p, err := New(Options{Target: serve(t, text), Least: 10, Most: 9000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	const rounds = 20
	sizes := map[int]bool{}
	for i := range rounds {
		c, err := net.Dial("tcp", p.Addr())
		if errors.Is(err, syscall.ECONNRESET) && i%2 == 1 {
			// A small answer and the RST after it can be quicker than the dial.
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		got, err := io.ReadAll(c)
		if fin := err == nil; fin != (i%2 == 0) || !fin && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("connection %d ended with %v", i, err)
		}
		if !bytes.HasPrefix(text, got) || len(got) > 9000 {
			t.Errorf("connection %d carried %d bytes", i, len(got))
		}
		sizes[len(got)] = true
		_ = c.Close()
	}
	if want := (Counts{Connections: rounds, FIN: rounds / 2, RST: rounds / 2}); p.Counts() != want {
		t.Errorf("counted %+v", p.Counts())
	}
	if len(sizes) < rounds/2 {
		t.Errorf("cut after %v", sizes)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestProxyLetsThrough(t *testing.T) {
	p, err := New(Options{Target: serve(t, []byte("hello"))})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 5)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "hello" {
		t.Errorf("got %q %v", buf, err)
	}
	// Close ends what is open.
	if err := p.Close(); err != nil || p.Counts().Cuts() != 0 {
		t.Errorf("closed with %v after %+v", err, p.Counts())
	}
}

// Where an event is begun and not ended is marked in the scripts: { and }.
func TestSightKnowsEvents(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	for _, script := range []string{
		head + "Transfer-Encoding: chunked\r\n\r\n" +
			"10\r\nretry: 1\nid: 0\n\n\r\n" + "5\r\n:\n\n{da\r\n7\r\nta: a\nb\r\n3\r\nx\n}\n\r\n" + "8\r\n{event: x\r\n3;x=y\r\n\nd\n\r\n1\r\n}\n\r\n0\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\ndata: ",
		head + "Content-Length: 16\r\n\r\n{data: a\n}\nid: 1\n\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" +
			"{\x81\x03ab}c" + "\x89\x02pp" + "{\x82~\x01\x00" + strings.Repeat("x", 255) + "}x" + "{\x01\x01}x{\x80\x01}x" + "{\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x01}x",
	} {
		var s sight
		inside := false
		for i := 0; i < len(script); i++ {
			switch script[i] {
			case '{':
				inside = true
				continue
			case '}':
				inside = false
				continue
			}
			s.see([]byte{script[i]})
			if s.insideEvent() != inside {
				t.Fatalf("after %q: inside is %v", script[:i+1], !inside)
			}
		}
	}
}
