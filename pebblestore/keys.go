package pebblestore

import (
	"bytes"
	"encoding/binary"
	"time"
)

// The first byte of a key says what it is.
const (
	keyFormat      = 'v'
	keyName        = 'n'
	keyIncarnation = 'i'
	keyDeadline    = 'd'
)

// What is kept under a stream's name.
const (
	partSpec = 1 + iota
	partHead
	partMeta
	partEnd // after all of them
)

// What is kept under an incarnation.
const (
	partSpans    = 'a'
	partProducer = 'p'
	partRecords  = 'r'
)

func nameKey(name string, part byte) []byte {
	key := make([]byte, 0, len(name)+3)
	key = append(key, keyName)
	key = append(key, name...)
	return append(key, 0, part)
}

// splitNameKey is the inverse of nameKey. The name shares key's memory.
func splitNameKey(key []byte) (name []byte, part byte, ok bool) {
	end := len(key) - 2
	if end < 1 || key[end] != 0 {
		return nil, 0, false
	}
	return key[1:end], key[end+1], true
}

// prefixBounds are the bounds of the keys of all names that begin with prefix
// and sort after after. No name has the byte ff, since it is UTF-8.
func prefixBounds(prefix, after string) (lower, upper []byte) {
	lower = append([]byte{keyName}, prefix...)
	upper = append(bytes.Clone(lower), 0xff)
	if start := nameKey(after, partEnd); after != "" && bytes.Compare(start, lower) > 0 {
		lower = start
	}
	return lower, upper
}

func incarnationKey(inc uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 32), keyIncarnation), inc)
}

func producerKey(inc uint64, id string) []byte {
	return append(append(incarnationKey(inc), partProducer), id...)
}

const producerIDAt = 1 + 8 + 1 // where the id begins in a producer's key

func recordKey(inc, seq uint64) []byte {
	return appendRecordKey(make([]byte, 0, recordKeyBytes), inc, seq)
}

const recordKeyBytes = 1 + 8 + 1 + 8

func appendRecordKey(dst []byte, inc, seq uint64) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, keyIncarnation), inc)
	return binary.BigEndian.AppendUint64(append(dst, partRecords), seq)
}

// recordKeySeq returns the sequence number in a key of recordKey's or spansKey's.
func recordKeySeq(key []byte) uint64 {
	if len(key) != recordKeyBytes {
		return 0
	}
	return binary.BigEndian.Uint64(key[recordKeyBytes-8:])
}

// spansKey is the key of the spans of the call whose last record has a number.
func spansKey(inc, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(incarnationKey(inc), partSpans), seq)
}

func deadlineKey(at time.Time, inc uint64) []byte {
	key := append(make([]byte, 0, 17), keyDeadline)
	key = binary.BigEndian.AppendUint64(key, uint64(max(at.UnixMilli(), 0)))
	return binary.BigEndian.AppendUint64(key, inc)
}

func splitDeadlineKey(key []byte) (at time.Time, inc uint64, ok bool) {
	if len(key) != 17 {
		return time.Time{}, 0, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(key[1:]))).UTC(), binary.BigEndian.Uint64(key[9:]), true
}
