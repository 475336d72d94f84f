package sse

import (
	"math"
	"strconv"
	"time"
)

// maxRetry is the longest reconnection time, a whole number of milliseconds.
const maxRetry = math.MaxInt64 / time.Millisecond * time.Millisecond

// parseRetry returns the value of a retry field, in milliseconds, if it is
// valid: ASCII digits and nothing else.
func parseRetry(digits []byte) (time.Duration, bool) {
	var retry time.Duration
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		step := time.Duration(c-'0') * time.Millisecond
		if retry > (maxRetry-step)/10 {
			retry = maxRetry
			continue
		}
		retry = retry*10 + step
	}
	return retry, len(digits) > 0
}

// AppendRetry appends a retry field, which tells clients how long to wait
// before they reconnect: d in milliseconds, rounded up, at least 0. It is one
// line, without the empty line that ends a block, and it takes effect as it
// stands; it may precede any block.
func AppendRetry(dst []byte, d time.Duration) []byte {
	ms := max(d, 0) / time.Millisecond
	if d > ms*time.Millisecond {
		ms++
	}
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, int64(ms), 10)
	return append(dst, '\n')
}
