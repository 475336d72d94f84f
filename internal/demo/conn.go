package demo

import (
	"context"
	"net"
)

type connKey struct{}

// ConnContext goes into [net/http.Server.ConnContext], so that a cut reaches the
// TCP connection of a request. Without it a cut aborts the response.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// connOf returns the connection of the request that has this context, or nil.
func connOf(ctx context.Context) net.Conn {
	conn, _ := ctx.Value(connKey{}).(net.Conn)
	return conn
}

// reset closes a TCP connection without a goodbye (RFC 9293, section 3.10.4,
// ABORT): what is not sent yet is dropped, and the peer gets a RST. It looks
// through wrappers that have a method NetConn, as [crypto/tls.Conn] does, and
// closes what is not TCP. Those who read and write meanwhile fail.
func reset(conn net.Conn) {
	for {
		switch c := conn.(type) {
		case interface{ SetLinger(seconds int) error }:
			_ = c.SetLinger(0)
			_ = conn.Close()
			return
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			_ = conn.Close()
			return
		}
	}
}
