package listen

import (
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// A peer of HTTP/2 that answers no ping is gone, although TCP does not know.
func TestASilentPeerOfHTTP2IsLeft(t *testing.T) {
	const heartbeat = 50 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := NewServer(http.NotFoundHandler(), heartbeat, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(Problems(l)) }()
	defer func() {
		_ = srv.Close()
		<-served
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	// RFC 9113, section 3.4: the preface, and settings that say nothing.
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	const settings, ping, maxConcurrentStreams = 4, 6, 3
	pinged := false
	for {
		kind, payload, err := readHTTP2Frame(c)
		if err != nil {
			break
		}
		switch kind {
		case ping:
			pinged = true
		case settings:
			for ; len(payload) >= 6; payload = payload[6:] {
				if value := binary.BigEndian.Uint32(payload[2:]); binary.BigEndian.Uint16(payload) == maxConcurrentStreams && value != streamsMost {
					t.Errorf("the server allows %d streams", value)
				}
			}
		}
	}
	if !pinged {
		t.Error("the connection ended without a ping")
	}
	if _, err := c.Write(make([]byte, 1)); err == nil {
		_, err = c.Read(make([]byte, 1))
		if err == nil {
			t.Error("the connection is open")
		}
	}
}

// readHTTP2Frame reads a frame (RFC 9113, section 4.1).
func readHTTP2Frame(r io.Reader) (kind byte, payload []byte, err error) {
	var header [9]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, int(header[0])<<16|int(header[1])<<8|int(header[2]))
	_, err = io.ReadFull(r, payload)
	return header[3], payload, err
}
