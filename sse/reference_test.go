package sse_test

import (
	"math"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/sse"
)

// event is an sse.Event that does not borrow its memory.
type event struct {
	typ, data, id  string
	hasData, hasID bool
}

func message(data string) event { return event{data: data, hasData: true} }

func (e event) withType(typ string) event { e.typ = typ; return e }

// withID is e in a block that sets id itself; after is e in one that does not.
func (e event) withID(id string) event { e.id, e.hasID = id, true; return e }
func (e event) after(id string) event  { e.id = id; return e }

// transcript is all that can be learned from a stream.
type transcript struct {
	events   []event
	comments []string
	lastID   string
	retry    time.Duration
	hasRetry bool
}

// reference decodes a whole stream in the plainest way, by the wording of
// sections 9.2.5 and 9.2.6 of the HTML standard. It shares nothing with the
// Decoder, which the tests compare with it.
func reference(stream []byte, opts sse.DecoderOptions) transcript {
	var (
		t              transcript
		dataBuffer     string
		typeBuffer     string
		idBuffer       = opts.LastEventID
		idFieldInBlock bool
	)
	t.lastID = opts.LastEventID

	dispatch := func() {
		t.lastID = idBuffer
		if dataBuffer != "" {
			t.events = append(t.events, event{
				typ:     typeBuffer,
				data:    strings.TrimSuffix(dataBuffer, "\n"),
				id:      t.lastID,
				hasData: true,
				hasID:   idFieldInBlock,
			})
		} else if idFieldInBlock && opts.IDOnly {
			t.events = append(t.events, event{typ: typeBuffer, id: t.lastID, hasID: true})
		}
		dataBuffer, typeBuffer, idFieldInBlock = "", "", false
	}
	processField := func(name, value string) {
		switch name {
		case "event":
			typeBuffer = value
		case "data":
			dataBuffer += value + "\n"
		case "id":
			if !strings.ContainsRune(value, 0) {
				idBuffer, idFieldInBlock = value, true
			}
		case "retry":
			if value != "" && strings.Trim(value, "0123456789") == "" {
				t.retry, t.hasRetry = referenceRetry(value), true
			}
		}
	}
	processLine := func(line string) {
		name, value, hasColon := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			dispatch()
		case hasColon && name == "":
			t.comments = append(t.comments, value)
		default:
			processField(name, value)
		}
	}

	text := referenceUTF8(stream)
	text = strings.TrimPrefix(text, "\uFEFF")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	lines := strings.Split(text, "\n")
	for _, line := range lines[:len(lines)-1] {
		processLine(line)
	}
	if opts.FlushAtEOF {
		if last := lines[len(lines)-1]; last != "" {
			processLine(last)
		}
		dispatch()
	}
	return t
}

// referenceRetry gives the number of milliseconds that digits spell, or the
// most that a time.Duration can hold.
func referenceRetry(digits string) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	digits = strings.TrimLeft(digits, "0")
	ms := int64(0)
	for _, c := range digits {
		ms = ms*10 + int64(c-'0')
	}
	if len(digits) > len("9223372036854") || ms > most {
		ms = most
	}
	return time.Duration(ms) * time.Millisecond
}

// referenceUTF8 is the UTF-8 decoder of the Encoding standard, section 8.1.1,
// a byte at a time, with its variables under their names there.
func referenceUTF8(stream []byte) string {
	var (
		out         strings.Builder
		codePoint   rune
		bytesSeen   int
		bytesNeeded int
		lower       byte = 0x80
		upper       byte = 0xBF
	)
	start := func(b byte) {
		switch {
		case b <= 0x7F:
			out.WriteByte(b)
		case b >= 0xC2 && b <= 0xDF:
			bytesNeeded, codePoint = 1, rune(b&0x1F)
		case b >= 0xE0 && b <= 0xEF:
			if b == 0xE0 {
				lower = 0xA0
			}
			if b == 0xED {
				upper = 0x9F
			}
			bytesNeeded, codePoint = 2, rune(b&0xF)
		case b >= 0xF0 && b <= 0xF4:
			if b == 0xF0 {
				lower = 0x90
			}
			if b == 0xF4 {
				upper = 0x8F
			}
			bytesNeeded, codePoint = 3, rune(b&0x7)
		default:
			out.WriteRune('\uFFFD')
		}
	}
	for _, b := range stream {
		if bytesNeeded == 0 {
			start(b)
			continue
		}
		if b < lower || b > upper {
			codePoint, bytesNeeded, bytesSeen = 0, 0, 0
			lower, upper = 0x80, 0xBF
			out.WriteRune('\uFFFD')
			start(b)
			continue
		}
		lower, upper = 0x80, 0xBF
		codePoint = codePoint<<6 | rune(b&0x3F)
		bytesSeen++
		if bytesSeen == bytesNeeded {
			out.WriteRune(codePoint)
			codePoint, bytesNeeded, bytesSeen = 0, 0, 0
		}
	}
	if bytesNeeded != 0 {
		out.WriteRune('\uFFFD')
	}
	return out.String()
}
