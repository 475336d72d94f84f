package endurance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"syscall"

	"github.com/freshet-stream/freshet"
)

// recordBytes is the size of a record of those that are told apart by number.
const recordBytes = 2 << 10

// record returns the n-th record, counted from 1: a JSON string.
func record(n int) string {
	s := fmt.Sprintf(`"%016d`, n)
	return s + strings.Repeat("x", recordBytes-len(s)-1) + `"`
}

// A follower follows a stream of such records over SSE.
type follower struct {
	conn net.Conn
	body *bufio.Reader
}

// dial asks for a stream over a new connection, whose receive buffer is of a
// size unless that is zero, and reads nothing.
func dial(addr, name string, buffer int) (*follower, error) {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		if buffer == 0 {
			return nil
		}
		return setBuffer(c, syscall.SO_RCVBUF, buffer)
	}}
	conn, err := d.Dial("tcp4", addr)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET /v1/stream/%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", name, addr)
	return &follower{conn: conn}, err
}

// begin reads the head and the prelude.
func (f *follower) begin() error {
	raw := bufio.NewReaderSize(f.conn, 16<<10)
	if err := skipBlock(raw, "HTTP/1.1 200"); err != nil {
		return err
	}
	f.body = bufio.NewReaderSize(httputil.NewChunkedReader(raw), 4<<10)
	return skipBlock(f.body, "retry: ")
}

// skipBlock reads up to an empty line. The first one has to begin with a prefix.
func skipBlock(r *bufio.Reader, prefix string) error {
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.HasPrefix(line, prefix):
			return fmt.Errorf("got %q, want %q", line, prefix)
		case strings.TrimSpace(line) == "":
			return nil
		}
	}
}

// Where things are in the event of a record.
const (
	dataAt     = len("data: ")
	idAt       = dataAt + recordBytes + len("\nid: ")
	eventBytes = idAt + freshet.OffsetBytes + len("\n\n")
)

// read reads the records with the numbers from and up to, every one of which has
// to come, in order.
func (f *follower) read(from, to int) error {
	event := make([]byte, eventBytes)
	for n := from; n <= to; n++ {
		if _, err := io.ReadFull(f.body, event); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		inData, err := strconv.Atoi(string(event[dataAt+1 : dataAt+17]))
		inID, err2 := strconv.Atoi(string(event[idAt : idAt+16]))
		if err != nil || err2 != nil || inData != n || inID != n || !bytes.HasSuffix(event, []byte("\n\n")) {
			return fmt.Errorf("in place of record %d comes %.40q … %q", n, event, event[idAt:])
		}
	}
	return nil
}

// end reads the end of the stream and of the response.
func (f *follower) end() error {
	if err := skipBlock(f.body, "event: stream-closed"); err != nil {
		return err
	}
	if rest, err := io.ReadAll(f.body); err != nil || len(rest) > 0 {
		return fmt.Errorf("after the end comes %q, %v", rest, err)
	}
	return nil
}

func (f *follower) close() { _ = f.conn.Close() }
