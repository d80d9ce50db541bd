package plan

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/source"
	"leadload/mapping"
)

// askedStore counts how many identities it was asked for.
type askedStore struct {
	ledger.Store
	asked int
}

func (s *askedStore) Known(ctx context.Context, scope int64, idents []ledger.Ident, out []ledger.Record) error {
	s.asked += len(idents)
	return s.Store.Known(ctx, scope, idents, out)
}

// TestEqualRowsAskOnceEach says that many rows with the same values and no key are each
// looked up a few times and not as often as there are rows before it, also beside a
// mapping that has named them otherwise.
func TestEqualRowsAskOnceEach(t *testing.T) {
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := sqlite.Open(filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	file := func(rows int, name string) *source.File {
		path := filepath.Join(t.TempDir(), "rows.csv")
		f.Check(os.WriteFile(path, []byte("Email,Name\n"+strings.Repeat("a@example.com,"+name+"\n", rows)), 0o600))
		in, err := source.Open(path, source.Options{})
		f.Check(err)
		t.Cleanup(func() { in.Close() })
		return in
	}
	was := strings.Replace(keyed, "key: Key\n", "", 1)
	now := strings.Replace(was, "mx_Custom_1: Name", "mx_Custom_1: Name, mx_Custom_2: {value: x}", 1)
	store := &askedStore{Store: f.Store}
	scope, err := f.Store.Scope(t.Context(), f.Acct, "opportunity:12000")
	f.Check(err)
	load := func(text string, in *source.File) (verdicts map[ledger.Verdict]int) {
		t.Helper()
		m, err := mapping.Parse("m.yaml", []byte(text))
		f.Check(err)
		run, err := f.Store.Begin(t.Context(), ledger.Run{Account: f.Acct, Command: "import", Mapping: fmt.Sprint("m", len(text), ".yaml"), Target: "opportunity", MappingHash: m.Hash, MappingText: text, Started: time.Now()})
		f.Check(err)
		earlier, err := NewEarlier(t.Context(), f.Store, scope, m, in)
		f.Check(err)
		program, err := m.Compile(in.Header())
		f.Check(err)
		store.asked = 0
		p := Import{File: in, Mapping: m, Program: program, Earlier: earlier, Planner: &ledger.Planner{Store: store, Lease: f.Lease, Run: run, Scope: scope}}
		_, err = p.Run(t.Context())
		f.Check(err)
		verdicts = map[ledger.Verdict]int{}
		for _, row := range f.Rows(run) {
			if verdicts[row.Verdict]++; row.Verdict == ledger.Due && row.Record != 0 {
				f.Load(row.Record, fmt.Sprint("id-", row.Record))
			}
		}
		return verdicts
	}
	const rows = 300
	asked := func(what string, got map[ledger.Verdict]int, v ledger.Verdict) {
		t.Helper()
		if got[v] != rows {
			t.Errorf("%s: decided %v", what, got)
		}
		if store.asked > 6*rows {
			t.Errorf("%s: %d rows asked %d times", what, rows, store.asked)
		}
	}
	asked("the first load", load(was, file(rows, "Deal")), ledger.Due)
	asked("the same rows, with another mapping", load(now, file(rows, "Deal")), ledger.Already)
	asked("new rows, with another mapping", load(now, file(rows, "Flat")), ledger.Due)
}
