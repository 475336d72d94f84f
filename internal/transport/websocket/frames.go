package websocket

import (
	"slices"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/text"
)

// singles makes each record a message, for plain connections.
type singles struct {
	out     *output
	formats *formats
}

func (s *singles) add(b *[]byte, kind freshet.Kind, batch *hub.Batch, i int, r *freshet.Record, shared bool) {
	f := &s.formats[kind]
	if r.Size() > longBytes {
		s.out.long(b, nil, f, r, "")
		return
	}
	*b = f.appendWhole(*b, batch, i, r, shared)
}

func (s *singles) end(*[]byte) {}

// groupBytes bounds a records message: one that is long in the sending would be
// lost whole, again and again, on a line that is cut often. A longer record goes
// alone.
const groupBytes = 32 << 10

// groupEnd is what a records message ends with.
const groupEnd = "]}"

// groups puts records into records messages.
type groups struct {
	out     *output
	formats *formats
	// head is what the messages begin with.
	head []byte
	// payload is where that of the message in progress begins; 0 is none.
	payload int
}

func newGroups(out *output, formats *formats, stream string) *groups {
	head := []byte(`{"op":"records","stream":`)
	head = text.AppendQuoted(head, []byte(stream))
	return &groups{out: out, formats: formats, head: append(head, `,"records":[`...)}
}

func (g *groups) add(b *[]byte, kind freshet.Kind, batch *hub.Batch, i int, r *freshet.Record, shared bool) {
	f := &g.formats[kind]
	if r.Size() > longBytes {
		g.end(b)
		g.out.long(b, slices.Clone(g.head), f, r, groupEnd)
		return
	}
	at := len(*b)
	if g.payload != 0 {
		*b = append(*b, ',')
		*b = f.appendWhole(*b, batch, i, r, shared)
		if len(*b)-g.payload+len(groupEnd) <= groupBytes {
			return
		}
		*b = (*b)[:at]
		g.end(b)
	}
	g.payload = beginFrame(b)
	*b = append(*b, g.head...)
	*b = f.appendWhole(*b, batch, i, r, shared)
}

func (g *groups) end(b *[]byte) {
	if g.payload != 0 {
		*b = append(*b, groupEnd...)
		endMessage(b, g.payload, ws.OpText, g.out.deflate)
		g.payload = 0
	}
}

// appendWhole appends a record in one piece, as [framer].add has it.
func (f *format) appendWhole(dst []byte, batch *hub.Batch, i int, r *freshet.Record, shared bool) []byte {
	if shared {
		return batch.Append(dst, i, f.whole)
	}
	return f.whole.Encode(dst, r)
}
