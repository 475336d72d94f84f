package load

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
)

// Stream returns a producer that appends to a path with one POST whose body does
// not end: what it sends is a chunk (RFC 9112, section 7.1) with a number of
// records, each on a line. Begin has to be called before it sends, and Finish to
// know that everything has landed.
func Stream(addr, path string, record []byte, together int) (*Producer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	lines := bytes.Repeat(append(bytes.Clone(record), '\n'), together)
	return &Producer{
		conn: conn, in: bufio.NewReader(conn),
		head:    fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n", path, addr),
		message: fmt.Appendf(nil, "%x\r\n%s\r\n", len(lines), lines),
	}, nil
}

// Begin begins the request of a producer that streams.
func (p *Producer) Begin() error {
	_, err := p.conn.Write(p.head)
	return err
}

// Finish ends the request of a producer that streams and waits for the answer.
func (p *Producer) Finish() error {
	if _, err := p.conn.Write([]byte("0\r\n\r\n")); err != nil {
		return err
	}
	return p.await("20")
}
