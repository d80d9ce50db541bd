package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/source"
	"leadload/mapping"
)

// TestMarksTellWhatChanged takes files past a full ledger of which all marks are read, and
// says of each row what a look at its record says.
func TestMarksTellWhatChanged(t *testing.T) {
	defer func(n int) { identsAfter = n }(identsAfter)
	identsAfter = 100
	const rows = 20 * Batch
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := sqlite.Open(filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	line := func(n int) string { return fmt.Sprintf("K%d,p%d@example.com,Deal %d,City %d", n, n, n, n%7) }
	file := func(header string, lines []string) *source.File {
		path := filepath.Join(t.TempDir(), "rows.csv")
		f.Check(os.WriteFile(path, []byte(header+"\n"+strings.Join(lines, "\n")+"\n"), 0o600))
		file, err := source.Open(path, source.Options{})
		f.Check(err)
		t.Cleanup(func() { file.Close() })
		return file
	}
	parsed := func(text string) *mapping.Mapping {
		m, err := mapping.Parse("m.yaml", []byte(text))
		f.Check(err)
		return m
	}
	const header = "Key,Email,Name,City"
	text := strings.Replace(keyed, "mx_Custom_1: Name", "mx_Custom_1: Name, mx_Custom_2: City", 1)
	m := parsed(text)
	var lines []string
	for n := range rows {
		lines = append(lines, line(n))
	}
	load := func(m *mapping.Mapping, in *source.File) []ledger.Row {
		program, err := m.Compile(in.Header())
		f.Check(err)
		run := f.Run()
		p := Import{File: in, Mapping: m, Program: program, Planner: f.Planner(run)}
		_, err = p.Run(t.Context())
		f.Check(err)
		return f.Rows(run)
	}
	first := load(m, file(header, lines))
	for part := range slices.Chunk(first, 256) {
		var intents []ledger.Intent
		for _, row := range part {
			intents = append(intents, ledger.Intent{Record: row.Record, At: time.Now(), Payload: ledger.Payload{Target: "opportunity", Body: "{}"}})
		}
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Reserved, intents...))
	}
	for i, row := range first {
		out := ledger.Outcome{Record: row.Record, State: ledger.Loaded, ID: ledgertest.GUID(i)}
		switch i {
		case 7000:
			out.State = ledger.Duplicate
		case 7001:
			out.Code, out.Msg = "account.partial", "words"
		case 7002:
			out.State, out.ID = ledger.Rejected, ""
		}
		f.Store.SettleLater(f.Lease, out, f.Check)
	}
	f.Check(f.Store.Flush())
	check := func(m *mapping.Mapping, in *source.File) (got map[int]ledger.Verdict, marked int) {
		t.Helper()
		program, err := m.Compile(in.Header())
		f.Check(err)
		c := Check{File: in, Mapping: m, Program: program, Store: f.Store, Scope: f.Scope, Marks: true}
		got = map[int]ledger.Verdict{}
		_, err = c.Run(t.Context(), func(row *Row) error {
			if got[row.Number] = row.Verdict; row.marked {
				marked++
			}
			return nil
		})
		f.Check(err)
		return got, marked
	}
	say := func(what string, got map[int]ledger.Verdict, marked, least int, others map[int]ledger.Verdict) {
		t.Helper()
		for n := 2; n < len(got)+2; n++ {
			want, other := others[n]
			if !other {
				want = ledger.Already
			}
			if got[n] != want {
				t.Errorf("%s: row %d is decided as %d, want %d", what, n, got[n], want)
			}
		}
		if marked < least {
			t.Errorf("%s: %d of %d rows were known by their marks, want %d", what, marked, len(got), least)
		}
	}
	const most = rows / 2
	odd := map[int]ledger.Verdict{7004: ledger.Due} // the rejected one
	got, marked := check(m, file(header, lines))
	say("the same file", got, marked, most, odd)

	changed, want := append([]string(nil), lines...), map[int]ledger.Verdict{7004: ledger.Due}
	for n := 3000; n < rows; n += 500 {
		changed[n] += " more"
		want[n+2] = ledger.Changed
	}
	changed[6500], want[6502] = lines[6400], ledger.Repeated
	changed[6600], want[6602] = line(rows+1), ledger.Due
	changed[6700] = "K6700,nobody,Deal,x" // its record stays what it is
	got, marked = check(m, file(header, changed))
	say("some rows changed", got, marked, most, want)

	// Rows from the middle gone, and rows in another order.
	got, marked = check(m, file(header, append(append([]string(nil), lines[:2000]...), lines[7100:]...)))
	say("rows gone", got, marked, 1, nil)
	var turned []string
	for n := rows - 1; n >= 0; n-- {
		turned = append(turned, lines[n])
	}
	got, marked = check(m, file(header, turned))
	say("from the end to the beginning", got, marked, rows/4, map[int]ledger.Verdict{rows - 7002 + 1: ledger.Due})

	// The same cells under other names, and as another mapping reads them, are not the same rows.
	got, marked = check(m, file("Key,Email,City,Name", lines))
	if marked != 0 || got[5000] != ledger.Changed {
		t.Errorf("another header: %d rows are known by their marks, one is decided as %d", marked, got[5000])
	}
	got, marked = check(parsed(strings.Replace(text, "Name,", "{join: [Name, City]},", 1)), file(header, lines))
	if marked != 0 || got[5000] != ledger.Changed {
		t.Errorf("another mapping: %d rows are known by their marks, one is decided as %d", marked, got[5000])
	}
}
