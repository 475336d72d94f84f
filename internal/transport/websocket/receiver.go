package websocket

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// growBytes is by how much the buffer of a message first grows. A length that a
// client only claims costs no more.
const growBytes = 4 << 10

// A receiver puts messages together from frames and answers pings. It is not
// safe for concurrent use.
type receiver struct {
	in input
	// limit bounds a message, in bytes.
	limit int
	// pong answers a ping.
	pong func(payload []byte) error
	// discard lets messages be read without being kept.
	discard bool
	// inflate reads messages that are compressed; nil if none may be.
	inflate *inflater

	// within says that a frame's payload is being read.
	within bool
	// op is the kind of the message that is being put together; 0 is none.
	op      ws.OpCode
	message []byte
	// compressed says that the message is.
	compressed bool
	// text is how much of a text message is known to be characters.
	text int
	// control is the payload of a control frame.
	control []byte
}

// A closed is a close frame of the peer, valid by RFC 6455, section 7.4.
type closed struct {
	// code is 0 if the frame has none.
	code ws.StatusCode
}

func (c *closed) Error() string { return "the peer has closed" }

// next returns the next message, which is then the caller's. The error is a
// *fault if the peer broke the protocol, a *closed when it has sent a close
// frame, and otherwise that of the connection.
func (r *receiver) next() (ws.OpCode, []byte, error) {
	for {
		if err := r.readFrame(); err != nil {
			return 0, nil, err
		}
		r.within = false
		h := r.in.frame
		if h.OpCode.IsControl() {
			if err := r.controlled(h.OpCode); err != nil {
				return 0, nil, err
			}
			continue
		}
		if h.Fin {
			if err := r.decompress(); err != nil {
				return 0, nil, err
			}
		}
		if err := r.checkText(h.Fin); err != nil {
			return 0, nil, err
		}
		if h.Fin {
			op, message := r.op, r.message
			r.op, r.message, r.text = 0, nil, 0
			return op, message, nil
		}
	}
}

// resting reports whether the peer is not in the middle of a frame.
func (r *receiver) resting() bool { return !r.within && r.in.start == r.in.end }

// readFrame reads what is missing of a frame.
func (r *receiver) readFrame() error {
	if !r.within {
		h, err := r.in.header()
		if err != nil {
			return err
		}
		if err := r.begin(h); err != nil {
			return err
		}
		r.within = true
	}
	into := &r.message
	if r.in.frame.OpCode.IsControl() {
		into = &r.control
	}
	for r.in.left > 0 {
		p := *into
		if r.discard && into == &r.message {
			p = p[:0]
		}
		if len(p) == cap(p) {
			p = slices.Grow(p, int(min(r.in.left, int64(max(growBytes, len(p))))))
		}
		n, err := r.in.payload(p[len(p):cap(p)])
		*into = p[:len(p)+n]
		if err != nil {
			return err
		}
		if into == &r.message {
			if err := r.checkText(false); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin checks a frame's header (RFC 6455, sections 5.2 to 5.5).
func (r *receiver) begin(h ws.Header) error {
	state := ws.StateServerSide
	if r.op != 0 {
		state = state.Set(ws.StateFragmented)
	}
	compressed := r.inflate != nil && h.OpCode.IsData() && h.OpCode != ws.OpContinuation && h.Rsv == rsvDeflated
	if compressed {
		h.Rsv = 0
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return &fault{ws.StatusProtocolError, err.Error()}
	}
	if h.OpCode.IsControl() {
		r.control = r.control[:0]
		return nil
	}
	if !r.discard && h.Length > int64(r.limit-len(r.message)) {
		return &fault{ws.StatusMessageTooBig, "the message is too long; split what it carries"}
	}
	if h.OpCode != ws.OpContinuation {
		r.op, r.compressed = h.OpCode, compressed
	}
	return nil
}

// decompress makes of a whole message what it was before it was compressed.
func (r *receiver) decompress() error {
	if !r.compressed || r.discard {
		return nil
	}
	message, err := r.inflate.message(r.message, r.limit)
	r.message, r.compressed = message, false
	return err
}

// checkText checks what has come of a text message. Unless it is all of it, it
// may end inside a character (RFC 6455, section 8.1).
func (r *receiver) checkText(all bool) error {
	if r.op != ws.OpText || r.discard || r.compressed {
		return nil
	}
	rest := r.message[r.text:]
	whole := len(rest)
	if !all {
		whole -= unfinished(rest)
	}
	if !utf8.Valid(rest[:whole]) {
		return &fault{ws.StatusInvalidFramePayloadData, "a text message has to be valid UTF-8; send bytes as a binary one"}
	}
	r.text += whole
	return nil
}

// unfinished returns how many bytes at the end of p begin a character without
// ending it.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if last := p[len(p)-n:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return n
		}
	}
	return 0
}

// controlled does what a control frame asks for.
func (r *receiver) controlled(op ws.OpCode) error {
	switch op {
	case ws.OpPing:
		if r.discard {
			return nil
		}
		return r.pong(r.control)
	case ws.OpClose:
		return readClose(r.control)
	}
	return nil
}

// readClose reads the payload of a close frame. The error is a *closed, or a
// *fault if the frame is not valid.
func readClose(payload []byte) error {
	if len(payload) == 0 {
		return &closed{}
	}
	if len(payload) == 1 {
		return &fault{ws.StatusProtocolError, "a close frame has one byte of a code that has two"}
	}
	code := ws.StatusCode(binary.BigEndian.Uint16(payload))
	switch {
	case !mayBeSent(code):
		return &fault{ws.StatusProtocolError, "this close code may not be sent"}
	case !utf8.Valid(payload[2:]):
		return &fault{ws.StatusInvalidFramePayloadData, "the reason of a close has to be valid UTF-8"}
	}
	return &closed{code}
}

// mayBeSent reports whether a code may stand in a close frame: it is registered
// with IANA for that, or free for use (RFC 6455, section 7.4.2).
func mayBeSent(code ws.StatusCode) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	}
	return code >= 3000 && code <= 4999
}
