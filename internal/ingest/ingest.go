// Package ingest cuts what clients send into the records of a stream, by the
// stream's kind of content. Every transport that appends goes through it.
package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/sse"
)

// Records cuts the whole body of an append into records. The error is
// [freshet.ErrRecord]. What it returns may share body's memory.
func Records(kind freshet.Kind, body []byte) ([]freshet.Record, error) {
	switch {
	case len(body) == 0:
		return nil, nil
	case kind == freshet.KindJSON:
		return jsonRecords(body)
	case kind == freshet.KindEvents:
		return eventRecords(body)
	}
	return []freshet.Record{{Data: body}}, nil
}

// Value returns the record of one JSON value, on one line.
func Value(value []byte) (freshet.Record, error) {
	if err := checkJSON(value); err != nil {
		return freshet.Record{}, err
	}
	return freshet.Record{Data: oneLine(value)}, nil
}

// jsonRecords follows Durable Streams, section 9.1: each value of an array is a
// record, anything else is one.
func jsonRecords(body []byte) ([]freshet.Record, error) {
	if err := checkJSON(body); err != nil {
		return nil, err
	}
	body = bytes.TrimLeft(body, " \t\r\n")
	if body[0] != '[' {
		return []freshet.Record{{Data: oneLine(body)}}, nil
	}
	var values []json.RawMessage
	if err := json.Unmarshal(body, &values); err != nil {
		return nil, badJSON(err)
	}
	records := make([]freshet.Record, len(values))
	for i, v := range values {
		records[i].Data = oneLine(v)
	}
	return records, nil
}

func checkJSON(value []byte) error {
	if !utf8.Valid(value) {
		return freshet.ErrRecord.With("the JSON is not valid UTF-8")
	}
	if json.Valid(value) {
		return nil
	}
	var v any
	return badJSON(json.Unmarshal(value, &v))
}

func badJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return freshet.ErrRecord.With("the JSON is not valid at byte %d: %v", syntax.Offset, err)
	}
	return freshet.ErrRecord.With("the JSON is not valid: %v", err)
}

// oneLine returns a valid JSON value without line breaks, as it is if it has
// none: strings cannot contain them.
func oneLine(value []byte) []byte {
	value = bytes.Trim(value, " \t\r\n")
	if bytes.IndexByte(value, '\n') < 0 && bytes.IndexByte(value, '\r') < 0 {
		return value
	}
	var out bytes.Buffer
	_ = json.Compact(&out, value)
	return out.Bytes()
}

// eventRecords reads a body as an event stream whose end ends the last event.
func eventRecords(body []byte) ([]freshet.Record, error) {
	d := sse.NewDecoder(bytes.NewReader(body), sse.DecoderOptions{FlushAtEOF: true, MaxEventBytes: max(len(body), 1)})
	var records []freshet.Record
	for {
		event, err := d.Next()
		switch {
		case errors.Is(err, io.EOF) && len(records) == 0:
			return nil, freshet.ErrRecord.With("the body has no event; send lines such as `data: text`, and an empty line after each event")
		case errors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			return nil, freshet.ErrRecord.With("the event stream cannot be read: %v", err)
		}
		records = append(records, eventRecord(&event))
	}
}
