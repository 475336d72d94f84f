package faultproxy

import (
	"bytes"
	"strconv"
	"strings"
)

// A sight reads along what a server sends over HTTP/1.1, far enough to know
// whether an event is on its way: the last response's head, then chunks, then
// either blocks of Server-Sent Events or the frames of a WebSocket.
type sight struct {
	state sightState
	// line is the unfinished line of a head or of a chunk's size.
	line []byte
	// head is what the lines so far say.
	head responseHead
	// left is how many bytes of a body, chunk or frame are to come.
	left int
	// block looks at an event stream, frame at a WebSocket.
	block block
	frame frame
}

type sightState uint8

const (
	inHead sightState = iota
	inChunkSize
	inChunk
	inChunkEnd
	inBody
	inFrames
)

type responseHead struct {
	upgraded, chunked, events bool
	length                    int
}

// see takes the next bytes.
func (s *sight) see(p []byte) {
	for len(p) > 0 {
		switch s.state {
		case inHead, inChunkSize, inChunkEnd:
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				s.line = append(s.line, p...)
				return
			}
			line := strings.TrimSuffix(string(append(s.line, p[:i]...)), "\r")
			s.line = s.line[:0]
			p = p[i+1:]
			s.take(line)
		case inChunk, inBody:
			n := min(len(p), s.left)
			if s.head.events {
				s.block.see(p[:n])
			}
			p = p[n:]
			if s.left -= n; s.left > 0 {
				continue
			}
			if s.state = inChunkEnd; !s.head.chunked {
				s.begin()
			}
		case inFrames:
			s.frame.see(p)
			return
		}
	}
}

// begin expects another response.
func (s *sight) begin() {
	s.state, s.head, s.block = inHead, responseHead{}, block{}
}

// take takes a whole line of a head or between chunks.
func (s *sight) take(line string) {
	switch {
	case s.state == inChunkEnd:
		s.state = inChunkSize
	case s.state == inChunkSize:
		size, _, _ := strings.Cut(line, ";")
		n, _ := strconv.ParseInt(strings.TrimSpace(size), 16, 32)
		if s.left, s.state = int(n), inChunk; n == 0 {
			s.begin()
		}
	case line != "":
		s.head.see(line)
	case s.head.upgraded:
		s.state = inFrames
	case s.head.chunked:
		s.state = inChunkSize
	case s.head.length > 0:
		s.left, s.state = s.head.length, inBody
	default:
		s.begin()
	}
}

func (h *responseHead) see(line string) {
	if strings.HasPrefix(line, "HTTP/1.1 101") {
		h.upgraded = true
	}
	name, value, _ := strings.Cut(strings.ToLower(line), ":")
	value = strings.TrimSpace(value)
	switch name {
	case "transfer-encoding":
		h.chunked = value == "chunked"
	case "content-type":
		h.events = strings.HasPrefix(value, "text/event-stream")
	case "content-length":
		h.length, _ = strconv.Atoi(value)
	}
}

// insideEvent reports whether an event has begun and not ended.
func (s *sight) insideEvent() bool {
	if s.state == inFrames {
		return s.frame.inside()
	}
	return s.head.events && s.block.inside()
}

// A block reads along an event stream whose lines end in LF.
type block struct {
	// first is the first byte of the block, 0 before it.
	first byte
	// midway says that a line has begun.
	midway bool
}

func (b *block) see(p []byte) {
	for _, c := range p {
		switch {
		case c != '\n':
			if b.first == 0 {
				b.first = c
			}
			b.midway = true
		case b.midway:
			b.midway = false
		default:
			b.first = 0
		}
	}
}

// inside reports whether the block is an event, which begins with an event or a
// data field; not a comment, an id or a retry.
func (b *block) inside() bool { return b.first == 'e' || b.first == 'd' }

// A frame reads along the frames that a server sends (RFC 6455, section 5.2).
type frame struct {
	head []byte
	left int
	data bool
}

func (f *frame) see(p []byte) {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(f.left, len(p))
			f.left, p = f.left-n, p[n:]
			continue
		}
		f.head, p = append(f.head, p[0]), p[1:]
		size, ok := frameSize(f.head)
		if !ok {
			continue
		}
		f.data = f.head[0]&0x08 == 0
		f.left, f.head = size, f.head[:0]
	}
}

// frameSize returns the payload's size once the head is whole. Servers do not
// mask.
func frameSize(head []byte) (size int, ok bool) {
	if len(head) < 2 {
		return 0, false
	}
	long := map[byte]int{126: 2, 127: 8}[head[1]&0x7f]
	if long == 0 {
		return int(head[1] & 0x7f), true
	}
	if len(head) < 2+long {
		return 0, false
	}
	for _, b := range head[2:] {
		size = size<<8 | int(b)
	}
	return size, true
}

// inside reports whether a frame of a message has begun and not ended. A control
// frame is no event.
func (f *frame) inside() bool {
	if len(f.head) > 0 {
		return f.head[0]&0x08 == 0
	}
	return f.left > 0 && f.data
}
