package sse

import (
	"encoding/base64"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/text"
	codec "github.com/freshet-stream/freshet/sse"
)

// A format is how the records of a stream become events.
type format struct {
	// fragment encodes one record. If joins, it is what stands between open
	// and shut in an event that may carry several records; otherwise it is
	// the whole block.
	fragment   *hub.Encoder
	joins      bool
	open, shut string
	base64     bool
}

// formats are the formats there are. They are made once, since fragments are
// shared by encoder.
type formats struct {
	text, textJSON, textBase64    *format
	json, events, eventsJSON      *format
	jsonBase64, eventsBase64, raw *format
}

func newFormats() formats {
	block := func(data func(dst []byte, r *freshet.Record) []byte, isBase64 bool) *format {
		return &format{base64: isBase64, fragment: &hub.Encoder{Encode: func(dst []byte, r *freshet.Record) []byte {
			return appendBlock(dst, r, data)
		}}}
	}
	return formats{
		text: &format{joins: true, open: "data: ", shut: "\n", fragment: &hub.Encoder{
			Encode: func(dst []byte, r *freshet.Record) []byte { return codec.AppendText(dst, r.Data) },
		}},
		textJSON: &format{joins: true, open: `data: "`, shut: "\"\n", fragment: &hub.Encoder{
			Encode: func(dst []byte, r *freshet.Record) []byte { return text.AppendEscaped(dst, r.Data) },
		}},
		textBase64:   block(base64Data, true),
		json:         block(plainData, false),
		jsonBase64:   block(base64Data, true),
		events:       block(plainData, false),
		eventsJSON:   block(quotedData, false),
		eventsBase64: block(base64Data, true),
		raw:          block(base64Data, true),
	}
}

// choose returns the format for a kind of content and the encoding that the
// client asked for. Binary data is always base64, and JSON always itself.
func (f *formats) choose(kind freshet.Kind, encoding string) *format {
	switch {
	case kind == freshet.KindText && encoding == "":
		return f.text
	case kind == freshet.KindText && encoding == "json":
		return f.textJSON
	case kind == freshet.KindText:
		return f.textBase64
	case kind == freshet.KindJSON && encoding == "base64":
		return f.jsonBase64
	case kind == freshet.KindJSON:
		return f.json
	case kind == freshet.KindEvents && encoding == "":
		return f.events
	case kind == freshet.KindEvents && encoding == "json":
		return f.eventsJSON
	case kind == freshet.KindEvents:
		return f.eventsBase64
	}
	return f.raw
}

// appendBlock appends a record as an event, or as a block with only an id if it
// has no data: clients are known that fail on an event without any.
func appendBlock(dst []byte, r *freshet.Record, data func([]byte, *freshet.Record) []byte) []byte {
	if len(r.Data) > 0 {
		if r.Type != "" {
			dst = append(dst, "event: "...)
			dst = append(dst, r.Type...)
			dst = append(dst, '\n')
		}
		dst = append(dst, "data: "...)
		dst = data(dst, r)
		dst = append(dst, '\n')
	}
	return appendID(dst, r.Offset)
}

// appendID appends the id field and ends the block.
func appendID(dst []byte, o freshet.Offset) []byte {
	dst = append(dst, "id: "...)
	dst = o.Append(dst)
	return append(dst, '\n', '\n')
}

func plainData(dst []byte, r *freshet.Record) []byte  { return codec.AppendText(dst, r.Data) }
func quotedData(dst []byte, r *freshet.Record) []byte { return text.AppendQuoted(dst, r.Data) }
func base64Data(dst []byte, r *freshet.Record) []byte {
	return base64.StdEncoding.AppendEncode(dst, r.Data)
}
