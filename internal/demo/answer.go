package demo

import (
	_ "embed"
	"unicode"
	"unicode/utf8"
)

//go:embed answer.txt
var sample string

// tokenMost is the length in letters beyond which a word makes several tokens.
const tokenMost = 7

// sampleTokens returns the sample answer in pieces such as a model makes: words
// with the space before them, parts of long words, marks, and characters beyond
// the Basic Multilingual Plane in two halves.
func sampleTokens() [][]byte {
	var tokens [][]byte
	for rest := sample; rest != ""; {
		n := tokenLen(rest)
		tokens = append(tokens, []byte(rest[:n]))
		rest = rest[n:]
	}
	return tokens
}

// tokenLen returns the length in bytes of the token that s begins with.
func tokenLen(s string) int {
	n := 0
	if s[0] == ' ' && len(s) > 1 {
		n = 1
	}
	first, size := utf8.DecodeRuneInString(s[n:])
	switch {
	case first == utf8.RuneError:
		// The second half of a character.
		return n + min(2, len(s)-n)
	case size == utf8.UTFMax:
		return n + size/2
	}
	same := classOf(first)
	letters := 0
	for _, r := range s[n:] {
		if classOf(r) != same || letters == tokenMost || utf8.RuneLen(r) == utf8.UTFMax {
			break
		}
		letters++
		n += utf8.RuneLen(r)
	}
	return n
}

// The classes of characters that stand together in a token.
const (
	word = iota
	space
	mark
)

func classOf(r rune) int {
	switch {
	case unicode.IsLetter(r), unicode.IsDigit(r), r == '\'':
		return word
	case unicode.IsSpace(r):
		return space
	}
	return mark
}
