package gateway

import (
	"net/url"
	"slices"
	"strings"
)

// isBelow reports whether what a caller has sent of a path, escaped, stays below
// what is put before it, by whatever rules an upstream, or a proxy before that,
// reads it: some take a backslash for a slash, cut parameters off, or unescape
// twice. The upstream's key is for the paths that are served here, and no others.
func isBelow(escaped string) bool {
	path, err := url.PathUnescape(escaped)
	if err != nil || strings.ContainsFunc(path, func(c rune) bool { return c == '%' || c == '\\' || c < ' ' || c == 0x7f }) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool {
		name, _, _ := strings.Cut(segment, ";")
		return name == "" || name == "." || name == ".."
	})
}
