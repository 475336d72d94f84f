package sse

import (
	"strings"
	"unicode/utf8"
)

// ValidType reports whether typ arrives unchanged as the type of an event: it
// is well-formed UTF-8 without CR and LF. To a reader the empty type and
// "message" are one and the same.
func ValidType(typ string) bool {
	return isLine(typ)
}

// ValidID reports whether id arrives unchanged as a last event ID: it is
// well-formed UTF-8 without CR, LF and NUL. By the standard, readers ignore an
// id field that holds NUL. An id of ASCII is best, because some clients fail to
// send another one back.
func ValidID(id string) bool {
	return isLine(id) && strings.IndexByte(id, 0) < 0
}

func isLine(s string) bool {
	return strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 && utf8.ValidString(s)
}

func appendType(dst []byte, typ string) []byte {
	dst = append(dst, "event: "...)
	if isLine(typ) {
		dst = append(dst, typ...)
	} else {
		dst = appendReplaced(dst, typ, "\r\n")
	}
	return append(dst, '\n')
}

func appendID(dst []byte, id string) []byte {
	dst = append(dst, "id: "...)
	if ValidID(id) {
		dst = append(dst, id...)
	} else {
		dst = appendReplaced(dst, id, "\r\n\x00")
	}
	return append(dst, '\n')
}

// appendReplaced appends value with U+FFFD for each of the chars and for what
// is ill-formed, so that a wrong value stays visibly wrong and never becomes a
// line of its own.
func appendReplaced(dst []byte, value, chars string) []byte {
	for {
		i := strings.IndexAny(value, chars)
		if i < 0 {
			return AppendValid(dst, []byte(value))
		}
		dst = append(AppendValid(dst, []byte(value[:i])), replacement...)
		value = value[i+1:]
	}
}
