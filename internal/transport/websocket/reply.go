package websocket

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/text"
)

// appendReply appends the message that answers an operation, as far as the
// answers have in common: without the last brace.
func appendReply(dst []byte, op string, id json.RawMessage) []byte {
	dst = append(dst, `{"op":"`...)
	dst = append(dst, op...)
	dst = append(dst, '"')
	if len(id) > 0 {
		dst = append(dst, `,"id":`...)
		dst = append(dst, id...)
	}
	return dst
}

// appendTold appends what is told of a stream without being asked, likewise.
func appendTold(dst []byte, op, stream string) []byte {
	dst = appendReply(dst, op, nil)
	return appendField(dst, "stream", stream)
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return text.AppendQuoted(dst, []byte(value))
}

func appendMessage(b *[]byte, payload []byte) {
	*b = appendFrame(*b, ws.OpText, append(payload, '}'))
}

// ackMessage says that an operation is done, and where the stream then stood.
func ackMessage(id json.RawMessage, at freshet.Offset, duplicate bool) []byte {
	m := appendField(appendReply(nil, "ack", id), "offset", at.String())
	if duplicate {
		m = append(m, `,"duplicate":true`...)
	}
	return append(m, '}')
}

// errorMessage says why an operation was not done. A producer that is told of a
// gap in its sequence, or of a newer epoch, also learns what is expected.
func errorMessage(id json.RawMessage, err error, result *freshet.Result) []byte {
	coded, _ := problem.Of(err)
	m := appendField(appendReply(nil, "error", id), "code", coded.Code)
	m = appendField(m, "message", coded.Detail)
	switch {
	case result == nil:
	case errors.Is(err, freshet.ErrSequence):
		m = strconv.AppendUint(append(m, `,"expected":`...), result.Expected(), 10)
	case errors.Is(err, freshet.ErrFenced):
		m = strconv.AppendUint(append(m, `,"epoch":`...), result.Epoch, 10)
	}
	return append(m, '}')
}
