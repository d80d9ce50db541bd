package chaos

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"leadload/internal/sandbox"
	"leadload/loader/source"
)

// made is a record by what was posted for it.
type made struct {
	content string
	call    int64 // 0: another system's
}

// contentOf is what a call has posted.
func (g *siege) contentOf(body []byte) string {
	var b struct {
		ProspectId, ProductSku, Status string
		Revenue                        json.RawMessage
		Ref                            string `json:"mx_Custom_5"`
		LeadDetails                    []struct{ Attribute, Value string }
		Opportunity                    struct {
			OpportunityNote string
			Fields          []struct{ SchemaName, Value string }
		}
	}
	check(g.T, json.Unmarshal(body, &b))
	if g.sales {
		return content(g.mails[b.ProspectId], "", map[string]string{"ProductSku": b.ProductSku, "Status": b.Status, "Revenue": string(b.Revenue), "mx_Custom_5": b.Ref})
	}
	fields, mail := map[string]string{}, ""
	for _, f := range b.Opportunity.Fields {
		fields[f.SchemaName] = f.Value
	}
	for _, d := range b.LeadDetails {
		if d.Attribute == "EmailAddress" {
			mail = d.Value
		}
	}
	return content(mail, b.Opportunity.OpportunityNote, fields)
}

// made returns what is in the account, by id.
func (g *siege) made() map[string]made {
	all := map[string]made{}
	add := func(id string, call int64, body []byte) {
		m := made{call: call}
		if call > 0 {
			m.content = g.contentOf(body)
		}
		all[id] = m
	}
	for _, o := range g.account.Opportunities() {
		add(o.ID, o.Call, o.Body)
	}
	for _, v := range g.account.SalesActivities() {
		add(v.ID, v.Call, v.Body)
	}
	return all
}

// judge holds the account's own record of who posted what, and the results file,
// against the input. Rows of may may be in the account once.
func (g *siege) judge(rows, may []row) {
	all := g.made()
	calls := map[string]map[int64][]string{} // content → call → ids
	for id, m := range all {
		if m.call == 0 {
			continue
		}
		if calls[m.content] == nil {
			calls[m.content] = map[int64][]string{}
		}
		calls[m.content][m.call] = append(calls[m.content][m.call], id)
	}
	faults := map[int64]string{}
	for _, c := range g.account.Calls() {
		faults[c.Number] = c.Fault
	}
	want, doubts := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if r.content != "" {
			want[r.content]++
			g.got.valid++
		}
	}
	lines := lines(g.T, &g.got.tally, g.dir)
	could := g.could()
	seen := map[string]int{}
	for i, r := range rows {
		n := i + 2
		line := lines[n]
		if line == nil {
			g.got.missing++
			g.Errorf("row %d is missing in the results file", n)
			continue
		}
		result, id := told(line, r)
		lie := ""
		switch {
		case r.content == "":
			if result != "invalid" || id != "" {
				lie = "it is invalid"
			}
		case result == "loaded" || result == "already loaded":
			m, there := all[id]
			switch {
			case seen[id] > 0:
				lie = fmt.Sprintf("its id stands on row %d too", seen[id])
			case id == "":
				lie = "it has no id"
			case !there:
				lie = "there is no such record"
			case m.call == 0:
				lie = "another system made that record"
			case m.content != r.content:
				lie = fmt.Sprintf("that record says %q, the row %q", m.content, r.content)
			}
			seen[id] = n
		case result == "in doubt":
			if strings.Contains(strings.Join(could[n], " "), "made before the call") {
				g.got.early++
			} else {
				g.got.doubts++
			}
			doubts[r.content]++
			if len(calls[r.content]) > 0 {
				g.got.doubtsThere++
			}
			if testing.Verbose() {
				g.Logf("row %d in doubt (%d records of it): %s", n, len(calls[r.content]), strings.Join(could[n], " | "))
			}
		case result == "rejected" && g.merged[r.cells[1]] && len(calls[r.content]) == 0:
			g.got.refusals++
			doubts[r.content]++ // it is not missing: the file says so
		default:
			lie = "it should be loaded: " + strings.Join(line[source.ResultsBefore+len(r.cells):], " | ")
		}
		if lie != "" {
			g.got.lies++
			g.Errorf("row %d: %q %q: %s", n, result, id, lie)
		}
	}
	for c, n := range want {
		have, twins := len(calls[c]), 0
		if have > n {
			g.got.duplicates += int64(have - n)
			g.Errorf("%d records too many: %s; calls %v", have-n, c, g.told(calls[c], faults))
		}
		for call, ids := range calls[c] {
			if len(ids) < 2 {
				continue
			}
			twins++
			switch {
			case named(could, ids):
				g.got.told++
			case faults[call] == sandbox.FaultTwiceAndLost && doubts[c] == 0 && have >= n:
				g.got.untold++
				g.Errorf("a proxy posted %s twice, its answer was lost, and nobody tells of %v", c, ids)
			default:
				g.got.unseen++
			}
		}
		if missing := n - have - twins - doubts[c]; missing > 0 {
			g.got.losses += int64(missing)
			g.Errorf("%d records are missing: %s", missing, c)
		}
	}
	replaced := map[string]int{}
	for _, r := range may {
		if replaced[r.content]++; r.content != "" && want[r.content] == 0 && len(calls[r.content]) > replaced[r.content] {
			g.got.duplicates++
			g.Errorf("a row that was replaced is there %d times: %s", len(calls[r.content]), r.content)
		}
	}
	for c, n := range calls {
		if want[c] == 0 && replaced[c] == 0 {
			g.got.strangers += int64(len(n))
			g.Errorf("the account has a record of no row: %s", c)
		}
	}
}

// told describes calls.
func (g *siege) told(calls map[int64][]string, faults map[int64]string) []string {
	var out []string
	for _, n := range slices.Sorted(maps.Keys(calls)) {
		out = append(out, fmt.Sprintf("%d %q %v", n, faults[n], calls[n]))
	}
	return out
}

// could returns what the last results file says of rows in doubt, by their numbers.
func (g *siege) could() map[int][]string {
	names, err := filepath.Glob(filepath.Join(g.dir, "deals-results*.xlsx"))
	check(g.T, err)
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	f, err := excelize.OpenFile(names[len(names)-1])
	check(g.T, err)
	defer f.Close()
	all := map[int][]string{}
	rows, err := f.GetRows("In doubt")
	if err != nil {
		return all // no row is
	}
	for _, row := range rows {
		if n, err := strconv.Atoi(row[0]); err == nil {
			all[n] = row
		}
	}
	return all
}

// named reports whether a line in doubt names all ids.
func named(could map[int][]string, ids []string) bool {
	for _, row := range could {
		text := strings.Join(row, " ")
		if !slices.ContainsFunc(ids, func(id string) bool { return !strings.Contains(text, id) }) {
			return true
		}
	}
	return false
}

// verify holds account and results file against the input.
func verify(t *testing.T, got *tally, dir string, rows []row, account map[string]string) {
	want, have := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if r.content != "" {
			want[r.content]++
			got.valid++
		}
	}
	for _, c := range account {
		have[c]++
	}
	doubts := map[string]int{}
	seen := map[string]int{}
	lines := lines(t, got, dir)
	for i, r := range rows {
		n := i + 2
		line := lines[n]
		if line == nil {
			got.missing++
			t.Errorf("row %d is missing in the results file", n)
			continue
		}
		result, id := told(line, r)
		lie := ""
		switch {
		case r.refused && result == "in doubt" && id == "" && r.content == "":
			got.doubts++ // its answers were lost three times
		case r.refused:
			if result != "rejected" || id != "" {
				lie = "the account refuses it"
			}
		case r.content == "":
			if result != "invalid" || id != "" {
				lie = "it is invalid"
			}
		case result == "loaded" || result == "already loaded":
			if seen[id]++; seen[id] > 1 {
				lie = "its id stands on another row too"
			} else if account[id] != r.content {
				lie = fmt.Sprintf("that record says %q, the row %q", account[id], r.content)
			}
		case result == "in doubt":
			got.doubts++
			doubts[r.content]++
			if have[r.content] > 0 {
				got.doubtsThere++
			}
		default:
			lie = "it should be loaded"
		}
		if lie != "" {
			got.lies++
			t.Errorf("row %d: %q %q: %s", n, result, id, lie)
		}
	}
	for c, n := range want {
		if have[c] > n {
			got.duplicates += int64(have[c] - n)
			t.Errorf("%d records too many: %s", have[c]-n, c)
		}
		if missing := n - have[c] - doubts[c]; missing > 0 {
			got.losses += int64(missing)
			t.Errorf("%d records are missing: %s", missing, c)
		}
	}
	for c, n := range have {
		if want[c] == 0 {
			got.strangers += int64(n)
			t.Errorf("the account has a record of no row: %s", c)
		}
	}
}

// told returns the result and the id in a row's line of a results file; "" where it has none.
func told(line []string, r row) (result, id string) {
	if at := source.ResultsBefore + len(r.cells); at < len(line) {
		id = line[at]
	}
	return line[2], id
}

// lines gives the lines of the last results file by their rows.
func lines(t *testing.T, got *tally, dir string) map[int][]string {
	book := newest(t, got, dir)
	if book == nil {
		t.Fatal("there is no results file")
	}
	all := map[int][]string{}
	for _, line := range book {
		n, err := strconv.Atoi(line[0])
		check(t, err)
		if all[n] != nil {
			got.lies++
			t.Errorf("row %d stands twice in the results file", n)
		}
		all[n] = line
	}
	return all
}

// newest gives the lines of the last results file, and opens all of them: a
// run that was killed while it wrote one must leave none or a whole one.
func newest(t *testing.T, got *tally, dir string) [][]string {
	names, err := filepath.Glob(filepath.Join(dir, "deals-results*.xlsx"))
	check(t, err)
	var last string
	best := -1
	for _, name := range names {
		f, err := excelize.OpenFile(name)
		if err != nil {
			got.halves++
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		check(t, f.Close())
		n := 1
		if rest, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(name), ".xlsx"), "deals-results-"); ok {
			n, err = strconv.Atoi(rest)
			check(t, err)
		}
		if n > best {
			best, last = n, name
		}
	}
	if last == "" {
		return nil
	}
	f, err := excelize.OpenFile(last)
	check(t, err)
	defer f.Close()
	lines, err := f.GetRows("All rows", excelize.Options{RawCellValue: true})
	check(t, err)
	for i, l := range lines {
		for len(l) < 3 {
			l = append(l, "")
		}
		lines[i] = l
	}
	return lines[1:]
}
