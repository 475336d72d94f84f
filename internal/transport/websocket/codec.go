package websocket

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/freshet-stream/freshet/internal/text"
	"github.com/freshet-stream/freshet/sse"
)

// A codec is how the data of a record is written.
type codec struct {
	// append appends data, or a piece of it.
	append func(dst, data []byte) []byte
	// cut returns where, at n or before, data may be cut so that its pieces give
	// what the whole gives.
	cut func(data []byte, n int) int
}

// asIs is for bytes that a client gets as they are.
func asIs() codec {
	return codec{func(dst, data []byte) []byte { return append(dst, data...) }, anywhere}
}

// asText makes the text of a text message valid.
func asText() codec { return codec{sse.AppendValid, betweenCharacters} }

// asString writes text between the quotes of a JSON string.
func asString() codec { return codec{text.AppendEscaped, betweenCharacters} }

// asBase64 writes bytes between the quotes of a JSON string (RFC 4648, section
// 4).
func asBase64() codec {
	return codec{base64.StdEncoding.AppendEncode, func(_ []byte, n int) int { return n - n%3 }}
}

func anywhere(_ []byte, n int) int { return n }

// betweenCharacters cuts before the beginning of a character. Where none is
// near, the text is ill-formed and it does not matter.
func betweenCharacters(data []byte, n int) int {
	for back := range utf8.UTFMax {
		if utf8.RuneStart(data[n-back]) {
			return n - back
		}
	}
	return n
}
