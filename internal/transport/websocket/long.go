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
	op, data := f.op, r.Data
	for last := false; !last && o.err == nil; op = ws.OpContinuation {
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
		endFrame(b, payload, op, last)
		o.spill(b)
		head = nil
	}
}
