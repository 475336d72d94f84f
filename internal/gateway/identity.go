package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// principalOf returns a digest of what says who a caller is. A caller who says
// nothing is one of all those.
func principalOf(h http.Header) string {
	return digest(
		[]byte(strings.Join(h.Values("Authorization"), "\n")),
		[]byte(strings.Join(h.Values("X-Api-Key"), "\n")),
		[]byte(strings.Join(h.Values("Api-Key"), "\n")),
	)
}

// keyBytes is how long an Idempotency-Key may be.
const keyBytes = 256

// newID returns the id of a generation that nobody shares.
func newID() string { return strings.ToLower(rand.Text()) }

// keyedID returns the id of the n-th generation under a caller's key.
func (q *question) keyedID(key string, n int) string {
	const length = 32
	h := digest([]byte(q.principal), []byte(q.endpoint.path), []byte(key))
	return h[:length] + "-" + strconv.Itoa(n)
}

// digest returns the SHA-256 of parts, each with its length, in hexadecimal.
func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}
