// Package stat sums up repetitions of a measurement.
package stat

import "slices"

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
