package freshet

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// MaxNameBytes is the length in bytes beyond which a stream's name is refused.
const MaxNameBytes = 512

// reservedSegments are the first segments under which the server itself
// creates streams.
var reservedSegments = [...]string{"__ds", "gen", "resp", "chat", "demo"}

// ValidateName reports whether name may name a stream: URL path segments of
// valid UTF-8 without control characters, at most [MaxNameBytes] long, none of
// them empty, "." or "..". The error is [ErrName] with a detail that says what
// is wrong.
func ValidateName(name string) error {
	switch {
	case name == "":
		return ErrName.With("the name is empty; put it in the path, as in /v1/stream/NAME")
	case len(name) > MaxNameBytes:
		return ErrName.With("the name has %d bytes and may have %d", len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return ErrName.With("the name is not valid UTF-8")
	}
	for segment := range strings.SplitSeq(name, "/") {
		switch segment {
		case "":
			return ErrName.With("the name has an empty segment; take out the doubled, leading or trailing slash")
		case ".", "..":
			return ErrName.With("the name has the segment %q, which proxies and browsers resolve; choose another", segment)
		}
	}
	for _, r := range name {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return ErrName.With("the name has the control character %U", r)
		}
	}
	return nil
}

// ParseName returns the name that an escaped URL path stands for (RFC 3986,
// section 3.3), before any cleaning of that path. A slash that is itself
// escaped is refused, since no two hops agree on what it means.
func ParseName(escaped string) (string, error) {
	if len(escaped) > 3*MaxNameBytes {
		return "", ErrName.With("the name has more than %d bytes", MaxNameBytes)
	}
	for rest := escaped; ; {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			break
		}
		rest = rest[i:]
		if len(rest) >= 3 && strings.EqualFold(rest[:3], "%2f") {
			return "", ErrName.With("the name has an escaped slash; use a plain / between segments")
		}
		rest = rest[1:]
	}
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return "", ErrName.With("the name is badly escaped: %v", err)
	}
	return name, ValidateName(name)
}

// EscapeName returns name as it stands in a URL path. It is the inverse of
// [ParseName] for every valid name.
func EscapeName(name string) string {
	return (&url.URL{Path: name}).EscapedPath()
}

// Reserved returns the first segment of name if it is one under which clients
// may read, follow and close but not create or append, and "" otherwise.
func Reserved(name string) string {
	first, _, _ := strings.Cut(name, "/")
	for _, segment := range reservedSegments {
		if first == segment {
			return segment
		}
	}
	return ""
}
