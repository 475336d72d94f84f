package websocket

import (
	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/text"
)

// A format is how the records of one kind of stream are written: something, the
// data, something. The message that they go into is of the kind op.
type format struct {
	op    ws.OpCode
	open  func(dst []byte, r *freshet.Record) []byte
	data  codec
	close string
	// whole writes the record in one piece, which followers share.
	whole *hub.Encoder
}

// formats has the format of each [freshet.Kind]. The encoders in it belong to
// one transport.
type formats [4]format

func (f *format) append(dst []byte, r *freshet.Record) []byte {
	dst = f.open(dst, r)
	dst = f.data.append(dst, r.Data)
	return append(dst, f.close...)
}

// plainFormats are those of plain connections, where the encoders write whole
// frames, compressed unless d is nil. Those too are shared: nothing in them is of
// one connection.
func plainFormats(d *deflater) formats {
	nothing := func(dst []byte, _ *freshet.Record) []byte { return dst }
	all := formats{
		freshet.KindBytes:  {op: ws.OpBinary, open: nothing, data: asIs()},
		freshet.KindText:   {op: ws.OpText, open: nothing, data: asText()},
		freshet.KindJSON:   {op: ws.OpText, open: nothing, data: asIs()},
		freshet.KindEvents: {op: ws.OpText, open: openEvent, data: asString(), close: `"}`},
	}
	for i := range all {
		f := &all[i]
		f.whole = &hub.Encoder{Encode: func(dst []byte, r *freshet.Record) []byte {
			payload := beginFrame(&dst)
			dst = f.append(dst, r)
			endMessage(&dst, payload, f.op, d)
			return dst
		}}
	}
	return all
}

// openEvent begins an event of a plain connection.
func openEvent(dst []byte, r *freshet.Record) []byte {
	dst = append(dst, `{"type":`...)
	dst = text.AppendQuoted(dst, []byte(r.Type))
	return append(dst, `,"data":"`...)
}

// itemFormats are those of the items in records messages, which the encoders
// write.
func itemFormats() formats {
	all := formats{
		freshet.KindBytes:  {open: openItem(`,"data":"`), data: asBase64(), close: `"}`},
		freshet.KindText:   {open: openItem(`,"data":"`), data: asString(), close: `"}`},
		freshet.KindJSON:   {open: openItem(`,"data":`), data: asIs(), close: `}`},
		freshet.KindEvents: {open: openItem(`,"data":"`), data: asString(), close: `"}`},
	}
	for i := range all {
		all[i].op = ws.OpText
		all[i].whole = &hub.Encoder{Encode: all[i].append}
	}
	return all
}

func openItem(data string) func(dst []byte, r *freshet.Record) []byte {
	return func(dst []byte, r *freshet.Record) []byte {
		dst = append(dst, `{"offset":"`...)
		dst = r.Offset.Append(dst)
		dst = append(dst, '"')
		if r.Type != "" {
			dst = append(dst, `,"type":`...)
			dst = text.AppendQuoted(dst, []byte(r.Type))
		}
		return append(dst, data...)
	}
}
