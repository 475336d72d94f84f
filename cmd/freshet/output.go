package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/sse"
)

// A line is a record as --json writes it.
type line struct {
	Offset string `json:"offset,omitempty"`
	Type   string `json:"type,omitempty"`
	Data   any    `json:"data"`
}

// write writes a record in one call.
func (c *FollowCmd) write(out io.Writer, f *client.Follower, r *client.Record) error {
	kind, err := f.Kind()
	if err != nil {
		return err
	}
	text := r.Data
	switch {
	case c.JSON:
		if text, err = appendLine(nil, kind, r); err != nil {
			return err
		}
	case kind == freshet.KindJSON:
		text = append(text[:len(text):len(text)], '\n')
	case kind == freshet.KindEvents:
		text = sse.AppendEvent(nil, r.Type, r.Data, "")
	}
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// appendLine appends a record as a line of JSON: JSON as it is, binary as base64
// and all else as a string.
func appendLine(dst []byte, kind freshet.Kind, r *client.Record) ([]byte, error) {
	l := line{Offset: r.Offset, Type: r.Type}
	switch kind {
	case freshet.KindJSON:
		l.Data = json.RawMessage(r.Data)
	case freshet.KindBytes:
		l.Data = r.Data
	default:
		l.Data = string(r.Data)
	}
	out := bytes.NewBuffer(dst)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l); err != nil {
		return nil, fmt.Errorf("write record as JSON: %w", err)
	}
	return out.Bytes(), nil
}
