package pebblestore

import (
	"encoding/binary"
	"math/bits"

	"github.com/cockroachdb/pebble/v2"
	"github.com/freshet-stream/freshet"
)

// Records lie in blocks of some that were written by one call, so that tiny
// ones do not cost a key each. A block is the number of its records and then
// each of them: flags, the mark if it is another than before, type, id, data.

// blockBytes is the size up to which a block takes another record.
const blockBytes = 32 << 10

const (
	recordMarked = 1 << iota
	recordTyped
	recordNamed
)

// setRecords puts records into a batch, block by block.
func setRecords(b *pebble.Batch, inc uint64, records []freshet.Record) error {
	for len(records) > 0 {
		n, size := cutBlock(records)
		op := b.SetDeferred(recordKeyBytes, size)
		appendRecordKey(op.Key[:0], inc, records[n-1].Offset.Seq)
		appendBlock(op.Value[:0], records[:n])
		if err := op.Finish(); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

// cutBlock returns how many of the records go in the next block, and its size.
func cutBlock(records []freshet.Record) (n, size int) {
	var mark freshet.Mark
	for n < len(records) {
		r := &records[n]
		next := recordSize(r, n == 0 || r.Offset.Mark != mark)
		if n > 0 && size+next > blockBytes {
			break
		}
		mark, size, n = r.Offset.Mark, size+next, n+1
	}
	return n, size + uvarintSize(uint64(n))
}

func recordSize(r *freshet.Record, marked bool) int {
	size := 1 + sizedLen(len(r.Data))
	if marked {
		size += 8
	}
	if r.Type != "" {
		size += sizedLen(len(r.Type))
	}
	if r.ID != "" {
		size += sizedLen(len(r.ID))
	}
	return size
}

func sizedLen(n int) int { return uvarintSize(uint64(n)) + n }

func uvarintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

func appendBlock(dst []byte, records []freshet.Record) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(records)))
	for i := range records {
		r := &records[i]
		var flags byte
		if i == 0 || r.Offset.Mark != records[i-1].Offset.Mark {
			flags |= recordMarked
		}
		if r.Type != "" {
			flags |= recordTyped
		}
		if r.ID != "" {
			flags |= recordNamed
		}
		dst = append(dst, flags)
		if flags&recordMarked != 0 {
			dst = appendMark(dst, r.Offset.Mark)
		}
		if flags&recordTyped != 0 {
			dst = appendBytes(dst, r.Type)
		}
		if flags&recordNamed != 0 {
			dst = appendBytes(dst, r.ID)
		}
		dst = appendBytes(dst, r.Data)
	}
	return dst
}

// A blockReader gives the records of a block one after the other. They share
// the memory of the block.
type blockReader struct {
	decoder
	left uint64
	last freshet.Offset
}

// readBlock starts reading the block whose last record has the given number.
func readBlock(value []byte, lastSeq uint64) (blockReader, error) {
	b := blockReader{decoder: decoder{rest: value}}
	b.left = b.uint()
	if b.failed || b.left == 0 || b.left > lastSeq {
		return b, errDamaged
	}
	b.last.Seq = lastSeq - b.left
	return b, nil
}

// A rawRecord is a record in the memory of its block.
type rawRecord struct {
	offset          freshet.Offset
	typ, name, data []byte
}

func (r *rawRecord) size() int { return len(r.typ) + len(r.name) + len(r.data) }

func (b *blockReader) next() (r rawRecord, err error) {
	flags := b.byte()
	if flags&recordMarked != 0 {
		b.last.Mark = b.mark()
	}
	if flags&recordTyped != 0 {
		r.typ = b.bytes()
	}
	if flags&recordNamed != 0 {
		r.name = b.bytes()
	}
	r.data = b.bytes()
	b.last.Seq++
	b.left--
	r.offset = b.last
	if b.failed {
		return r, errDamaged
	}
	return r, nil
}
