package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/sse"
)

// A format is how the records of a stream look.
type format string

const (
	textLines format = "text/plain"
	jsonValue format = "application/json"
	events    format = "text/event-stream"
)

// body returns the body of a request that appends records: one record, if they
// are lines of text.
func (f format) body(names []string, most int) []byte {
	var b []byte
	switch f {
	case jsonValue:
		values := make([]string, len(names))
		for i, n := range names {
			values[i] = history.Data(n, most)
		}
		b, _ = json.Marshal(values)
	case events:
		for _, n := range names {
			b = sse.AppendEvent(b, "note", []byte(history.Data(n, most)), "")
		}
	case textLines:
		for _, n := range names {
			b = append(append(b, history.Data(n, most)...), '\n')
		}
	}
	return b
}

// piece returns one record as it is sent in a streamed body.
func (f format) piece(name string, most int) []byte {
	if f == jsonValue {
		b, _ := json.Marshal(history.Data(name, most))
		return append(b, '\n')
	}
	return f.body([]string{name}, most)
}

// value returns one record as it stands in an operation over WebSocket.
func (f format) value(name string, most int) string {
	if f == textLines {
		return history.Data(name, most) + "\n"
	}
	return history.Data(name, most)
}

// names returns the names of the records in a piece that was joined, if they are
// lines of text, and is one record otherwise.
func (f format) names(data string) []string {
	if f != textLines {
		return []string{history.Name(data)}
	}
	var names []string
	lines := strings.SplitAfter(data, "\n")
	for _, line := range lines[:len(lines)-1] {
		names = append(names, history.Name(strings.TrimSuffix(line, "\n")))
	}
	if rest := lines[len(lines)-1]; rest != "" {
		names = append(names, history.Name("half a line: "+rest))
	}
	return names
}

// page returns the names of the records in the body of an answer: of catch-up,
// long-poll, and a data event of live=sse.
func (f format) page(body []byte) ([]string, error) {
	if len(body) == 0 {
		return nil, nil
	}
	switch f {
	case jsonValue:
		var values, names []string
		if err := json.Unmarshal(body, &values); err != nil {
			return nil, fmt.Errorf("read page: %w", err)
		}
		for _, v := range values {
			names = append(names, history.Name(v))
		}
		return names, nil
	case events:
		var names []string
		d := sse.NewDecoder(bytes.NewReader(body), sse.DecoderOptions{FlushAtEOF: true})
		for {
			e, err := d.Next()
			if errors.Is(err, io.EOF) {
				return names, nil
			}
			if err != nil {
				return nil, fmt.Errorf("read page: %w", err)
			}
			names = append(names, history.Name(string(e.Data)))
		}
	}
	return f.names(string(body)), nil
}

// one returns the names of the records in a JSON value that is the data of an
// event with ?encoding=json, of /v1/follow, or of freshet.v1.json: always a
// string here.
func (f format) one(value []byte) ([]string, error) {
	var data string
	if err := json.Unmarshal(value, &data); err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	return f.names(data), nil
}
