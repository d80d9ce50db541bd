package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// verdict is what a line says of its target.
type verdict string

const (
	met     verdict = "met"
	missed  verdict = "MISSED"
	noted   verdict = "–" // there is no target
	skipped verdict = "skipped"
	failed  verdict = "FAILED"
)

// line is one line of the table.
type line struct {
	name     string // of its measurement
	what     string
	target   string
	measured string
	ratio    float64 // 0: none
	verdict  verdict
}

// judge is met when ok holds.
func judge(ok bool) verdict {
	if ok {
		return met
	}
	return missed
}

func (l line) cells() []string {
	ratio := ""
	if l.ratio != 0 {
		ratio = fmt.Sprintf("%.2f", l.ratio)
	}
	return []string{l.name, l.what, l.target, l.measured, ratio, string(l.verdict)}
}

var heads = []string{"Measurement", "What", "Target", "Measured", "Ratio", "Verdict"}

func writePlain(w io.Writer, table []line) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(heads, "\t"))
	for _, l := range table {
		fmt.Fprintln(t, strings.Join(l.cells(), "\t"))
	}
	t.Flush()
}

func markdownHead() string {
	return "| " + strings.Join(heads, " | ") + " |\n|---|---|---|---|--:|---|\n"
}

// markdownRow is a row of a Markdown table, without the end of the line.
func markdownRow(l line) string {
	cells := l.cells()
	cells[0] = "`" + cells[0] + "`"
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", "\\|")
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// median of an odd or even number of values; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// count writes a whole number with its thousands apart.
func count[N ~int | ~int64 | ~float64](n N) string {
	s := fmt.Sprintf("%.0f", float64(n))
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// list shows the rounds behind a median.
func list(values []float64, format string) string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprintf(format, v))
	}
	return strings.Join(out, ", ")
}
