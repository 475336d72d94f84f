// Package load puts load on a server, with as little work of its own as it can:
// it writes requests that were made before, and counts records in what comes
// without looking at anything else.
package load

import "bytes"

// mark is a byte that every record has once and nothing else has. (As the
// length of a WebSocket's frame it is the 124 of a record of that size.)
const mark = '|'

// Record returns a record of a size: a JSON string.
func Record(size int) []byte {
	r := bytes.Repeat([]byte("x"), size)
	r[0], r[1], r[size-1] = '"', mark, '"'
	return r
}

// ContentType is that of records.
const ContentType = "application/json"
