package websocket

import (
	"bytes"
	"sync"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"
)

// deflateLeast is the size below which a message is sent as it is: compressing
// it would take time and hardly make it smaller.
const deflateLeast = 512

// rsvDeflated marks the first frame of a compressed message (RFC 7692, section
// 6).
const rsvDeflated = 0b100

// flushed is what ends flushed data, and is left out of a message (RFC 7692,
// section 7.2.1).
const flushed = "\x00\x00\xff\xff"

// A deflater compresses messages, each for itself. The zero value works. It may
// be used concurrently.
type deflater struct{ presses sync.Pool }

// A press has the memory that compressing needs, about half a megabyte.
type press struct {
	w   *flate.Writer
	out bytes.Buffer
}

func (d *deflater) take() *press {
	if p, ok := d.presses.Get().(*press); ok {
		return p
	}
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &press{w: w}
}

func (d *deflater) give(p *press) {
	if p.out.Cap() <= keepBytes {
		p.out.Reset()
		d.presses.Put(p)
	}
}

// replace puts the compressed form of what b has from payload on in its place.
// Pieces of a message may follow each other, up to the last. A whole message is
// left alone, and false returned, if its compressed form is no smaller.
func (d *deflater) replace(b *[]byte, payload int, last, whole bool) bool {
	p := d.take()
	defer d.give(p)
	p.w.Reset(&p.out)
	// Writing to memory does not fail.
	_, _ = p.w.Write((*b)[payload:])
	_ = p.w.Flush()
	out := p.out.Bytes()
	if last {
		out = bytes.TrimSuffix(out, []byte(flushed))
	}
	if whole && len(out) >= len(*b)-payload {
		return false
	}
	*b = append((*b)[:payload], out...)
	return true
}

// endMessage makes what was appended since beginFrame a whole message, which is
// compressed unless d is nil.
func endMessage(b *[]byte, payload int, op ws.OpCode, d *deflater) {
	h := ws.Header{OpCode: op, Fin: true}
	if d != nil && len(*b)-payload >= deflateLeast && d.replace(b, payload, true, true) {
		h.Rsv = rsvDeflated
	}
	endFrame(b, payload, h)
}
