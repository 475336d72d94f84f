package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/internal/testcert"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

const patience = 10 * time.Second

// A site is a server as the command runs it, and a client of one protocol.
type site struct {
	*testing.T
	*server.Server
	url    string
	client *http.Client
	// trust is nil without TLS.
	trust *tls.Config
	// written gets a value when the answer to a GET begins to be written, with
	// more bytes than a slow reader takes, and left one when a GET was served.
	written, left chan struct{}
}

// hugeWrite is more than what fits between a server and a client that does not
// read.
const hugeWrite = 8 << 20

// protocols are those that followers come over.
var protocols = map[string]func(*http.Protocols){
	"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
	"HTTP/2":   func(p *http.Protocols) { p.SetHTTP2(true) },
	"h2c":      func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
}

func newSite(t *testing.T, protocol string) *site {
	t.Helper()
	store := memstore.New(memstore.Options{})
	log := slog.New(slog.DiscardHandler)
	fs, err := server.New(server.Options{Store: store, Loopback: true, Heartbeat: 50 * time.Millisecond, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, Server: fs, url: "http://" + l.Addr().String(), written: make(chan struct{}, 64), left: make(chan struct{}, 64)}
	wrapped := listen.Problems(l)
	if protocol != "h2c" {
		pair := testcert.New(t, "127.0.0.1")
		chain, key := pair.Write(t, t.TempDir())
		certificate, err := listen.LoadCertificate(chain, key, log)
		if err != nil {
			t.Fatal(err)
		}
		s.url, s.trust = "https://"+l.Addr().String(), pair.Trust()
		wrapped = listen.TLS(l, certificate, log)
	}
	hs := listen.NewServer(s, time.Minute, log)
	served := make(chan error, 1)
	go func() { served <- hs.Serve(wrapped) }()
	spoken := new(http.Protocols)
	protocols[protocol](spoken)
	transport := &http.Transport{
		Protocols: spoken, TLSClientConfig: s.trust, DisableCompression: true,
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 16 << 10},
	}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		fs.Close()
		transport.CloseIdleConnections()
		_ = hs.Close()
		<-served
		_ = store.Close()
	})
	return s
}

// ServeHTTP watches what the server does.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w = watched{w, s.written}
		defer func() { s.left <- struct{}{} }()
	}
	s.Server.ServeHTTP(w, r)
}

type watched struct {
	http.ResponseWriter
	written chan<- struct{}
}

func (w watched) Write(p []byte) (int, error) {
	if len(p) >= hugeWrite {
		w.written <- struct{}{}
	}
	return w.ResponseWriter.Write(p)
}

func (w watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (s *site) create(name, contentType, data string, closing *freshet.Closing) {
	s.Helper()
	_, _, err := s.Create(s.Context(), name, freshet.Creation{
		Spec:  freshet.Spec{ContentType: contentType},
		First: &freshet.Append{Records: []freshet.Record{{Data: []byte(data)}}, Close: closing},
	})
	if err != nil {
		s.Fatal(err)
	}
}

// ask begins a response that goes on.
func (s *site) ask(method, path, body string) *http.Response {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if !strings.Contains(path, "live=") {
		r.Header.Set("Accept", "text/event-stream")
	}
	response, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func each(t *testing.T, test func(t *testing.T, s *site)) {
	for protocol := range protocols {
		t.Run(protocol, func(t *testing.T) { test(t, newSite(t, protocol)) })
	}
}

// DESIGN 4.2: only a response that has sent stream-closed ends cleanly. A reader
// who has seen nothing but heartbeats can tell, too.
func TestDrainIsNoCleanEnd(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.create("s", "text/plain", "x", nil)
		for name, response := range map[string]*http.Response{
			"SSE":          s.ask("GET", "/v1/stream/s", ""),
			"a set":        s.ask("POST", "/v1/follow", `{"streams":[{"stream":"s"}]}`),
			"live=sse":     s.ask("GET", "/v1/stream/s?live=sse&offset=-1", ""),
			"waiting":      s.ask("GET", "/v1/stream/later?wait=60", ""),
			"from the end": s.ask("GET", "/v1/stream/s?offset=now", ""),
		} {
			in := bufio.NewReader(response.Body)
			for beats := 0; beats < 2; {
				line, err := in.ReadString('\n')
				if err != nil {
					t.Fatalf("%s: %v before it was cut", name, err)
				}
				if line == ":\n" {
					beats++
				}
			}
			response.Body = struct {
				io.Reader
				io.Closer
			}{in, response.Body}
			defer func() {
				_, err := io.Copy(io.Discard, response.Body)
				switch {
				case response.ProtoMajor == 2 && (err == nil || !strings.Contains(err.Error(), "stream error")):
					t.Errorf("%s: the client sees %v and not a reset of the stream", name, err)
				case response.ProtoMajor == 1 && !errors.Is(err, io.ErrUnexpectedEOF):
					t.Errorf("%s: the client sees %v", name, err)
				}
			}()
		}
		s.Close()
	})
}

func TestAnEndIsACleanEnd(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.create("s", "text/plain", "x", &freshet.Closing{Reason: freshet.Completed})
		got, err := io.ReadAll(s.ask("GET", "/v1/stream/s", "").Body)
		if err != nil || !bytes.Contains(got, []byte("stream-closed")) {
			t.Errorf("got %q, error %v", got, err)
		}
	})
}

// A reader who does not read does not keep the server from ending.
func TestDrainEndsSlowReaders(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.create("huge", "text/plain", strings.Repeat("x", hugeWrite), nil)
		for range 3 {
			s.ask("GET", "/v1/stream/huge", "")
			<-s.written
		}
		select {
		case <-s.left:
			t.Fatal("a response that nobody reads has ended")
		case <-time.After(20 * time.Millisecond):
		}
		s.Close()
		for range 3 {
			select {
			case <-s.left:
			case <-time.After(patience):
				t.Fatal("a response waits for its reader after the server was closed")
			}
		}
	})
}

// A reader who leaves ends its response while that is written.
func TestALeavingReaderEndsItsResponse(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.create("huge", "text/plain", strings.Repeat("x", hugeWrite), nil)
		response := s.ask("GET", "/v1/stream/huge", "")
		<-s.written
		_ = response.Body.Close()
		select {
		case <-s.left:
		case <-time.After(patience):
			t.Fatal("the response goes on")
		}
	})
}

func TestWebSocketOverHTTP2IsRefused(t *testing.T) {
	s := newSite(t, "HTTP/2")
	response := s.ask("GET", "/v1/ws", "")
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != 400 || !bytes.Contains(body, []byte("connect over HTTP/1.1")) || !bytes.Contains(body, []byte(`"bad_upgrade"`)) {
		t.Errorf("got %s, %s", response.Status, body)
	}
}

// A URL that is made of a request has the scheme that was used.
func TestLocationsAreHTTPS(t *testing.T) {
	for protocol, want := range map[string]string{"HTTP/1.1": "https://", "HTTP/2": "https://", "h2c": "http://"} {
		s := newSite(t, protocol)
		if at := s.ask("PUT", "/v1/stream/s", "").Header.Get("Location"); !strings.HasPrefix(at, want) {
			t.Errorf("over %s Location is %q", protocol, at)
		}
	}
}

func TestWebSocketOverTLS(t *testing.T) {
	s := newSite(t, "HTTP/1.1")
	s.create("s", "text/plain", "x", nil)
	dial := func() *websocket.Conn {
		c, _, err := websocket.Dial(t.Context(), s.url+"/v1/stream/s?append=s", &websocket.DialOptions{HTTPClient: s.client})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.CloseNow() })
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != "x" {
			t.Fatalf("got %q, error %v", got, err)
		}
		return c
	}
	drained, closed := dial(), dial()
	if err := closed.Write(t.Context(), websocket.MessageText, []byte("y")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := drained.Read(t.Context()); err != nil || string(got) != "y" {
		t.Errorf("got %q, error %v", got, err)
	}
	if err := closed.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("the client's close: %v", err)
	}
	ended := make(chan error, 1)
	go func() {
		_, _, err := drained.Read(t.Context())
		ended <- err
	}()
	s.Close()
	if err := <-ended; websocket.CloseStatus(err) != 1012 {
		t.Errorf("after a drain the client sees %v", err)
	}
}

// The close frame arrives although the client goes on sending, and TLS and TCP
// end in order after it.
func TestACloseFrameSurvivesUnreadDataOverTLS(t *testing.T) {
	s := newSite(t, "HTTP/1.1")
	s.create("s", "application/octet-stream", "x", nil)
	for range 10 {
		c, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), s.trust)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(c, "GET /v1/stream/s?offset=now HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		in := bufio.NewReader(c)
		if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != 101 {
			t.Fatalf("%v, %v", answer, err)
		}
		go func() {
			// Reserved bits, and then what is not read as frames.
			_, _ = c.Write(append([]byte{0xf1, 0x80, 1, 2, 3, 4}, bytes.Repeat([]byte("unread"), 100_000)...))
		}()
		got, err := io.ReadAll(in)
		// A ping may have been due.
		got = bytes.TrimPrefix(got, []byte{0x89, 0})
		if err != nil || len(got) < 4 || !bytes.Equal(got[:1], []byte{0x88}) || !bytes.Equal(got[2:4], []byte{0x03, 0xea}) {
			t.Fatalf("got %q, error %v", got, err)
		}
		_ = c.Close()
	}
}
