package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A table shows medians in rows and columns, in Markdown.
type table struct{ rows [][]string }

// add adds a row; the first one is the head.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(to io.Writer) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for i, row := range t.rows {
		printRow(to, row, widths, " ")
		if i == 0 {
			printRow(to, make([]string, len(row)), widths, "-")
		}
	}
}

func printRow(to io.Writer, row []string, widths []int, fill string) {
	fmt.Fprint(to, "|")
	for i, cell := range row {
		rest := strings.Repeat(fill, widths[i]-utf8.RuneCountInString(cell))
		fmt.Fprint(to, fill, cell, rest, fill, "|")
	}
	fmt.Fprintln(to)
}

// number returns the median of a figure, "–" if there is none.
func (r *result) number(side, metric string) string {
	f := r.find(side, metric)
	if f == nil {
		return "–"
	}
	return short(f.Median)
}

// cell returns the median of a figure with its unit, "–" if there is none.
func (r *result) cell(side, metric string) string {
	f := r.find(side, metric)
	if f == nil {
		return "–"
	}
	return strings.TrimSpace(short(f.Median) + " " + f.Unit)
}
