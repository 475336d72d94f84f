package freshet

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// OffsetBytes is the length of an [Offset] as text.
const OffsetBytes = 16 + 1 + 16

// maxSeq is the largest sequence number that 16 decimal digits hold.
const maxSeq = 9_999_999_999_999_999

// endSuffix follows the tail in the id of the event that tells a stream's end.
const endSuffix = "-end"

// An Offset is a position between two records of one stream. Offsets of one
// stream sort as text in the order of the stream. To clients they are opaque.
//
// The zero Offset is the beginning of the stream, whatever the stream is.
type Offset struct {
	// Seq counts the records before the position.
	Seq uint64
	// Mark belongs to the append that wrote the record before the position,
	// and at Seq 0 to the incarnation of the stream.
	Mark Mark
}

// ParseOffset reads the form that [Offset.String] writes. The error is
// [ErrOffset].
func ParseOffset(s string) (Offset, error) {
	if len(s) != OffsetBytes || s[16] != '_' {
		return Offset{}, ErrOffset.With("%s is not an offset; send one that the server gave, -1 for the beginning, or now", quote(s))
	}
	for _, c := range []byte(s[:16]) {
		if c < '0' || c > '9' {
			return Offset{}, ErrOffset.With("%s is not an offset: its first 16 characters are not digits", quote(s))
		}
	}
	for _, c := range []byte(s[17:]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return Offset{}, ErrOffset.With("%s is not an offset: its last 16 characters are not lower-case hexadecimal", quote(s))
		}
	}
	seq, _ := strconv.ParseUint(s[:16], 10, 64)
	mark, _ := strconv.ParseUint(s[17:], 16, 64)
	return Offset{Seq: seq, Mark: Mark(mark)}, nil
}

// quote shows what a client sent, at a length fit for an error.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// String returns the offset as 33 ASCII characters.
func (o Offset) String() string {
	return string(o.Append(make([]byte, 0, OffsetBytes)))
}

// Append appends the text of o to dst, without allocating if dst has room.
func (o Offset) Append(dst []byte) []byte {
	var text [OffsetBytes]byte
	seq := o.Seq
	for i := 15; i >= 0; i-- {
		text[i] = byte('0' + seq%10)
		seq /= 10
	}
	text[16] = '_'
	mark := o.Mark.bytes()
	hex.Encode(text[17:], mark[:])
	return append(dst, text[:]...)
}

// IsBeginning reports whether o is the zero Offset.
func (o Offset) IsBeginning() bool { return o == Offset{} }

// MarshalText implements [encoding.TextMarshaler].
func (o Offset) MarshalText() ([]byte, error) {
	if o.Seq > maxSeq {
		return nil, fmt.Errorf("write offset: sequence number %d has more than 16 digits", o.Seq)
	}
	return o.Append(nil), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *Offset) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOffset(string(text))
	return err
}

// A Cursor is where a reader asks to start.
type Cursor struct {
	Offset Offset
	// Now asks for the tail as it is when the request is served; Offset is
	// then not looked at.
	Now bool
	// Ended says that the reader was told the stream's end at Offset.
	Ended bool
}

// ParseCursor reads what a client sends to say where to start: an offset; an
// offset followed by "-end", the id of a stream's end; "now"; and for the
// beginning "-1" or nothing. The error is [ErrOffset].
func ParseCursor(s string) (Cursor, error) {
	switch s {
	case "", "-1":
		return Cursor{}, nil
	case "now":
		return Cursor{Now: true}, nil
	}
	text, ended := strings.CutSuffix(s, endSuffix)
	offset, err := ParseOffset(text)
	if err != nil {
		return Cursor{}, err
	}
	return Cursor{Offset: offset, Ended: ended}, nil
}

// IsReal reports whether the cursor names a position that some server gave
// out, so that not being able to serve it is a loss to be told.
func (c Cursor) IsReal() bool {
	return c.Ended || !c.Now && !c.Offset.IsBeginning()
}

// String returns the form that [ParseCursor] reads.
func (c Cursor) String() string {
	switch {
	case c.Now:
		return "now"
	case c.Ended:
		return c.Offset.String() + endSuffix
	case c.Offset.IsBeginning():
		return "-1"
	}
	return c.Offset.String()
}
