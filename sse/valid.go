package sse

import "unicode/utf8"

const replacement = "\uFFFD"

// AppendValid appends text, with each maximal subpart of an ill-formed UTF-8
// sequence replaced by one U+FFFD. So does the UTF-8 decoder of the Encoding
// standard, and hence every browser. Neither a conversion to runes, which
// replaces each byte by itself, nor [bytes.ToValidUTF8], which replaces each
// run of bytes as one, gives the same text.
func AppendValid(dst, text []byte) []byte {
	for !utf8.Valid(text) {
		n := validPrefix(text)
		dst = append(append(dst, text[:n]...), replacement...)
		text = text[n+maximalSubpart(text[n:]):]
	}
	return append(dst, text...)
}

// validPrefix returns the length of the well-formed text before the first
// ill-formed sequence, of which there must be one.
func validPrefix(text []byte) int {
	n := 0
	for {
		r, size := utf8.DecodeRune(text[n:])
		if r == utf8.RuneError && size == 1 {
			return n
		}
		n += size
	}
}

// maximalSubpart returns the length of the maximal subpart of the ill-formed
// sequence that text starts with: the longest start of it that some character
// starts with too, or else one byte.
func maximalSubpart(text []byte) int {
	n := 1
	for n < len(text) && !utf8.FullRune(text[:n+1]) {
		n++
	}
	return n
}
