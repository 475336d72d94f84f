package sse

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/freshet-stream/freshet"
)

// A setCursor is where a reader is in each of the streams that it follows over
// one response. As text it is the id of every event there.
type setCursor struct {
	// body tells the sets apart that readers ask for.
	body      [8]byte
	positions []position
}

// A position is where a reader is in one stream.
type position struct {
	state standing
	at    freshet.Offset
}

// A standing says what a reader knows of a stream.
type standing byte

const (
	// unread: nothing; it begins where the body says.
	unread standing = iota
	// reading: what comes before the offset.
	reading
	// ended: its end.
	ended
)

// setVersion is the first byte of a cursor.
const setVersion = 1

var errSetCursor = errors.New("the last event id is none of this set")

// fingerprint tells what was asked for, the order included.
func fingerprint(asked []asked) (sum [8]byte) {
	h := sha256.New()
	for _, a := range asked {
		h.Write([]byte(a.Stream + "\x00" + a.Offset + "\x00"))
	}
	copy(sum[:], h.Sum(nil))
	return sum
}

// append appends the cursor as text, which is ASCII.
func (c *setCursor) append(dst []byte) []byte {
	raw := make([]byte, 0, 16+20*len(c.positions))
	raw = append(raw, setVersion)
	raw = append(raw, c.body[:]...)
	for _, p := range c.positions {
		raw = append(raw, byte(p.state))
		if p.state != unread {
			raw = binary.AppendUvarint(raw, p.at.Seq)
			raw = binary.BigEndian.AppendUint64(raw, uint64(p.at.Mark))
		}
	}
	return base64.RawURLEncoding.AppendEncode(dst, raw)
}

// parseSetCursor reads a cursor of the set that body stands for and that has n
// streams.
func parseSetCursor(s string, body [8]byte, n int) (*setCursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) < 1+len(body) || raw[0] != setVersion || [8]byte(raw[1:9]) != body {
		return nil, errSetCursor
	}
	c := &setCursor{body: body, positions: make([]position, n)}
	raw = raw[9:]
	for i := range c.positions {
		if len(raw) == 0 || raw[0] > byte(ended) {
			return nil, errSetCursor
		}
		p := &c.positions[i]
		p.state, raw = standing(raw[0]), raw[1:]
		if p.state == unread {
			continue
		}
		seq, size := binary.Uvarint(raw)
		if size <= 0 || len(raw) < size+8 {
			return nil, errSetCursor
		}
		p.at = freshet.Offset{Seq: seq, Mark: freshet.Mark(binary.BigEndian.Uint64(raw[size:]))}
		raw = raw[size+8:]
	}
	if len(raw) > 0 {
		return nil, errSetCursor
	}
	return c, nil
}

// isOver reports whether the reader knows how every stream has ended.
func (c *setCursor) isOver() bool {
	for _, p := range c.positions {
		if p.state != ended {
			return false
		}
	}
	return true
}
