package freshet

import (
	"mime"
	"strings"
)

// A Record is one appended unit of a stream. What a reader gets is shared with
// other readers: nobody may change it.
type Record struct {
	// Offset is the position after the record. Stores give it; on an append
	// it is not looked at.
	Offset Offset
	// Type is the event's type, on event streams only; "" is the default.
	Type string
	// ID is the event's id as its sender gave it, on event streams only.
	ID string
	// Data is the record's content. It may be empty on event streams only.
	Data []byte
}

// Size is what the record counts for where bytes are bounded.
func (r *Record) Size() int { return len(r.Type) + len(r.ID) + len(r.Data) }

// A Kind is how the content of a stream is cut into records.
type Kind uint8

// The kinds of content.
const (
	// KindBytes is binary data, a record an append.
	KindBytes Kind = iota
	// KindText is text/*, a record an append. A record may end inside a
	// character.
	KindText
	// KindJSON is application/json, a record a JSON value.
	KindJSON
	// KindEvents is text/event-stream, a record an event with a type.
	KindEvents
)

// DefaultContentType is the content type of a stream created without one.
const DefaultContentType = "application/octet-stream"

// KindOf returns the kind of content that a media type stands for (RFC 9110,
// section 8.3.1).
func KindOf(contentType string) Kind {
	switch media := MediaType(contentType); {
	case media == "application/json":
		return KindJSON
	case media == "text/event-stream":
		return KindEvents
	case strings.HasPrefix(media, "text/"):
		return KindText
	}
	return KindBytes
}

// SameContentType reports whether two content types name the same media type,
// whatever their case and parameters.
func SameContentType(a, b string) bool {
	return a == b || MediaType(a) == MediaType(b)
}

// MediaType returns the type/subtype of a content type, in lower case.
func MediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// ValidateContentType returns [ErrContentType] unless s is a media type.
func ValidateContentType(s string) error {
	media, _, err := mime.ParseMediaType(s)
	if err != nil || !strings.Contains(media, "/") || len(s) > maxContentTypeBytes {
		return ErrContentType.With("%s is not a media type; send one such as text/plain or application/json", quote(s))
	}
	return nil
}
