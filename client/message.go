package client

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/freshet-stream/freshet"
)

// A message is what a connection told at once.
type message struct {
	records []Record
	// at is the position after the records, or "" if it has not moved.
	at string
	// gap and end are what comes after the records, if anything does.
	gap *GapError
	end *EndError
}

// isNothing reports whether the message has no news but the position.
func (m *message) isNothing() bool {
	return len(m.records) == 0 && m.gap == nil && m.end == nil
}

// endOf reads how a stream ended, from what SSE and WebSocket say alike.
func endOf(data []byte, at string) (message, error) {
	var said struct{ Reason freshet.Reason }
	if err := json.Unmarshal(data, &said); err != nil {
		return message{}, fmt.Errorf("%w: it told the stream's end in a form that cannot be read: %w", ErrProtocol, err)
	}
	return message{at: at, end: &EndError{Reason: said.Reason, Offset: at}}, nil
}

// gapOf reads what cannot be served, from what SSE and WebSocket say alike.
func gapOf(data []byte) (message, error) {
	var said struct{ Requested, Resumed, Why string }
	if err := json.Unmarshal(data, &said); err != nil || said.Resumed == "" {
		return message{}, fmt.Errorf("%w: it told a gap in a form that cannot be read: %.200q", ErrProtocol, data)
	}
	return message{gap: &GapError{Why: said.Why, Requested: said.Requested, Resumed: said.Resumed}}, nil
}

func decodeBase64(data []byte) ([]byte, error) {
	out, err := base64.StdEncoding.AppendDecode(nil, data)
	if err != nil {
		return nil, fmt.Errorf("%w: it sent binary data that is not base64: %w", ErrProtocol, err)
	}
	return out, nil
}

func decodeString(data []byte) ([]byte, error) {
	var out string
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("%w: it sent text that is not a JSON string: %.80q", ErrProtocol, data)
	}
	return []byte(out), nil
}
