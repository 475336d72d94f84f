package freshet

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// A Mark tells histories apart: it is a digest chained from the mark before it
// and the nonce of the append that wrote the record. Two streams, or two
// histories of one stream, that disagree about any earlier append disagree
// about every later mark.
type Mark uint64

// NewMark returns the random mark of a new incarnation. It is never zero.
func NewMark() Mark {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:])
		if m := Mark(binary.BigEndian.Uint64(b[:])); m != 0 {
			return m
		}
	}
}

// Next returns the mark of the i-th append, counted from 0, of the call with
// the given nonce, when m is the mark before that append: the first 64 bits of
// SHA-1(m, nonce, i) over lower-case hexadecimal, fixed so that a store can
// compute it in a script. SHA-1 serves as a checksum here; nothing rests on its
// resistance to an attacker, who never chooses a nonce.
func (m Mark) Next(nonce Nonce, i int) Mark {
	var in [16 + 32 + 20]byte
	mark := m.bytes()
	hex.Encode(in[:16], mark[:])
	hex.Encode(in[16:48], nonce[:])
	sum := sha1.Sum(strconv.AppendInt(in[:48], int64(i), 10))
	return Mark(binary.BigEndian.Uint64(sum[:8]))
}

func (m Mark) bytes() (b [8]byte) {
	binary.BigEndian.PutUint64(b[:], uint64(m))
	return b
}

// A Nonce names one call that writes to a store, so that the same call made
// again is known.
type Nonce [16]byte

// NewNonce returns a random nonce.
func NewNonce() (n Nonce) {
	_, _ = rand.Read(n[:])
	return n
}
