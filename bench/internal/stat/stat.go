// Package stat sums up repetitions of a measurement.
package stat

import (
	"math"
	"slices"
	"time"
)

// A Sample has the values of some repetitions.
type Sample []float64

// Median returns the middle value, or the mean of the two in the middle; 0 of
// none.
func (s Sample) Median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Quantile returns the least value that a part q of all does not exceed, 0 of
// none.
func (s Sample) Quantile(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(int(math.Ceil(q*float64(len(s))))-1, 0)]
}

// Millis returns times in milliseconds.
func Millis(times []time.Duration) Sample {
	s := make(Sample, len(times))
	for i, t := range times {
		s[i] = float64(t) / float64(time.Millisecond)
	}
	return s
}

// Min returns the least value, 0 of none.
func (s Sample) Min() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Min(s)
}

// Max returns the greatest value, 0 of none.
func (s Sample) Max() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// Over returns the quotients of the repetitions of s and base, in pairs.
// Repetitions of a pair ran one after the other, so that what disturbed one has
// likely disturbed the other.
func (s Sample) Over(base Sample) Sample {
	var q Sample
	for i := range min(len(s), len(base)) {
		if base[i] > 0 {
			q = append(q, s[i]/base[i])
		}
	}
	return q
}
