package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// An output prints results as they come, or all of them as JSON in the end.
type output struct {
	json bool
	to   io.Writer
	all  struct {
		Machine facts     `json:"machine"`
		Results []*result `json:"results"`
	}
}

func (o *output) begin(f facts) {
	o.all.Machine = f
	if o.json {
		return
	}
	fmt.Fprintf(o.to, "%s; %s; %s; %s\n", f.CPU, f.Cores, f.Kernel, f.Go)
	fmt.Fprintf(o.to, "data on %s; load average %s at the start\n", f.Filesystem, f.Load)
	fmt.Fprintf(o.to, "medians, in brackets the least and the greatest, which -json has of all; CPU and memory are the server's alone\n")
}

func (o *output) result(r *result) {
	o.all.Results = append(o.all.Results, r)
	if o.json {
		return
	}
	fmt.Fprintf(o.to, "\n%s: %s\n", r.Name, r.About)
	if r.table != nil {
		r.table.print(o.to)
		return
	}
	table := tabwriter.NewWriter(o.to, 0, 0, 2, ' ', 0)
	for _, f := range r.Figures {
		fmt.Fprintf(table, "  %s\t%s\t%s %s\t(%s … %s)\n", f.Side, f.Metric, short(f.Median), f.Unit, short(f.Values.Min()), short(f.Values.Max()))
	}
	for _, q := range r.Ratios {
		fmt.Fprintf(table, "  %s\t%s\t%.2f ×\t(%.2f … %.2f)\t%s\n", q.Side, q.Metric, q.Median, q.Values.Min(), q.Values.Max(), q.To)
	}
	_ = table.Flush()
}

func (o *output) end() error {
	if !o.json {
		fmt.Fprintf(o.to, "\nload average %s at the end\n", loadAverage())
		return nil
	}
	e := json.NewEncoder(o.to)
	e.SetIndent("", "  ")
	return e.Encode(o.all)
}

// short returns a number with two or three digits, or those before the point.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v > 0 && v < 0.1:
		return fmt.Sprintf("%.3f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
