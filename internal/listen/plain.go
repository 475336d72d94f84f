// Package listen wraps the server's listener, where net/http leaves something
// to be wished for.
package listen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// Problems returns a listener that answers in application/problem+json where
// net/http itself refuses a request which it cannot parse: it writes its own
// plain text then, and no handler is asked. Where it cannot parse a request
// because its time was over in the middle of the first line, there is no answer:
// a client may have taken its time to use the connection, and would believe that
// something is wrong with what it asked.
func Problems(l net.Listener) net.Listener { return &listener{l} }

type listener struct{ net.Listener }

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// A conn rewrites one kind of write.
type conn struct {
	net.Conn
	// readBy is until when reading may last, in nanoseconds of Unix time; 0 is for
	// ever.
	readBy atomic.Int64
}

// SetReadDeadline implements [net.Conn].
func (c *conn) SetReadDeadline(t time.Time) error {
	by := int64(0)
	if !t.IsZero() {
		by = t.UnixNano()
	}
	c.readBy.Store(by)
	return c.Conn.SetReadDeadline(t)
}

// isLate reports whether the time for reading is over.
func (c *conn) isLate() bool {
	by := c.readBy.Load()
	return by != 0 && time.Now().UnixNano() >= by
}

// NetConn returns the connection itself.
func (c *conn) NetConn() net.Conn { return c.Conn }

// CloseWrite shuts down the writing side, as net/http does before it closes a
// connection whose client is still sending.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(halfCloser); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// A halfCloser is a connection whose writing side can be shut down alone.
type halfCloser interface{ CloseWrite() error }

// refusal is how net/http begins the answer to a request that it does not pass
// on: the status line is followed by these headers and no others.
const refusal = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// Write implements [net.Conn].
func (c *conn) Write(p []byte) (int, error) {
	const status = "HTTP/1.1 "
	if len(p) < len(status)+3 || len(p) > 1024 || p[len(status)] != '4' && p[len(status)] != '5' {
		return c.Conn.Write(p)
	}
	head, text, ok := bytes.Cut(p, []byte(refusal))
	if !ok || !bytes.HasPrefix(head, []byte(status)) {
		return c.Conn.Write(p)
	}
	if c.isLate() {
		return 0, errors.Join(os.ErrDeadlineExceeded, c.Close())
	}
	if _, err := c.Conn.Write(problem(head[len(status):], "the request is not well-formed HTTP and was not looked at: "+string(text))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// problem returns the whole answer for a status line.
func problem(status []byte, detail string) []byte {
	code, _ := strconv.Atoi(string(status[:3]))
	body, _ := json.Marshal(map[string]any{
		"type":   "urn:freshet:problem:bad_request",
		"title":  string(bytes.TrimSpace(status[3:])),
		"status": code,
		"detail": detail,
		"code":   "bad_request",
	})
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n", status, len(body)+1, body)
}
