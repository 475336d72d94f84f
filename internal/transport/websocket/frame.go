package websocket

import (
	"bytes"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// maxReasonBytes is how long the reason of a close may be (RFC 6455, section
// 5.5).
const maxReasonBytes = ws.MaxControlFramePayloadSize - 2

// headerRoom is what beginFrame leaves for the header: it fits the payloads from
// 126 bytes to 64 KiB.
const headerRoom = 4

// appendFrame appends a whole message, or a control frame (RFC 6455, section
// 5.2). Frames of a server have no mask.
func appendFrame(dst []byte, op ws.OpCode, payload []byte) []byte {
	dst = appendHeader(dst, ws.Header{OpCode: op, Fin: true, Length: int64(len(payload))})
	return append(dst, payload...)
}

func appendHeader(dst []byte, h ws.Header) []byte {
	b := bytes.NewBuffer(dst)
	_ = ws.WriteHeader(b, h)
	return b.Bytes()
}

// beginFrame leaves room for the header of a frame whose payload is appended
// next, and returns where that begins.
func beginFrame(b *[]byte) (payload int) {
	*b = append(*b, make([]byte, headerRoom)...)
	return len(*b)
}

// endFrame puts the header, but for its length, in front of the payload that was
// appended since beginFrame.
func endFrame(b *[]byte, payload int, h ws.Header) {
	var room [ws.MaxHeaderSize]byte
	h.Length = int64(len(*b) - payload)
	header := appendHeader(room[:0], h)
	start, end := payload-headerRoom, len(*b)
	if n := len(header) - headerRoom; n > 0 {
		*b = append(*b, make([]byte, n)...)
	}
	copy((*b)[start+len(header):], (*b)[payload:end])
	copy((*b)[start:], header)
	*b = (*b)[:end+len(header)-headerRoom]
}

// cut shortens s to at most n bytes, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
