package faultproxy

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// dial connects through a proxy and reads the greeting.
func dial(t *testing.T, p *Proxy, greeting string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	buf := make([]byte, len(greeting))
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != greeting {
		t.Fatalf("got %q, %v", buf, err)
	}
	return c
}

func TestCutAllCutsWhatIsOpen(t *testing.T) {
	p, err := New(Options{Target: serve(t, []byte("hello"))})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	first, second := dial(t, p, "hello"), dial(t, p, "hello")
	if n := p.CutAll(); n != 2 {
		t.Fatalf("cut %d connections", n)
	}
	var fin, rst int
	for _, c := range []net.Conn{first, second} {
		switch _, err := c.Read(make([]byte, 1)); {
		case errors.Is(err, io.EOF):
			fin++
		case errors.Is(err, syscall.ECONNRESET):
			rst++
		default:
			t.Errorf("a connection that was cut reads %v", err)
		}
	}
	if got := p.Counts(); fin != 1 || rst != 1 || got.FIN != 1 || got.RST != 1 {
		t.Errorf("saw %d FIN and %d RST, counted %+v", fin, rst, got)
	}
	dial(t, p, "hello") // those that come later are served
}

func TestStalledConnectionStaysOpen(t *testing.T) {
	p, err := New(Options{Target: echo(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ping := func() error {
		if _, err := c.Write([]byte("ping")); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 4))
		return err
	}
	if err := ping(); err != nil {
		t.Fatal(err)
	}
	if n := p.Stall(); n != 1 || p.Counts().Stalled != 1 {
		t.Fatalf("stalled %d, counted %+v", n, p.Counts())
	}
	if n := p.Stall(); n != 0 {
		t.Errorf("stalled %d again", n)
	}
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	var timeout net.Error
	if err := ping(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a stalled connection answers %v", err)
	}
	if c2, err := net.Dial("tcp", p.Addr()); err != nil {
		t.Error(err)
	} else {
		c = c2
		defer c2.Close()
		if err := ping(); err != nil {
			t.Errorf("a new connection: %v", err)
		}
	}
}

func TestDelayCounts(t *testing.T) {
	p, err := New(Options{Target: serve(t, []byte("hello"))})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Delay(20 * time.Millisecond)
	began := time.Now()
	dial(t, p, "hello")
	if took := time.Since(began); took < 20*time.Millisecond || p.Counts().Delayed == 0 {
		t.Errorf("it took %v, counted %+v", took, p.Counts())
	}
	p.Delay(0)
	before := p.Counts().Delayed
	dial(t, p, "hello")
	if after := p.Counts().Delayed; after != before {
		t.Errorf("delayed %d pieces after the end", after-before)
	}
}

// echo answers with what it is sent.
func echo(t *testing.T) string {
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
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}
