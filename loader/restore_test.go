package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/words"
	"leadload/mapping"
)

// resultsHead is the header of a results file of the columns Deal, Email and Name.
const resultsHead = "Row,Key,Result,Error,What to do,Deal,Email,Name,ID,Lead ID,Attempts,Sent at\n"

// restore takes results files as the sheets of one.
func (b *bench) restore(texts ...string) (RestoreResult, []RestoredRow, error) {
	b.t.Helper()
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	m, err := mapping.Parse("deals.yaml", []byte(b.mapping))
	check(b.t, err)
	var told []RestoredRow
	j := RestoreJob{Mapping: m, Tell: func(r RestoredRow) { told = append(told, r) }}
	for i, text := range texts {
		path := filepath.Join(b.dir, fmt.Sprintf("results-%d.csv", i))
		check(b.t, os.WriteFile(path, []byte(resultsHead+text), 0o600))
		f, err := source.Open(path, source.Options{})
		check(b.t, err)
		defer f.Close()
		j.Files = append(j.Files, f)
	}
	res, err := s.Restore(b.t.Context(), j)
	return res, told, err
}

// TestRestoreEveryTarget rebuilds a lost ledger. What the account no longer has is
// not taken, and what another row has is no record of its own.
func TestRestoreEveryTarget(t *testing.T) {
	for _, target := range mapping.Targets() {
		bubble(t, string(target), func(t *testing.T) {
			form := targetForms[target]
			b := newBench(t, sandbox.Options{AsyncDelay: 5 * time.Second})
			defer b.close()
			b.mapping = form.mapping
			rows := []string{"D0,a@example.com,A", "D1,a@example.com,B", "D2,b@example.com,C", "D3,b@example.com,D"}
			for _, email := range []string{"a@example.com", "b@example.com"} {
				_, err := b.account.AddLead(map[string]string{"EmailAddress": email})
				check(t, err)
			}
			path := b.deals(rows...)
			loaded, err := b.load(t.Context(), path)
			check(t, err)
			var lines []string
			var ids []string
			for i, r := range b.rows(loaded) {
				ids = append(ids, r.ID)
				lines = append(lines, fmt.Sprintf("%d,%s,%s,,,%s,%s,%s,1,2026-01-31 10:00:00\n", i+2, r.Key, []string{"loaded", "rejected", "already loaded", "loaded"}[i], rows[i], r.ID, r.LeadID))
			}
			lines = append(lines, "6,D4,loaded,,,D4,b@example.com,E,"+ids[3]+",,1,\n", "7,D5,rejected,,,D5,b@example.com,F,,,1,\n")
			check(t, b.account.DeleteRecord(ids[2]))
			b.lose()
			got, told, err := b.restore(strings.Join(lines[:3], ""), strings.Join(lines[3:], ""))
			want := words.LedgerImport.Counts()
			for at, n := range map[int]int64{words.WrittenDown: 4, words.NotThere: 1, words.NeverLoaded: 1} {
				want.Add(at, n)
			}
			if err != nil || got.Totals.String() != want.String() || got.End != fault.Person {
				t.Fatalf("%v, %s, end %v", err, got.Totals, got.End)
			}
			if len(told) != 2 || told[0].ID != ids[2] || told[0].Result != words.NotThere || told[1].Row != 6 || told[1].ID != ids[3] {
				t.Errorf("told: %+v", told)
			}
			if !form.leads && got.Calls > 5 {
				t.Errorf("%d calls for four ids", got.Calls)
			}
			again, _, err := b.restore(lines...)
			if err != nil || again.Totals.N[words.InLedger] != 4 || again.Totals.N[words.WrittenDown] != 0 {
				t.Errorf("again: %v, %s", err, again.Totals)
			}
			res, err := b.load(t.Context(), b.deals(append(rows, "D4,b@example.com,E")...))
			if err != nil || res.Totals[ledger.ResultAlready] != 4 || res.Totals[ledger.ResultLoaded] != 1 {
				t.Errorf("%v, %s", err, res.Totals)
			}
		})
	}
}

// TestRestoreMovedIDs does not believe ids that stand beside other rows than their
// own: the records carry other keys. Such rows are looked up.
func TestRestoreMovedIDs(t *testing.T) {
	for _, target := range mapping.Targets() {
		bubble(t, string(target), func(t *testing.T) {
			form := targetForms[target]
			b := newBench(t, sandbox.Options{AsyncDelay: 5 * time.Second})
			defer b.close()
			b.mapping = strings.Replace(form.mapping, ": Name", ": Deal", 1)
			for _, email := range []string{"a@example.com", "b@example.com"} {
				_, err := b.account.AddLead(map[string]string{"EmailAddress": email})
				check(t, err)
			}
			deals := []string{"D0,a@example.com,A", "D1,a@example.com,B", "D2,b@example.com,C", "D3,b@example.com,D"}
			path := b.deals(deals...)
			loaded, err := b.load(t.Context(), path)
			check(t, err)
			rows := b.rows(loaded)
			var lines []string
			for i, r := range rows {
				id := r.ID
				if i > 0 {
					id = rows[1+i%3].ID // D0 alone keeps its own
				}
				lines = append(lines, fmt.Sprintf("%d,%s,already loaded,,,%s,%s,,1,\n", i+2, r.Key, deals[i], id))
			}
			b.lose()
			got, told, err := b.restore(lines...)
			want := words.LedgerImport.Counts()
			want.Add(words.WrittenDown, 1)
			want.Add(words.StillOpen, 3)
			if err != nil || got.Totals.String() != want.String() || len(told) != 3 || !strings.Contains(told[0].Why, "carries the key \"D2\"") || told[0].ID != rows[2].ID {
				t.Fatalf("%v, %s, told %+v", err, got.Totals, told)
			}
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultAlready]+res.Totals[ledger.ResultLoaded] != 4 {
				t.Errorf("%v, %s", err, res.Totals)
			}
			for i, r := range b.rows(res) {
				if r.ID != rows[i].ID {
					t.Errorf("row %d has the id %q, not %q", i, r.ID, rows[i].ID)
				}
			}
		})
	}
}

// TestRestoreEqualRows goes on counting rows that say the same from sheet to sheet.
func TestRestoreEqualRows(t *testing.T) {
	bubble(t, "two sheets", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping = strings.Replace(b.mapping, "key: Deal\n", "", 1)
		path := b.deals("D,a@example.com,A", "D,a@example.com,A")
		loaded, err := b.load(t.Context(), path)
		check(t, err)
		var lines []string
		for i, r := range b.rows(loaded) {
			lines = append(lines, fmt.Sprintf("%d,,loaded,,,D,a@example.com,A,%s,%s,1,\n", i+2, r.ID, r.LeadID))
		}
		b.lose()
		if got, _, err := b.restore(lines...); err != nil || got.Totals.N[words.WrittenDown] != 2 {
			t.Errorf("%v, %s", err, got.Totals)
		}
		if res, err := b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultAlready] != 2 {
			t.Errorf("%v, %s", err, res.Totals)
		}
	})
}
