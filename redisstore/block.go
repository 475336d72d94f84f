package redisstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/freshet-stream/freshet"
)

// Records lie in the entries of a Redis stream: the identifier of an entry is
// the number of its last record and the time at which that landed. An entry has
// a field that the scripts read, "MARK BYTES" or "MARK BYTES SKIPPED", and a
// block of records that they do not: each has flags, type, id and data. The
// first ones of a block that were skipped had landed before. A large append
// takes several blocks, so that pages of it can be read.

// blockBytes is the size up to which a block takes another record.
const blockBytes = 32 << 10

const (
	recordTyped = 1 << iota
	recordNamed
)

var errDamaged = errors.New("the value is damaged")

// A block is some records of one append, on their way to Redis.
type block struct {
	records, bytes int
	data           []byte
}

// cutBlock takes records for a block. Sizes, if not nil, gets that of each.
func cutBlock(records []freshet.Record, sizes *strings.Builder) block {
	b := block{}
	for i := range records {
		r := &records[i]
		if i > 0 && b.bytes+r.Size() > blockBytes {
			break
		}
		b.records++
		b.bytes += r.Size()
		if sizes != nil {
			sizes.WriteString(strconv.Itoa(r.Size()))
			sizes.WriteByte(' ')
		}
	}
	b.data = make([]byte, 0, b.bytes+b.records*4+8)
	for i := range records[:b.records] {
		b.data = appendRecord(b.data, &records[i])
	}
	return b
}

func appendRecord(dst []byte, r *freshet.Record) []byte {
	var flags byte
	if r.Type != "" {
		flags |= recordTyped
	}
	if r.ID != "" {
		flags |= recordNamed
	}
	dst = append(dst, flags)
	if r.Type != "" {
		dst = appendBytes(dst, r.Type)
	}
	if r.ID != "" {
		dst = appendBytes(dst, r.ID)
	}
	return appendBytes(dst, r.Data)
}

func appendBytes[T []byte | string](dst []byte, v T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
}

// decodeBlock calls take with the records of a stored block, in order, until it
// returns false. They share no memory with data.
func decodeBlock(last uint64, about, data string, take func(freshet.Record) bool) error {
	mark, skipped, err := parseAbout(about)
	if err != nil {
		return err
	}
	d := decoder{rest: []byte(data)}
	var records []freshet.Record
	for len(d.rest) > 0 && !d.failed {
		var r freshet.Record
		flags := d.byte()
		if flags&recordTyped != 0 {
			r.Type = string(d.bytes())
		}
		if flags&recordNamed != 0 {
			r.ID = string(d.bytes())
		}
		r.Data = d.bytes()
		records = append(records, r)
	}
	if d.failed || skipped >= len(records) || uint64(len(records)-skipped) > last {
		return fmt.Errorf("decode block at %d: %w", last, errDamaged)
	}
	records = records[skipped:]
	for i := range records {
		records[i].Offset = freshet.Offset{Seq: last - uint64(len(records)-1-i), Mark: mark}
		if !take(records[i]) {
			return nil
		}
	}
	return nil
}

// parseAbout reads the field of an entry that the scripts read.
func parseAbout(about string) (mark freshet.Mark, skipped int, err error) {
	text, rest, _ := strings.Cut(about, " ")
	if mark, err = parseMark(text); err != nil {
		return 0, 0, err
	}
	if _, text, ok := strings.Cut(rest, " "); ok {
		if skipped, err = strconv.Atoi(text); err != nil || skipped < 0 {
			return 0, 0, errDamaged
		}
	}
	return mark, skipped, nil
}

func parseMark(s string) (freshet.Mark, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, errDamaged
	}
	return freshet.Mark(n), nil
}

// A decoder reads a block. Once it has failed, it gives nothing.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) byte() byte {
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) bytes() []byte {
	n, used := binary.Uvarint(d.rest)
	if used <= 0 || n > uint64(len(d.rest)-used) {
		d.rest, d.failed = nil, true
		return nil
	}
	v := d.rest[used : used+int(n) : used+int(n)]
	d.rest = d.rest[used+int(n):]
	return v
}
