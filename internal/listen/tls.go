package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// handshakeTime bounds the handshake of TLS.
	handshakeTime = 10 * time.Second
	// partingTime and partingBytes bound what is read of a client that is
	// turned away, so that it gets to read why.
	partingTime  = 500 * time.Millisecond
	partingBytes = 64 << 10
)

// TLS returns a listener that speaks TLS, 1.2 at least, over what l accepts. It
// offers HTTP/2 and HTTP/1.1. Its connections have shaken hands: those on which
// HTTP/2 was chosen are a [*tls.Conn], as net/http wants them, the others answer
// in problem+json as [Problems] does. Closing it closes l and gives up handshakes
// that are under way.
func TLS(l net.Listener, certificate *Certificate, log *slog.Logger) net.Listener {
	s := &secureListener{
		Listener: l,
		log:      log,
		config: &tls.Config{
			GetCertificate: certificate.Get,
			MinVersion:     tls.VersionTLS12,
			NextProtos:     []string{"h2", "http/1.1"},
		},
		accepted: make(chan accepted),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.accept)
	return s
}

type secureListener struct {
	net.Listener
	log    *slog.Logger
	config *tls.Config

	// ctx ends when the listener is closed.
	ctx      context.Context
	cancel   context.CancelFunc
	work     sync.WaitGroup
	accepted chan accepted
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// Accept implements [net.Listener].
func (s *secureListener) Accept() (net.Conn, error) {
	select {
	case a := <-s.accepted:
		return a.conn, a.err
	case <-s.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (s *secureListener) Close() error {
	err := s.Listener.Close()
	s.cancel()
	s.work.Wait()
	return err
}

// accept lets each connection shake hands in a goroutine of its own, so that one
// which takes its time holds up no other.
func (s *secureListener) accept() {
	for {
		c, err := s.Listener.Accept()
		switch {
		case err == nil:
			s.work.Go(func() { s.secure(c) })
		case errors.Is(err, net.ErrClosed), !s.pass(accepted{err: err}):
			return
		}
	}
}

// pass reports whether somebody has taken what was accepted.
func (s *secureListener) pass(a accepted) bool {
	select {
	case s.accepted <- a:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *secureListener) secure(c net.Conn) {
	ctx, cancel := context.WithTimeout(s.ctx, handshakeTime)
	defer cancel()
	secured := tls.Server(c, s.config)
	if err := secured.HandshakeContext(ctx); err != nil {
		s.log.Debug("TLS handshake", "peer", c.RemoteAddr(), "error", err)
		var alien tls.RecordHeaderError
		if errors.As(err, &alien) && alien.Conn != nil && isHTTP(alien.RecordHeader) {
			turnAway(alien.Conn)
		}
		_ = c.Close()
		return
	}
	var ready net.Conn = secured
	if secured.ConnectionState().NegotiatedProtocol != "h2" {
		ready = &secureConn{conn{Conn: secured}, secured}
	}
	if !s.pass(accepted{conn: ready}) {
		_ = c.Close()
	}
}

// isHTTP reports whether what a client sent first looks like a method and not
// like TLS.
func isHTTP(first [5]byte) bool {
	for _, b := range first[:3] {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}

// turnAway tells a client that it has to speak TLS.
func turnAway(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(partingTime))
	answer := problem([]byte("400 Bad Request"), "the server speaks TLS on this port; use https:// in place of http://")
	if _, err := c.Write(answer); err != nil {
		return
	}
	if half, ok := c.(halfCloser); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c, partingBytes))
	}
}

// A secureConn carries HTTP/1.1 over TLS.
type secureConn struct {
	conn
	tls *tls.Conn
}

// ConnectionState lets net/http know of the TLS.
func (c *secureConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// CloseWrite shuts down the writing side of TLS (RFC 8446, section 6.1), and of
// TCP for those who do not look at the former.
func (c *secureConn) CloseWrite() error {
	if err := c.tls.CloseWrite(); err != nil {
		return err
	}
	if half, ok := c.tls.NetConn().(halfCloser); ok {
		return half.CloseWrite()
	}
	return nil
}
