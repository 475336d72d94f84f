package demo

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"sync"
)

// A tee shows what is written as a response, before HTTP frames it; and once
// the connection is hijacked, what is written to that.
type tee struct {
	http.ResponseWriter
	connection *connection
	// keep takes back that the connection is forgotten when the request is
	// served.
	keep func() bool
}

// Write implements [http.ResponseWriter].
func (t *tee) Write(p []byte) (int, error) {
	n, err := t.ResponseWriter.Write(p)
	t.connection.wrote(p[:n])
	return n, err
}

// Unwrap gives [http.ResponseController] what is not shown.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Hijack implements [http.Hijacker].
func (t *tee) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	t.keep()
	shown := &teeConn{Conn: conn, connection: t.connection}
	t.connection.hijacked(conn)
	return shown, bufio.NewReadWriter(rw.Reader, bufio.NewWriter(shown)), nil
}

// A teeConn is a hijacked connection.
type teeConn struct {
	net.Conn
	connection *connection
	closing    sync.Once
}

// Write implements [net.Conn].
func (t *teeConn) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.connection.wrote(p[:n])
	return n, err
}

// Close implements [net.Conn].
func (t *teeConn) Close() error {
	t.closing.Do(func() { t.connection.end(endClosed) })
	return t.Conn.Close()
}

// CloseWrite tells the peer that nothing more will be sent, if the connection
// below can.
func (t *teeConn) CloseWrite() error {
	half, ok := t.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// NetConn returns the connection below.
func (t *teeConn) NetConn() net.Conn { return t.Conn }
