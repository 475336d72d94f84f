package listen

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/testcert"
)

// A secured server speaks TLS.
type secured struct {
	*testing.T
	addr string
	pair *testcert.Pair
}

func startTLS(t *testing.T, handler http.HandlerFunc) *secured {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	pair := testcert.New(t, "127.0.0.1")
	chain, key := pair.Write(t, t.TempDir())
	certificate, err := LoadCertificate(chain, key, log)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := NewServer(handler, time.Second, log)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(TLS(l, certificate, log)) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-served
	})
	return &secured{t, l.Addr().String(), pair}
}

// exchange sends bytes over TLS and reads the answer.
func (s *secured) exchange(request string) *http.Response {
	s.Helper()
	c, err := tls.Dial("tcp", s.addr, s.pair.Trust())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = c.Close() })
	return answer(s.T, c, request)
}

func answer(t *testing.T, c net.Conn, request string) *http.Response {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func wantProblem(t *testing.T, response *http.Response, status int, says string) {
	t.Helper()
	var body struct {
		Status int
		Detail string
	}
	err := json.NewDecoder(response.Body).Decode(&body)
	if err != nil || response.StatusCode != status || body.Status != status || !strings.Contains(body.Detail, says) {
		t.Errorf("got %s, %+v, error %v", response.Status, body, err)
	}
}

// client returns one that speaks the given protocol only.
func (s *secured) client(set func(*http.Protocols)) *http.Client {
	protocols := new(http.Protocols)
	set(protocols)
	transport := &http.Transport{TLSClientConfig: s.pair.Trust(), Protocols: protocols}
	s.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestTLSOffersBothVersionsOfHTTP(t *testing.T) {
	s := startTLS(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
		if r.TLS == nil || !r.TLS.HandshakeComplete {
			t.Errorf("over %s a handler does not see TLS", r.Proto)
		}
	})
	for want, set := range map[string]func(*http.Protocols){
		"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
		"HTTP/2.0": func(p *http.Protocols) { p.SetHTTP2(true) },
	} {
		response, err := s.client(set).Get("https://" + s.addr)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if string(got) != want || response.Proto != want {
			t.Errorf("got %q over %s, want %s", got, response.Proto, want)
		}
	}
	// Who does not negotiate speaks HTTP/1.1.
	if response := s.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); response.StatusCode != 200 {
		t.Errorf("without ALPN: %s", response.Status)
	}
}

func TestRefusalsOverTLSAreProblems(t *testing.T) {
	s := startTLS(t, func(http.ResponseWriter, *http.Request) {})
	wantProblem(t, s.exchange("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "not well-formed HTTP")
}

func TestPlainHTTPOnTheTLSPort(t *testing.T) {
	s := startTLS(t, func(http.ResponseWriter, *http.Request) {})
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n" + strings.Repeat("and more", 1000),
	} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		wantProblem(t, answer(t, c, request), 400, "use https://")
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := startTLS(t, func(http.ResponseWriter, *http.Request) {})
	old := s.pair.Trust()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if c, err := tls.Dial("tcp", s.addr, old); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

// A client that opens a connection and says nothing holds up nobody, and does
// not outlive the listener.
func TestAHandshakeThatDoesNotEnd(t *testing.T) {
	s := startTLS(t, func(http.ResponseWriter, *http.Request) {})
	silent, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if response := s.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); response.StatusCode != 200 {
		t.Errorf("got %s", response.Status)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure := TLS(l, &Certificate{}, slog.New(slog.DiscardHandler))
	stuck, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	_ = secure.Close()
	_ = stuck.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := stuck.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the listener was closed its connection is open: %v", err)
	}
	if _, err := secure.Accept(); err != net.ErrClosed {
		t.Errorf("Accept returned %v", err)
	}
}
