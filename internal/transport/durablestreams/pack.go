package durablestreams

import (
	"bytes"
	"encoding/base64"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/text"
	"github.com/freshet-stream/freshet/sse"
)

// packMost bounds the content of one data event, in bytes, unless a single
// record is larger: a connection that is cut often would never get past it.
const packMost = 32 << 10

// A packer joins records into the data of one event.
type packer struct {
	kind   freshet.Kind
	holder text.Holder
	data   []byte
	end    freshet.Offset
}

func newPacker(kind freshet.Kind) packer { return packer{kind: kind} }

// fits reports whether r can go into the event that is being packed.
func (p *packer) fits(r *freshet.Record) bool {
	return len(p.data) == 0 || len(p.data)+r.Size() <= packMost
}

// add packs a record. Text that ends inside a character stays behind.
func (p *packer) add(r *freshet.Record) {
	switch p.kind {
	case freshet.KindJSON:
		if len(p.data) > 0 {
			p.data = append(p.data, ',')
		}
		p.data = append(p.data, r.Data...)
	case freshet.KindText:
		text, _, ok := p.holder.Take(r.Data)
		if !ok {
			return
		}
		p.data = append(p.data, text...)
	default:
		p.data = appendRecord(p.data, p.kind, r)
	}
	p.end = r.Offset
}

// finish packs what has stayed behind, at the stream's end.
func (p *packer) finish(end freshet.Offset) {
	if p.holder.Holding() {
		p.data = append(p.data, p.holder.Flush()...)
		p.end = end
	}
}

// take returns the data of an event and the offset after it, or nil if nothing
// is packed. It is valid until the next add.
func (p *packer) take() (data []byte, end freshet.Offset) {
	if p.end.IsBeginning() {
		return nil, p.end
	}
	data, end = p.data, p.end
	p.data, p.end = p.data[:0], freshet.Offset{}
	switch p.kind {
	case freshet.KindJSON:
		return append(append([]byte{'['}, data...), ']'), end
	case freshet.KindBytes:
		return base64.StdEncoding.AppendEncode([]byte{}, data), end
	}
	return data, end
}

// appendLines appends data as the lines of an event, in the form that the
// protocol's clients know: without the space that may follow the colon, unless
// the line itself begins with one.
func appendLines(dst, data []byte) []byte {
	data = sse.AppendValid(nil, data)
	for {
		i := bytes.IndexAny(data, "\r\n")
		line := data
		if i >= 0 {
			line = data[:i]
		}
		dst = append(dst, "data:"...)
		if len(line) > 0 && line[0] == ' ' {
			dst = append(dst, ' ')
		}
		dst = append(dst, line...)
		dst = append(dst, '\n')
		if i < 0 {
			return dst
		}
		if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
			i++
		}
		data = data[i+1:]
	}
}

// appendRecord appends a record as it stands in the content of a stream that is
// not JSON.
func appendRecord(dst []byte, kind freshet.Kind, r *freshet.Record) []byte {
	if kind == freshet.KindEvents {
		return sse.AppendEvent(dst, r.Type, r.Data, r.ID)
	}
	return append(dst, r.Data...)
}
