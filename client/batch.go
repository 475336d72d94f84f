package client

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/sse"
)

// A batch collects records into the body of one request.
type batch struct {
	kind    freshet.Kind
	body    []byte
	records int
	// bytes counts the records' data without what frames them.
	bytes int
}

// check reports why a record cannot be one of a stream of this kind.
func check(kind freshet.Kind, r *Record) error {
	switch {
	case r.Type != "" && kind != freshet.KindEvents:
		return freshet.ErrRecord.With("only the records of an event stream have a type; this one has %q", r.Type)
	case kind != freshet.KindEvents && len(r.Data) == 0:
		return freshet.ErrEmpty.With("the record is empty")
	case kind == freshet.KindJSON && !(json.Valid(r.Data) && utf8.Valid(r.Data)):
		return freshet.ErrRecord.With("the record is not a JSON value: %.80q", r.Data)
	case kind != freshet.KindEvents:
		return nil
	case r.Type == freshet.TypeClosed || r.Type == freshet.TypeGap:
		return freshet.ErrRecord.With("the event type %q belongs to the server; choose another", r.Type)
	case !sse.ValidType(r.Type):
		return freshet.ErrRecord.With("the event type %.80q has a line break or is not UTF-8", r.Type)
	}
	return nil
}

// add appends a record that passed check.
func (b *batch) add(r *Record) {
	switch b.kind {
	case freshet.KindJSON:
		// Always an array, since one level of arrays is taken off.
		b.body = append(b.body, "[,"[min(b.records, 1)])
		b.body = append(b.body, r.Data...)
	case freshet.KindEvents:
		data := r.Data
		if data == nil {
			data = []byte{}
		}
		b.body = sse.AppendEvent(b.body, r.Type, data, "")
	default:
		b.body = append(b.body, r.Data...)
	}
	b.records++
	b.bytes += len(r.Data)
}

// landed returns how many records the batch makes.
func (b *batch) landed() int {
	if b.kind == freshet.KindText || b.kind == freshet.KindBytes {
		return min(b.records, 1)
	}
	return b.records
}

// finish returns the body. Nothing can be added after.
func (b *batch) finish() []byte {
	if b.kind == freshet.KindJSON && b.records > 0 {
		return append(b.body, ']')
	}
	return b.body
}
