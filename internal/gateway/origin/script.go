package origin

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// never is the number of an event that no answer reaches.
const never = -1

// A script says how a call is answered.
type script struct {
	// reasoning, tokens and calls are how much there is of each.
	reasoning, tokens, calls int
	refusal                  bool
	// gap is the time before each token.
	gap time.Duration
	// stall, cut, end and fail are after how many events that happens.
	stall, cut, end, fail int
	// status, unless it is 200, is all there is.
	status     int
	retryAfter int
}

// parseScript reads a script from words such as tokens=300; the others have no
// meaning.
func parseScript(words []string) script {
	s := script{
		tokens: never, stall: never, cut: never, end: never, fail: never,
		status: http.StatusOK, retryAfter: 1,
	}
	var pace int
	numbers := map[string]*int{
		"tokens": &s.tokens, "reasoning": &s.reasoning, "calls": &s.calls, "pace": &pace,
		"stall": &s.stall, "cut": &s.cut, "end": &s.end, "error": &s.fail,
		"status": &s.status, "retry-after": &s.retryAfter,
	}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if n, err := strconv.Atoi(value); err == nil && n >= 0 && numbers[name] != nil {
			*numbers[name] = n
		}
		s.refusal = s.refusal || word == "refuse"
	}
	if s.tokens == never {
		s.tokens = 20
		if s.calls > 0 {
			s.tokens = 0
		}
	}
	if pace > 0 {
		s.gap = time.Second / time.Duration(pace)
	}
	return s
}
