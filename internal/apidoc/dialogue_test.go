package apidoc_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// A dialogue is one connection with one request, whose answer may go on.
type dialogue struct {
	conn *pipeConn
	// raw is what has come and was not looked at yet.
	raw []byte
	// chunked says that the body comes in chunks, whole that it has ended, and
	// closed that the connection has.
	chunked, whole, closed bool
}

// request sends a request as the document has it: with line breaks of one
// character, of which those of the head become two.
func (d *dialogue) request(text string) {
	head, body, _ := strings.Cut(text, "\n\n")
	head = strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n")
	d.conn.send(head + "\r\n\r\n" + strings.TrimSuffix(body, "\n"))
}

// chunk sends a piece of a body without a length, and its end if that is it.
func (d *dialogue) chunk(text string, ends bool) {
	d.conn.send(fmt.Sprintf("%x\r\n%s\r\n", len(text), text))
	if ends {
		d.conn.send("0\r\n\r\n")
	}
}

func (d *dialogue) take() {
	var got []byte
	got, d.closed = d.conn.take()
	d.raw = append(d.raw, got...)
}

// head returns the head, with line breaks of one character.
func (d *dialogue) head() string {
	d.take()
	head, rest, _ := bytes.Cut(d.raw, []byte("\r\n\r\n"))
	d.raw = rest
	text := strings.ReplaceAll(string(head), "\r\n", "\n") + "\n"
	d.chunked = strings.Contains(text, "Transfer-Encoding: chunked")
	return text
}

// response returns the head and what has come of the body.
func (d *dialogue) response() string {
	text := d.head()
	if strings.HasPrefix(text, "HTTP/1.1 101") {
		return text
	}
	if body := d.body(); body != "" {
		text += "\n" + body
	}
	return text
}

// more returns what has come of the body since.
func (d *dialogue) more() string {
	d.take()
	return d.body()
}

// body returns the part of the body that is in raw.
func (d *dialogue) body() string {
	if !d.chunked {
		body := string(d.raw)
		d.raw = nil
		return body
	}
	var body strings.Builder
	for len(d.raw) > 0 {
		line, rest, _ := bytes.Cut(d.raw, []byte("\r\n"))
		size, err := strconv.ParseUint(string(line), 16, 32)
		if err != nil {
			d.conn.t.Fatalf("%q is not a chunk", d.raw)
		}
		body.Write(rest[:size])
		d.raw = rest[size+2:]
		d.whole = size == 0
	}
	return body.String()
}

// hex returns the bytes that came, in lines as long as those of the document.
// What follows two spaces there is for people.
func (d *dialogue) hex(documented string) string {
	d.take()
	var out strings.Builder
	for line := range strings.Lines(documented) {
		pairs, remark, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		n := min(len(strings.Fields(pairs)), len(d.raw))
		if remark != "" {
			remark = "  " + remark
		}
		fmt.Fprintf(&out, "% x%s\n", d.raw[:n], remark)
		d.raw = d.raw[n:]
	}
	if len(d.raw) > 0 {
		fmt.Fprintf(&out, "% x  more\n", d.raw)
		d.raw = nil
	}
	return out.String()
}

// sendMessage sends a text message, or a close frame for `close CODE`, with a
// mask (RFC 6455, section 5.2).
func (d *dialogue) sendMessage(text string) {
	op, payload := byte(0x81), []byte(text)
	if code, ok := strings.CutPrefix(text, "close "); ok {
		n, _ := strconv.ParseUint(code, 10, 16)
		op, payload = 0x88, binary.BigEndian.AppendUint16(nil, uint16(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	frame := []byte{op}
	if len(payload) < 126 {
		frame = append(frame, 0x80|byte(len(payload)))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(len(payload)))
	}
	frame = append(frame, mask[:]...)
	for i, c := range payload {
		frame = append(frame, c^mask[i%4])
	}
	d.conn.send(string(frame))
}

// frames returns what came as lines.
func (d *dialogue) frames(t *testing.T) string {
	t.Helper()
	d.take()
	var out strings.Builder
	for len(d.raw) > 0 {
		op, n, rest := d.raw[0], int(d.raw[1]), d.raw[2:]
		if n == 126 {
			n, rest = int(binary.BigEndian.Uint16(rest)), rest[2:]
		}
		if n >= 126 && len(d.raw) < 130 || op&0x80 == 0 {
			t.Fatalf("the frame %q is not for documents", d.raw)
		}
		payload := rest[:n]
		d.raw = rest[n:]
		switch op & 15 {
		case 8:
			fmt.Fprintf(&out, "< close %d %s\n", binary.BigEndian.Uint16(payload), payload[2:])
		case 9:
			out.WriteString("< ping\n")
		case 10:
			out.WriteString("< pong\n")
		default:
			fmt.Fprintf(&out, "< %s\n", payload)
		}
	}
	return out.String()
}
