package durablestreams

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// Values of section 10.1, "Server-Generated Cursors".
const (
	cursorInterval = 20 * time.Second
	jitterMost     = time.Hour
)

var cursorEpoch = time.Date(2024, time.October, 9, 0, 0, 0, 0, time.UTC)

// nextCursor returns the cursor of a live answer: the number of the current
// interval, or one strictly greater than what the client sent, so that no cache
// can answer the same request for ever.
func nextCursor(echo string) string {
	now := int64(time.Since(cursorEpoch) / cursorInterval)
	sent, err := strconv.ParseInt(echo, 10, 64)
	if err != nil || sent < now || sent > 1<<53 {
		return strconv.FormatInt(now, 10)
	}
	const most = int64(jitterMost / cursorInterval)
	return strconv.FormatInt(sent+1+rand.Int64N(most), 10)
}
