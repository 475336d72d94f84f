package listen

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRefusalsAreProblems(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{MaxHeaderBytes: 4 << 10, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "HTTP/1.1 400 Bad Request"+refusal+"told by a handler")
	})}
	go func() { _ = srv.Serve(Problems(l)) }()
	defer srv.Close()

	for name, tt := range map[string]struct {
		request string
		status  int
	}{
		"a bad escape":         {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"no Host":              {"GET / HTTP/1.1\r\n\r\n", 400},
		"a space in a header":  {"GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n", 400},
		"headers without end":  {"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 32<<10) + "\r\n\r\n", 431},
		"an odd transfer code": {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: lumps\r\n\r\n", 501},
		"a future protocol":    {"GET / HTTP/3.1\r\nHost: a\r\n\r\n", 505},
	} {
		t.Run(name, func(t *testing.T) {
			response := exchange(t, l.Addr().String(), tt.request)
			if response.StatusCode != tt.status || response.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("got %s, %v", response.Status, response.Header)
			}
			var body struct {
				Status int
				Detail string
			}
			if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Status != tt.status || body.Detail == "" {
				t.Errorf("the body is %+v, error %v", body, err)
			}
		})
	}
	t.Run("what a handler says stays", func(t *testing.T) {
		response := exchange(t, l.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 200 || !strings.HasSuffix(string(body), "told by a handler") {
			t.Errorf("got %s, %q", response.Status, body)
		}
	})
}

// A client that begins its request when the time for that is nearly over is not
// told that it is malformed.
func TestALateRequestIsNotRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: 50 * time.Millisecond, Handler: http.NotFoundHandler()}
	srv.Protocols = new(http.Protocols)
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = srv.Serve(Problems(l)) }()
	defer srv.Close()
	for _, begun := range []string{"", "GET /", "GET /v1/stream/a", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX"} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, begun)
		if got, err := io.ReadAll(c); len(got) > 0 || err != nil {
			t.Errorf("after %q it is told %q, error %v", begun, got, err)
		}
	}
}

// exchange sends bytes to a server and reads its answer.
func exchange(t *testing.T, addr, request string) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() { _, _ = io.WriteString(c, request) }()
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
