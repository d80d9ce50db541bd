package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/source"
	"leadload/mapping"
)

const keyed = "version: 1\ntarget: opportunity\nkey: Key\nsearch_by: EmailAddress\nLeadDetails:\n  EmailAddress: {column: Email, type: email}\nOpportunity:\n  OpportunityEventCode: 12000\n  Fields: {mx_Custom_1: Name}\n"

// TestCheckAndImportAgree says that a check decides about every row as an
// import does, on random files beside random ledgers.
func TestCheckAndImportAgree(t *testing.T) {
	defer func(n int) { identsAfter = n }(identsAfter)
	seen, unfit := map[ledger.Verdict]int{}, map[string]int{} // unfit by whether the fault is the file's
	for seed := range 24 {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		text := keyed
		if seed%2 == 1 { // without a key
			text = strings.Replace(keyed, "key: Key\n", "", 1)
		}
		identsAfter = 100 + 400*r.IntN(4) // known before, at, or after the end of the file
		m, err := mapping.Parse("m.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "ledger.db")
		f := ledgertest.New(t, func(t testing.TB) ledger.Store {
			l, err := sqlite.Open(path, sqlite.Options{Unsafe: true})
			if err != nil {
				t.Fatal(err)
			}
			return l
		})
		write := func(rows int) *source.File {
			var b strings.Builder
			b.WriteString("Key,Email,Name\n")
			for range rows {
				k := r.IntN(900)
				email := fmt.Sprintf("p%d@example.com", k)
				if r.IntN(20) == 0 {
					email = "nobody"
				}
				name := k
				if r.IntN(6) == 0 {
					name += 1000
				}
				mark := ""
				if r.IntN(30) == 0 {
					mark = "\x00" // a fault of the file, beside the key
				}
				fmt.Fprintf(&b, "K%d,%s,Deal%s %d\n", k, email, mark, name)
			}
			path := filepath.Join(t.TempDir(), "rows.csv")
			f.Check(os.WriteFile(path, []byte(b.String()), 0o600))
			file, err := source.Open(path, source.Options{})
			f.Check(err)
			t.Cleanup(func() { file.Close() })
			return file
		}
		load := func(file *source.File) (out []ledger.Row) {
			program, err := m.Compile(file.Header())
			f.Check(err)
			run := f.Run()
			pass := Import{File: file, Mapping: m, Program: program, Planner: f.Planner(run)}
			if _, err := pass.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			return f.Rows(run)
		}
		for i, row := range load(write(400)) {
			if row.Verdict != ledger.Due {
				continue
			}
			f.Check(f.Sending(row.Record))
			switch i % 5 {
			case 0:
				f.Check(f.Settle(row.Record, ledger.InDoubt, ""))
			case 1:
				f.Check(f.Settle(row.Record, ledger.Rejected, ""))
			default:
				f.Check(f.Settle(row.Record, ledger.Loaded, ledgertest.GUID(i)))
			}
		}
		file := write(700)
		program, err := m.Compile(file.Header())
		f.Check(err)
		var checked []ledger.Entry
		pass := Check{File: file, Mapping: m, Program: program, Store: f.Store, Scope: f.Scope, Marks: true}
		if _, err := pass.Run(t.Context(), func(row *Row) error {
			checked = append(checked, row.Entry)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		rows := load(file)
		if len(rows) != len(checked) {
			t.Fatalf("seed %d: the import has %d rows, the check %d", seed, len(rows), len(checked))
		}
		for i, row := range rows {
			e := checked[i]
			seen[row.Verdict]++
			if e.Unfit {
				unfit[fmt.Sprint(strings.Contains(e.Msg, "NUL"))]++
			}
			if row.Number != e.Number || row.Verdict != e.Verdict || row.Verdict == ledger.Due && row.State != e.State || row.Verdict != ledger.Due && row.Error != e.Msg {
				t.Fatalf("seed %d, row %d: the import says %d, %s, %q; the check %d, %s, %q", seed, row.Number, row.Verdict, row.State, row.Error, e.Verdict, e.State, e.Msg)
			}
		}
	}
	if unfit["true"] == 0 || unfit["false"] == 0 {
		t.Errorf("rows that are loaded and unfit now: %v", unfit)
	}
	for _, v := range []ledger.Verdict{ledger.Due, ledger.Invalid, ledger.Already, ledger.Repeated, ledger.Changed} {
		if seen[v] == 0 {
			t.Errorf("no row was decided as %d", v)
		}
	}
}
