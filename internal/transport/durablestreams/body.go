package durablestreams

import (
	"bytes"
	"io"
)

// readAll reads r to its end. The length that the client declared is where the
// buffer begins, but only up to what a client may have the server hold without
// sending it.
func readAll(r io.Reader, declared int64) ([]byte, error) {
	const trusted = 64 << 10
	var b bytes.Buffer
	if declared > 0 {
		b.Grow(int(min(declared, trusted)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}
