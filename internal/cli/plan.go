package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"leadload/loader"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// count puts a number before its noun.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// list joins words for people.
func list(words []string) string { return strings.Join(words, ", ") }

// about is a time as people say it.
func about(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < 90*time.Second:
		return fmt.Sprintf("about %d s", int(d.Round(time.Second)/time.Second))
	case d < 90*time.Minute:
		return fmt.Sprintf("about %d min", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("about %d h %02d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// removedWords says which rows a file no longer has; "" where it has all of them.
func removedWords(r loader.Removed) string {
	switch {
	case r.Rows > 0:
		return count(r.Rows, "row", "rows") + " of earlier runs the file no longer has: sheet Removed"
	case r.Left > 0:
		return fmt.Sprintf("%d of the %s of earlier runs are not in this file, and not listed: it seems to have what is new alone", r.Left, count(r.Of, "row", "rows"))
	}
	return ""
}

// limits names the limits that a plan goes by.
func limits(p loader.Plan) string {
	if p.Bulk.Limit == "" {
		return p.Limit
	}
	return p.Limit + " + bulk " + p.Bulk.Limit
}

// showPlan says what a run is about to do and what it costs.
func (a *app) showPlan(input string, m *mapping.Mapping, p loader.Plan, info source.Info) {
	name := input
	if name == "-" {
		name = "standard input"
	}
	if info.Sheet != "" {
		name += " (sheet " + info.Sheet + ")"
	}
	a.say("%s → %s, target %s", name, cmp.Or(p.Account, "no account named so far"), m.Target)
	parts := []string{fmt.Sprintf("%d to send", p.Ready())}
	if n := p.Updates(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d to update", n))
	}
	for _, x := range []struct {
		n    int64
		word string
	}{{p.Rows[ledger.ResultAlready], "already loaded"}, {p.Rows[ledger.ResultInvalid], "invalid"}, {p.Rows[ledger.ResultSkipped], "skipped"}, {p.Rows[ledger.ResultRepeated], "repeated"}, {p.Rows[ledger.ResultChanged], "changed since they were loaded"}, {p.Rows[ledger.ResultInDoubt], "in doubt from an earlier run"}, {p.Rows[ledger.ResultPending], "pending from an earlier run"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.word))
		}
	}
	a.say("  %s: %s", count(p.Rows.Sum(), "row", "rows"), list(parts))
	if p.Unfit > 0 {
		a.say("  %s as written now, and loaded under the key: left as it is in the account", count(p.Unfit, "row is invalid", "rows are invalid"))
	}
	if text := removedWords(p.Removed); text != "" {
		a.say("  %s", text)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Renamed)) {
		a.say("  %s with mapping %s before", count(p.Renamed[name], "row was loaded", "rows were loaded"), name)
	}
	if p.RemadeRows > 0 {
		var fields []string
		for _, f := range slices.Sorted(maps.Keys(p.Remade)) {
			fields = append(fields, fmt.Sprintf("%s (%s)", f, count(p.Remade[f], "row", "rows")))
		}
		a.say("  the mapping has changed, not the rows, in %s: %s; --mapping-changed update sends what it has now", count(p.RemadeRows, "row", "rows"), list(fields))
	}
	if p.Calls > 0 {
		cost := fmt.Sprintf("  %s at %s: %s, done at %s", count(p.Calls, "call", "calls"), limits(p), about(p.Time), p.Finish.Local().Format("15:04"))
		if p.Finish.Local().YearDay() != time.Now().YearDay() {
			cost += p.Finish.Local().Format(" on 2 Jan")
		}
		if p.DayShare > 0 {
			cost += fmt.Sprintf(", %.1f %% of the daily limit", 100*p.DayShare)
		}
		a.say("%s", cost)
	} else {
		a.say("  nothing to send")
	}
	if b := p.Bulk; b.Rows > 0 {
		a.say("  %s with %s; without bulk calls it takes %s", count(b.Calls, "of them is a bulk call", "of them are bulk calls"), count(b.Rows, "row", "rows"), about(b.Alone))
	}
	if b := p.Bulk; b.Why != "" {
		a.say("  new rows go in calls of their own, because %s", b.Why)
	}
	if p.Lookups > 0 {
		a.say("  %s among them", count(p.Lookups, "look-up of a lead", "look-ups of leads"))
	}
	if len(p.Unused) > 0 {
		a.say("  not used: %s (list them under ignore: to silence this)", list(p.Unused))
	}
	for _, w := range p.Warnings {
		a.warn("  warning: %s", w)
	}
	for _, n := range info.Notes {
		a.say("  note: %s", n)
	}
	if n := p.OtherDoubt + p.OtherPending; n > 0 {
		a.say("  %s of earlier runs in doubt or pending: leadload settle asks the account about them", count(n, "row is", "rows are"))
	}
}
