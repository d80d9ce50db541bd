package reports

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"leadload/loader/ledger"
)

// title names the run for the workbook's first line and properties.
func (j *job) title() string {
	what := map[string]string{"check": "Check of ", "settle": "Settling", "import": "Import of "}[j.Run.Command]
	if what == "" {
		what = j.Run.Command + " of "
	}
	if j.Run.Input == "" {
		return strings.TrimSuffix(strings.TrimSuffix(what, " "), " of")
	}
	if j.Run.Input == "-" {
		return what + "standard input"
	}
	return what + baseName(j.Run.Input)
}

// headline says in one sentence how the run ended, as the lines have it.
func (j *job) headline(t *tally) string {
	c := t.totals
	total := c.Sum()
	in := c[ledger.ResultLoaded] + c[ledger.ResultUpdated] + c[ledger.ResultAlready] + c[ledger.ResultDuplicate]
	matched := ""
	if c[ledger.ResultDuplicate] > 0 {
		matched = thousands(c[ledger.ResultDuplicate]) + " matched what was there"
	}
	var parts []string
	switch {
	case total == 0 && j.Run.Command == "settle":
		return "No row was open."
	case total == 0:
		return "There was no row to load."
	}
	if j.Run.Command == "check" {
		parts = append(parts, fmt.Sprintf("Nothing was sent. %s of %s would be sent", thousands(c[ledger.ResultWouldSend]), counted(total, "row")))
		if in > 0 {
			parts = append(parts, fmt.Sprintf("%s already in the account", thousands(in)))
		}
	} else {
		all := fmt.Sprintf("All %s rows are in the account", thousands(total))
		switch {
		case in == total && total == 1:
			all = "The one row is in the account"
		case in < total:
			all = fmt.Sprintf("%s of %s in the account", thousands(in), counted(total, "row"))
		}
		parts = append(parts, all)
		if matched != "" {
			parts = append(parts, matched)
		}
		if n := c[ledger.ResultChanged] + c[ledger.ResultConflict]; n > 0 {
			parts = append(parts, thousands(n)+" there with other values")
		}
	}
	if n := c.Person(); n > 0 {
		word := "need"
		if n == 1 {
			word = "needs"
		}
		parts = append(parts, fmt.Sprintf("%s %s a person", thousands(n), word))
	}
	if n := c[ledger.ResultPending]; n > 0 {
		parts = append(parts, thousands(n)+" pending")
	}
	if n := c[ledger.ResultNotSent]; n > 0 {
		parts = append(parts, thousands(n)+" not sent")
	}
	if n := c[ledger.ResultSkipped]; n > 0 {
		parts = append(parts, thousands(n)+" skipped")
	}
	return strings.Join(parts, " · ") + "."
}

// fact is one line of the Summary about the run.
type fact struct {
	name, value string
}

// facts are what the Summary says about the run, in its order.
func (j *job) facts() []fact {
	run := j.Run
	var out []fact
	add := func(name, value string) { out = append(out, fact{name, value}) }
	switch run.Input {
	case "":
		add("File", "none")
	case "-":
		add("File", "standard input")
	default:
		add("File", baseName(run.Input))
		if dir := filepath.Dir(run.Input); dir != "." {
			add("Folder", cutFront(dir, int(overviewWidths[1])-2))
		}
	}
	if run.Sheet != "" {
		add("Sheet", run.Sheet)
	}
	if run.Mapping != "" {
		add("Mapping", run.Mapping)
	}
	if j.Zones != "" {
		add("Time zones", j.Zones)
	}
	add("Account", run.AccountName)
	if run.Target != "" {
		add("Target", run.Target)
	}
	add("Run by", run.Who)
	add("Run", fmt.Sprintf("%d (%s, leadload %s)", run.ID, run.Command, run.Version))
	when := func(at time.Time) string {
		utc := at.UTC().Format(stamp) + " UTC"
		if j.Location.String() == "UTC" {
			return utc
		}
		return at.In(j.Location).Format(stamp+" -07:00") + " (" + at.UTC().Format("15:04:05") + " UTC)"
	}
	add("Started", when(run.Started))
	if run.Ended.IsZero() {
		add("Ended", "cut off, or still running")
	} else {
		add("Ended", when(run.Ended))
	}
	add("Calls", calls(run))
	return out
}

// calls says how many calls a run made, in how long, and what the limit was.
// A rate is not among it: a short run's looks like a breach and is none.
func calls(run ledger.Run) string {
	if run.Command == "check" {
		return "none: a check sends nothing"
	}
	s := counted(run.Calls, "call")
	if !run.Ended.IsZero() {
		s += " in " + span(duration(run))
	}
	single, many, bulk := strings.Cut(run.Limit, " + bulk ")
	if single != "" {
		s += "; limit " + limit(single)
	}
	if bulk {
		s += fmt.Sprintf("; %s among them, limit %s", counted(run.Bulk, "bulk call"), limit(many))
	}
	if run.Throttled > 0 {
		s += fmt.Sprintf("; %s throttled", thousands(run.Throttled))
	}
	return s
}

// limit writes a limit as people do: 25 in 5 s.
func limit(text string) string {
	n, window, ok := strings.Cut(text, "/")
	if !ok {
		return text
	}
	return n + " in " + spaced(window)
}

// spaced writes a duration as people do: 5 s, 1 min.
func spaced(text string) string {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil || d <= 0:
		return text
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
}

// shown are the results that a Summary lists: those that have rows.
func (t *tally) shown() (with []ledger.Result) {
	for _, r := range shownOrder {
		if t.totals[r] > 0 {
			with = append(with, r)
		}
	}
	return with
}
