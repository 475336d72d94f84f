package main

import "github.com/freshet-stream/freshet/bench/internal/stat"

// A result has the figures of one benchmark.
type result struct {
	Name    string    `json:"name"`
	About   string    `json:"about"`
	Figures []*figure `json:"figures"`
	Ratios  []ratio   `json:"ratios"`
	// table, if not nil, is what is printed instead of all that.
	table *table
}

// A figure is one thing that was measured of one side.
type figure struct {
	Side   string      `json:"side"`
	Metric string      `json:"metric"`
	Unit   string      `json:"unit"`
	Values stat.Sample `json:"values"`
	Median float64     `json:"median"`
}

// A ratio compares two figures of one run, repetition by repetition.
type ratio struct {
	Side   string      `json:"side"`
	Metric string      `json:"metric"`
	To     string      `json:"to"`
	Values stat.Sample `json:"values"`
	Median float64     `json:"median"`
}

// add adds a repetition to a figure.
func (r *result) add(side, metric, unit string, value float64) {
	f := r.find(side, metric)
	if f == nil {
		f = &figure{Side: side, Metric: metric, Unit: unit}
		r.Figures = append(r.Figures, f)
	}
	f.Values = append(f.Values, value)
	f.Median = f.Values.Median()
}

// compare adds the ratio of two figures.
func (r *result) compare(side, metric, to, toMetric string) {
	a, b := r.find(side, metric), r.find(to, toMetric)
	if a == nil || b == nil {
		return
	}
	q := a.Values.Over(b.Values)
	r.Ratios = append(r.Ratios, ratio{side, metric, to, q, q.Median()})
}

func (r *result) find(side, metric string) *figure {
	for _, f := range r.Figures {
		if f.Side == side && f.Metric == metric {
			return f
		}
	}
	return nil
}
