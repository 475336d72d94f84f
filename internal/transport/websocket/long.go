package websocket

import (
	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
)

const (
	// longBytes is the size beyond which a record is not written in one piece,
	// nor kept as written.
	longBytes = 64 << 10
	// partBytes is how much of such a record goes into a frame.
	partBytes = 48 << 10
)

// long writes a long record as a message of several frames (RFC 6455, section
// 5.4), with head before and tail after what the format makes of it. So it needs
// no more memory than a short one. The caller has taken the output.
func (o *output) long(b *[]byte, head []byte, f *format, r *freshet.Record, tail string) {
	head = f.open(head, r)
	data, h := r.Data, ws.Header{OpCode: f.op}
	if o.deflate != nil {
		h.Rsv = rsvDeflated
	}
	for last := false; !last && o.err == nil; {
		part := data
		if last = len(data) <= partBytes; !last {
			part = data[:f.data.cut(data, partBytes)]
		}
		data = data[len(part):]
		payload := beginFrame(b)
		*b = append(*b, head...)
		*b = f.data.append(*b, part)
		if last {
			*b = append(*b, f.close...)
			*b = append(*b, tail...)
		}
		if o.deflate != nil {
			// Parts know nothing of each other, since the next one may have to
			// wait for the peer for long.
			o.deflate.replace(b, payload, last, false)
		}
		h.Fin = last
		endFrame(b, payload, h)
		o.spill(b)
		head, h = nil, ws.Header{OpCode: ws.OpContinuation}
	}
}
