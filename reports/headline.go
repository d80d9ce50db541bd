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
	in := c.Loaded + c.Already + c.Duplicate
	var parts []string
	switch {
	case total == 0 && j.Run.Command == "settle":
		return "No row was open."
	case total == 0:
		return "There was no row to load."
	}
	if j.Run.Command == "check" {
		parts = append(parts, fmt.Sprintf("Nothing was sent. %s of %s would be sent", thousands(t.wouldSend), counted(total, "row")))
		if in > 0 {
			parts = append(parts, fmt.Sprintf("%s already in the account", thousands(in)))
		}
	} else if in == total {
		if total == 1 {
			return "The one row is in the account."
		}
		return fmt.Sprintf("All %s rows are in the account.", thousands(total))
	} else {
		parts = append(parts, fmt.Sprintf("%s of %s in the account", thousands(in), counted(total, "row")))
	}
	if n := c.Person(); n > 0 {
		word := "need"
		if n == 1 {
			word = "needs"
		}
		parts = append(parts, fmt.Sprintf("%s %s a person", thousands(n), word))
	}
	if n := c.Pending; n > 0 {
		parts = append(parts, thousands(n)+" pending")
	}
	if n := c.NotSent - t.wouldSend; n > 0 {
		parts = append(parts, thousands(n)+" not sent")
	}
	if n := c.Skipped; n > 0 {
		parts = append(parts, thousands(n)+" skipped")
	}
	return strings.Join(parts, " · ") + "."
}

// fact is one line of the Summary about the run.
type fact struct {
	name, value string
}

// facts are what the Summary tells of a run, in its order.
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
	local := j.Location.String() != "UTC"
	when := func(name string, at time.Time) {
		if local {
			add(name, at.In(j.Location).Format(stamp+" -07:00")+" "+j.Location.String())
			name = ""
		}
		add(name, at.UTC().Format(stamp)+" UTC")
	}
	when("Started", run.Started)
	if run.Ended.IsZero() {
		add("Ended", "cut off, or still running")
	} else {
		when("Ended", run.Ended)
		add("Duration", span(duration(run)))
	}
	calls := thousands(run.Calls)
	if run.Calls > 0 && duration(run) > 0 {
		calls += ", " + strconv.FormatFloat(callsPerSecond(run), 'f', 2, 64) + " a second"
		if allowed := perSecond(run.Limit); allowed > 0 {
			calls += fmt.Sprintf(" of %s allowed", strconv.FormatFloat(round(allowed, 2), 'f', -1, 64))
		}
	}
	if run.Limit != "" {
		calls += fmt.Sprintf(" (limit %s)", run.Limit)
	}
	add("Calls", calls)
	add("Throttled", thousands(run.Throttled))
	return out
}

// perSecond is the rate of a limit such as 25/5s; 0 for "off" and the unknown.
func perSecond(limit string) float64 {
	n, window, ok := strings.Cut(limit, "/")
	calls, err := strconv.ParseFloat(n, 64)
	if !ok || err != nil {
		return 0
	}
	d, err := time.ParseDuration(window)
	if err != nil || d <= 0 {
		return 0
	}
	return calls / d.Seconds()
}

// shown are the results that a Summary lists: those with rows first, then
// those that people look for anyway.
func (t *tally) shown(check bool) (with, without []ledger.Result) {
	for _, r := range results {
		if t.count(r) > 0 {
			with = append(with, r)
		} else if r != ledger.ResultWouldSend && !(check && r != ledger.ResultInvalid) {
			without = append(without, r)
		}
	}
	return with, without
}
