package websocket

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cws "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/memstore"
)

func TestMain(m *testing.M) {
	if crowd := os.Getenv(crowdVariable); crowd != "" {
		beCrowd(crowd)
		return
	}
	goleak.VerifyTestMain(m)
}

// An env is a server with a transport over a store in memory.
type env struct {
	*testing.T
	store     freshet.Store
	hub       *hub.Hub
	transport *Transport
	server    *httptest.Server
	// writes counts the writes to upgraded connections.
	writes atomic.Int64
}

// counted counts writes and keeps what TCP can do.
type counted struct {
	*net.TCPConn
	writes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.TCPConn.Write(p)
}

func newEnv(t *testing.T, opts Options) *env {
	t.Helper()
	return newEnvOver(t, memstore.New(memstore.Options{}), opts)
}

func newEnvOver(t *testing.T, store freshet.Store, opts Options) *env {
	t.Helper()
	e := &env{T: t, store: store}
	e.hub = hub.New(hub.Options{Store: e.store, Limits: opts.Limits})
	opts.Hub = e.hub
	if opts.CloseWait == 0 {
		opts.CloseWait = time.Second
	}
	if opts.Wrap == nil {
		opts.Wrap = func(c net.Conn, _ *http.Request) net.Conn { return counted{c.(*net.TCPConn), &e.writes} }
	}
	e.transport = New(opts)
	e.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.transport.ServeStream(w, r, strings.TrimPrefix(r.URL.Path, "/v1/stream/"))
	}))
	t.Cleanup(func() {
		e.transport.Close()
		e.server.Close()
		e.hub.Close()
	})
	return e
}

func (e *env) create(name, contentType string) {
	e.Helper()
	_, _, err := e.hub.Create(e.Context(), name, freshet.Creation{Spec: freshet.Spec{ContentType: contentType}})
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) append(name string, data ...string) freshet.Offset {
	e.Helper()
	var a freshet.Append
	for _, d := range data {
		a.Records = append(a.Records, freshet.Record{Data: []byte(d)})
	}
	result, err := e.hub.Append(e.Context(), name, a)
	if err != nil {
		e.Fatal(err)
	}
	return result.Tail
}

func (e *env) close(name string, reason freshet.Reason) {
	e.Helper()
	if _, err := e.hub.Append(e.Context(), name, freshet.Append{Close: &freshet.Closing{Reason: reason}}); err != nil {
		e.Fatal(err)
	}
}

// content returns the data of a stream's records.
func (e *env) content(name string) (data []string) {
	e.Helper()
	page, err := e.store.Read(e.Context(), name, freshet.Offset{}, freshet.Limit{})
	if err != nil {
		e.Fatal(err)
	}
	for _, r := range page.Records {
		data = append(data, string(r.Data))
	}
	return data
}

// open returns how many connections there are.
func (e *env) open() int {
	e.transport.mu.Lock()
	defer e.transport.mu.Unlock()
	return len(e.transport.conns)
}

// eventually waits for something that is not told.
func (e *env) eventually(what string, ok func() bool) {
	e.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			e.Fatalf("it is still not so that %s", what)
		}
	}
}

// A client is an independent implementation's.
type client struct {
	*testing.T
	*cws.Conn
}

// dial connects with the path and query after /v1/stream/.
func (e *env) dial(path string, protocols ...string) *client {
	e.Helper()
	c, _, err := cws.Dial(e.Context(), e.server.URL+"/v1/stream/"+path, &cws.DialOptions{Subprotocols: protocols})
	if err != nil {
		e.Fatal(err)
	}
	c.SetReadLimit(64 << 20)
	if len(protocols) > 0 && c.Subprotocol() != protocols[0] {
		e.Fatalf("the subprotocol is %q", c.Subprotocol())
	}
	e.Cleanup(func() { _ = c.CloseNow() })
	return &client{e.T, c}
}

func (c *client) read() (cws.MessageType, []byte, error) {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	return c.Conn.Read(ctx)
}

func (c *client) want(kind cws.MessageType, message string) {
	c.Helper()
	got, data, err := c.read()
	if err != nil || got != kind || string(data) != message {
		c.Fatalf("got %v %.200q, %v; want %v %.200q", got, data, err, kind, message)
	}
}

func (c *client) wantEnd(code cws.StatusCode, reason string) {
	c.Helper()
	_, data, err := c.read()
	var end cws.CloseError
	if e := cws.CloseStatus(err); e != code {
		c.Fatalf("got %.200q and the end %d (%v), want %d", data, e, err, code)
	}
	if asClose(err, &end); !strings.Contains(end.Reason, reason) {
		c.Fatalf("got the reason %q, want %q", end.Reason, reason)
	}
}

func asClose(err error, to *cws.CloseError) {
	for ; err != nil; err = unwrap(err) {
		if end, ok := err.(cws.CloseError); ok {
			*to = end
			return
		}
	}
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

// send sends a text message.
func (c *client) send(message string, args ...any) {
	c.Helper()
	if len(args) > 0 {
		message = fmt.Sprintf(message, args...)
	}
	if err := c.Write(c.Context(), cws.MessageText, []byte(message)); err != nil {
		c.Fatal(err)
	}
}

// A told is any message of the server that is JSON.
type told struct {
	Op, Stream, Reason, Why, Requested, Resumed, Offset, Code, Message string

	ID        json.RawMessage
	Duplicate bool
	Expected  *uint64
	Records   []struct {
		Offset, Type string
		Data         json.RawMessage
	}
}

func (c *client) next() (m told) {
	c.Helper()
	kind, data, err := c.read()
	if err != nil || kind != cws.MessageText {
		c.Fatalf("got %v %.200q, %v; want a text message", kind, data, err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		c.Fatalf("%.200q: %v", data, err)
	}
	return m
}

// wantRecords reads records messages of a stream until it has got this data.
func (c *client) wantRecords(stream string, want ...string) (last string) {
	c.Helper()
	for len(want) > 0 {
		m := c.next()
		if m.Op != "records" || m.Stream != stream {
			c.Fatalf("got %+v, want records of %s", m, stream)
		}
		for _, r := range m.Records {
			if len(want) == 0 || string(r.Data) != want[0] {
				c.Fatalf("got the record %.200s, want %.200q", r.Data, want)
			}
			want, last = want[1:], r.Offset
		}
	}
	return last
}

// A raw connection sends what no client would.
type raw struct {
	*testing.T
	net.Conn
	in *bufio.Reader
}

const handshakeFormat = "GET /v1/stream/%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n"

func (e *env) dialRaw(path, headers string) *raw {
	e.Helper()
	return e.exchange(fmt.Sprintf(handshakeFormat, path, headers))
}

// exchange sends a handshake, with whatever is behind it, and reads the answer.
func (e *env) exchange(handshake string) *raw {
	e.Helper()
	nc, err := net.Dial("tcp", e.server.Listener.Addr().String())
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(nc, handshake); err != nil {
		e.Fatal(err)
	}
	r := &raw{e.T, nc, bufio.NewReader(nc)}
	answer, err := http.ReadResponse(r.in, nil)
	if err != nil {
		e.Fatal(err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Sec-WebSocket-Accept") != "ICX+Yqv66kxgM0FcWaLWlFLwTAI=" {
		e.Fatalf("the handshake was answered %s, %v", answer.Status, answer.Header)
	}
	return r
}

// frame is a frame as a client sends it.
func frame(op ws.OpCode, fin bool, payload string) []byte {
	return ws.MustCompileFrame(ws.MaskFrameInPlaceWith(ws.NewFrame(op, fin, []byte(payload)), [4]byte{1, 2, 3, 4}))
}

func text1(payload string) []byte { return frame(ws.OpText, true, payload) }

func (r *raw) send(frames ...[]byte) {
	r.Helper()
	for _, f := range frames {
		if _, err := r.Write(f); err != nil {
			r.Fatal(err)
		}
	}
}

func (r *raw) want(op ws.OpCode, payload string) {
	r.Helper()
	f, err := readFrame(r.in)
	if err != nil || f.Header.OpCode != op || string(f.Payload) != payload || f.Header.Masked || !f.Header.Fin {
		r.Fatalf("got %+v %.200q, %v; want %v %.200q", f.Header, f.Payload, err, op, payload)
	}
}

// wantClose reads up to a close frame, and then that nothing follows it.
func (r *raw) wantClose(code ws.StatusCode) (reason string) {
	r.Helper()
	for {
		f, err := readFrame(r.in)
		if err != nil {
			r.Fatalf("the connection ended without a close frame: %v", err)
		}
		if f.Header.OpCode != ws.OpClose {
			continue
		}
		if got, _ := ws.ParseCloseFrameData(f.Payload); got != code || code != 0 && binary.BigEndian.Uint16(f.Payload) != uint16(code) {
			r.Fatalf("got the close %d %q, want %d", got, f.Payload, code)
		}
		if rest, err := io.ReadAll(r.in); err != nil || len(rest) > 0 {
			r.Fatalf("after the close came %.200q, %v", rest, err)
		}
		_, reason = ws.ParseCloseFrameData(f.Payload)
		return reason
	}
}

// readFrame reads a frame of at most what a test expects to be sent.
func readFrame(r io.Reader) (f ws.Frame, err error) {
	const most = 64 << 20
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	if f.Header.Length > most {
		return f, fmt.Errorf("the frame has %d bytes", f.Header.Length)
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}
