package pebblestore

import (
	"encoding/binary"
	"time"

	"github.com/freshet-stream/freshet"
)

// The primitives of all values: numbers as varints, bytes with their length
// before them, times in milliseconds.

func appendBytes[T []byte | string](dst []byte, v T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
}

// appendTime writes the zero time as 0 and others as their zigzag + 1.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	ms := t.UnixMilli()
	return binary.AppendUvarint(dst, uint64(ms<<1)^uint64(ms>>63)+1)
}

func appendOffset(dst []byte, o freshet.Offset) []byte {
	return appendMark(binary.AppendUvarint(dst, o.Seq), o.Mark)
}

func appendMark(dst []byte, m freshet.Mark) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(m))
}

// A decoder reads what the functions above have written. Once it has failed,
// it gives zeros.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) fail() { d.rest, d.failed = nil, true }

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	v := d.rest[:n:n]
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.take(1); !d.failed {
		return v[0]
	}
	return 0
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// clone returns bytes with memory of their own, nil if there are none.
func (d *decoder) clone() []byte { return append([]byte(nil), d.bytes()...) }

// bytes shares the decoder's memory.
func (d *decoder) bytes() []byte { return d.take(d.uint()) }

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) duration() time.Duration { return time.Duration(d.uint()) }

func (d *decoder) time() time.Time {
	v := d.uint()
	if v == 0 {
		return time.Time{}
	}
	v--
	return time.UnixMilli(int64(v>>1) ^ -int64(v&1)).UTC()
}

func (d *decoder) mark() freshet.Mark {
	if v := d.take(8); !d.failed {
		return freshet.Mark(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (d *decoder) offset() freshet.Offset {
	return freshet.Offset{Seq: d.uint(), Mark: d.mark()}
}
