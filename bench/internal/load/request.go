package load

import (
	"encoding/binary"
	"fmt"
)

// Get returns a request that follows a path over SSE.
func Get(addr, path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\nUser-Agent: bench\r\n\r\n", path, addr)
}

// Upgrade returns a request that makes a connection a WebSocket, with a
// subprotocol unless that is "".
func Upgrade(addr, path, protocol string) []byte {
	if protocol != "" {
		protocol = "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", path, addr, protocol)
}

// Message returns a text message of a client: a frame with a mask of zeros (RFC
// 6455, section 5.2), which leaves the payload as it is.
func Message(payload []byte) []byte {
	const fin, text, masked, two = 0x80, 0x1, 0x80, 126
	frame := []byte{fin | text, masked | byte(len(payload))}
	if len(payload) >= two {
		frame = binary.BigEndian.AppendUint16([]byte{fin | text, masked | two}, uint16(len(payload)))
	}
	return append(append(frame, 0, 0, 0, 0), payload...)
}

// Ask returns a request for a chat completion that comes as a stream.
func Ask(addr, prompt string) []byte {
	return write("POST", addr, "/v1/chat/completions", fmt.Appendf(nil, `{"model":"bench","stream":true,"messages":[{"role":"user","content":%q}]}`, prompt))
}

// write returns a request with a body.
func write(method, addr, path string, body []byte) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", method, path, addr, ContentType, len(body), body)
}
