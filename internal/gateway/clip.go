package gateway

import (
	"encoding/json"
	"unicode/utf8"
)

// clip returns what of s takes up to n bytes in JSON. Others choose how long their
// words are, and a stream's meta is bounded.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	for jsonBytes(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// jsonBytes returns how long a string is in JSON, without its quotes.
func jsonBytes(s string) int {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can be marshalled
	}
	return len(b) - len(`""`)
}
