package websocket

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"
)

// An inflater reads compressed messages, each for itself (RFC 7692, section
// 7.2.2). The zero value works. It may be used concurrently.
type inflater struct{ readers sync.Pool }

// A messageReader has the memory that reading needs.
type messageReader struct {
	src   bytes.Reader
	plain io.Reader
}

// inflateEnd is put behind a message: what its sender has left out, and a block
// that says that it is the last.
const inflateEnd = flushed + "\x01" + flushed

var (
	errInflated = &fault{ws.StatusMessageTooBig, "the message is too long once decompressed; split what it carries"}
	errDeflate  = &fault{ws.StatusInvalidFramePayloadData, "the compressed message cannot be decompressed"}
)

func (i *inflater) take() *messageReader {
	if r, ok := i.readers.Get().(*messageReader); ok {
		return r
	}
	r := new(messageReader)
	r.plain = flate.NewReader(&r.src)
	return r
}

// message returns what a message of at most limit bytes was before it was
// compressed. No more than that is ever decompressed. The error is a *fault.
func (i *inflater) message(compressed []byte, limit int) ([]byte, error) {
	compressed = append(compressed, inflateEnd...)
	r := i.take()
	defer i.readers.Put(r)
	r.src.Reset(compressed)
	defer r.src.Reset(nil)
	if err := r.plain.(flate.Resetter).Reset(&r.src, nil); err != nil {
		return nil, errDeflate
	}
	var out []byte
	for {
		if len(out) == cap(out) {
			// One byte more than may come shows that it is too much.
			out = slices.Grow(out, max(1, min(max(growBytes, len(compressed), len(out)), limit+1-len(out))))
		}
		n, err := r.plain.Read(out[len(out):min(cap(out), limit+1)])
		out = out[:len(out)+n]
		switch {
		case len(out) > limit:
			return nil, errInflated
		case errors.Is(err, io.EOF) && isPadding(compressed[len(compressed)-r.src.Len():]):
			return out, nil
		case err != nil:
			return nil, errDeflate
		}
	}
}

// isPadding reports whether nothing is lost with what is behind the last block:
// the sender may have ended its own data with one that says so (RFC 7692, section
// 7.2.3.4).
func isPadding(rest []byte) bool {
	return len(rest) == 0 || string(rest) == inflateEnd || string(rest) == "\x00"+inflateEnd
}
