package freshet

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Retain bounds the records that a stream keeps; zero is no bound. The
// oldest go first, whole appends at a time.
//
// Of a stream that has more records than Records, or more bytes than Bytes, the
// oldest appends are given up in the same step in which the append lands that
// makes them too many ([Info.Trim]): what a stream keeps is always the longest
// run of appends up to its tail that is within both bounds, and at least the
// last append, however large it is. Appends that are as old as Age are given up
// by [Store].Sweep ([Info.TrimAged]), the last one too.
type Retain struct {
	Records uint64
	// Bytes is compared with [Info].Bytes.
	Bytes int64
	Age   time.Duration
}

const (
	maxRetain    = 1<<53 - 1
	maxRetainAge = 100 * 365 * 24 * time.Hour
)

// ParseRetain reads bounds as they come in a header: some of records=N, bytes=N
// and age=SECONDS, separated by commas, each once at most. N is a whole number
// from 1 on, without sign or leading zeros. The error is [ErrSpec].
func ParseRetain(s string) (r Retain, err error) {
	for part := range strings.SplitSeq(s, ",") {
		key, value, _ := strings.Cut(strings.Trim(part, " \t"), "=")
		n, err := strconv.ParseUint(value, 10, 64)
		well := err == nil && n > 0 && value == strconv.FormatUint(n, 10)
		switch key {
		case "records", "bytes":
			if !well || n > maxRetain {
				return Retain{}, ErrSpec.With("%s is %s and has to be a whole number from 1 to 2^53-1", key, quote(value))
			}
		case "age":
			if !well || n > uint64(maxRetainAge/time.Second) {
				return Retain{}, ErrSpec.With("age is %s and has to be a whole number of seconds from 1 to a hundred years", quote(value))
			}
		default:
			return Retain{}, ErrSpec.With("%s is no bound; send some of records=1000, bytes=1048576, age=3600, separated by commas", quote(key))
		}
		if !r.set(key, n) {
			return Retain{}, ErrSpec.With("%s is given twice; send it once", key)
		}
	}
	return r, nil
}

// set sets a bound, or reports that it is set.
func (r *Retain) set(key string, n uint64) bool {
	before := *r
	switch key {
	case "records":
		r.Records = n
		return before.Records == 0
	case "bytes":
		r.Bytes = int64(n)
		return before.Bytes == 0
	}
	r.Age = time.Duration(n) * time.Second
	return before.Age == 0
}

// String returns the form that [ParseRetain] reads, "" for no bounds.
func (r Retain) String() string {
	var parts []string
	if r.Records > 0 {
		parts = append(parts, fmt.Sprintf("records=%d", r.Records))
	}
	if r.Bytes > 0 {
		parts = append(parts, fmt.Sprintf("bytes=%d", r.Bytes))
	}
	if r.Age > 0 {
		parts = append(parts, fmt.Sprintf("age=%d", max(r.Age/time.Second, 1)))
	}
	return strings.Join(parts, ", ")
}

// IsNone reports whether r bounds nothing.
func (r Retain) IsNone() bool { return r == Retain{} }

// Exceeded reports whether records of a number and size are more than may be
// kept.
func (r Retain) Exceeded(records uint64, bytes int64) bool {
	return r.Records > 0 && records > r.Records || r.Bytes > 0 && bytes > r.Bytes
}
