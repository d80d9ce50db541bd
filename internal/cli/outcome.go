package cli

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"leadload/loader/ledger"
	"leadload/reports"
)

// toldErrors is how many reasons are told at the end of a run; the results
// file has them all.
const toldErrors = 3

// outcome says how a run went before its last line: the results that are not
// zero, why rows were not sent where the run ended early, and the most common
// reasons, each with an example row.
func (a *app) outcome(t ledger.Counts, errs []ledger.ErrorCount, stop string) {
	if t.Sum() == 0 {
		return
	}
	a.say("  %s", short(t))
	if n := t[ledger.ResultNotSent]; n > 0 && stop != "" {
		word := "rows were"
		if n == 1 {
			word = "row was"
		}
		a.say("  %d %s not sent: %s", n, word, cut(stop, 160))
	}
	for _, e := range errs {
		if e.Count == 1 {
			a.say("  row %d: %s", e.Row, cut(e.Example, 160))
		} else {
			a.say("  %d rows, such as row %d: %s", e.Count, e.Row, cut(e.Example, 160))
		}
		if e.Code == "row.changed" && e.Hint != "" { // nothing in the file is to be corrected, and the flag is not known to everybody
			a.say("    %s", e.Hint)
		}
	}
	if t[ledger.ResultNotSent] == 0 && reports.OneCause(t, errs) {
		hint := cmp.Or(errs[0].Hint, "leadload errors "+errs[0].Code+" says more")
		a.say("  the mapping does not fit this file, so correct the mapping first: %s", hint)
	}
}

// short is the last line's counts without those that are zero.
func short(t ledger.Counts) string {
	counts, total, _ := strings.Cut(t.String(), " of ")
	var parts []string
	for part := range strings.SplitSeq(counts, " · ") {
		if !strings.HasSuffix(part, " 0") {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return total
	}
	return strings.Join(parts, " · ") + " of " + total
}

// cut shortens a text to n characters, between words where it can.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	s = string([]rune(s)[:n-1])
	if i := strings.LastIndexByte(s, ' '); i > len(s)/2 {
		s = s[:i]
	}
	return s + "…"
}
