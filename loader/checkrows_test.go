package loader

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"leadload/internal/sandbox"
	"leadload/loader/pace"
	"leadload/loader/source"
)

func TestKeySetKnowsFirstRows(t *testing.T) {
	var s keySet
	key := func(i int) (h [16]byte) {
		binary.LittleEndian.PutUint64(h[:8], uint64(i%7)) // collisions of the first half
		binary.LittleEndian.PutUint64(h[8:], uint64(i))
		return h
	}
	const n = 3000
	for i := range n {
		if got := s.add(key(i), i+2); got != i+2 {
			t.Fatalf("key %d is new, and was found in row %d", i, got)
		}
	}
	for i := range n {
		if got := s.add(key(i), n+i+2); got != i+2 {
			t.Fatalf("key %d came first in row %d, got %d", i, i+2, got)
		}
	}
}

// TestCheckKeepsTheOrder goes through more rows than fit into all batches: faults
// come in the order of the file, and no row is lost or seen twice.
func TestCheckKeepsTheOrder(t *testing.T) {
	const rows = 40*checkBatch + 3
	var b strings.Builder
	b.WriteString("Key,Email\n")
	var want []string
	for i := range rows {
		email := fmt.Sprintf("p%d@example.com", i)
		key := fmt.Sprint(i)
		switch {
		case i%10 == 3:
			email = "nobody"
			want = append(want, fmt.Sprint(i+2, " email.syntax"))
		case i%1000 == 999:
			key = "0" // repeated
			want = append(want, fmt.Sprint(i+2, " row.repeated"))
		}
		fmt.Fprintf(&b, "%s,%s\n", key, email)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := source.Open(path, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := parseMapping(t, "version: 1\ntarget: opportunity\nkey: Key\nsearch_by: EmailAddress\nLeadDetails:\n  EmailAddress: Email\nOpportunity:\n  OpportunityEventCode: 12000\n  Fields: {Status: {value: Open}, mx_Custom_3: Key}\n")
	var got []string
	var seen int64
	res, err := Check(context.Background(), CheckJob{
		Job: Job{Input: path, File: f, Mapping: m}, Account: Account{Limit: DefaultLimit},
		OnFault: func(x Fault) { got = append(got, fmt.Sprint(x.Row, " ", x.Code)) },
		OnRow:   func(n int64) { seen = n },
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %d faults, want %d in the order of the file", len(got), len(want))
	}
	if seen != rows || res.Totals.Sum() != rows || res.Plan.Ready != rows-int64(len(want)) {
		t.Errorf("saw %d rows, %+v, want %d", seen, res.Totals, rows)
	}

	// Cut off in between, it ends with the cause.
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Check(ctx, CheckJob{Job: Job{Input: path, File: f, Mapping: m}, Account: Account{Limit: DefaultLimit}, OnRow: func(n int64) {
		if n == 500 {
			cancel()
		}
	}})
	if err != context.Canceled {
		t.Errorf("a check that is cut off ends with %v, want %v", err, context.Canceled)
	}
}

// TestCheckBesideALedger says that a check decides as the plan of an import
// does, also once the ledger's records have been read as a whole, for rows that
// are known, changed, repeated and new, before and after that moment.
func TestCheckBesideALedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{Calls: sandbox.NoLimit})
		defer b.close()
		b.o.Account.Limit = pace.Unlimited
		const loaded = 600
		if res, err := b.load(t.Context(), b.many(loaded)); err != nil || res.Totals.Loaded != loaded {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		for _, known := range []int{0, 30} { // rows of a hundred that are known: few or many
			var rows []string
			for i := range 30_000 {
				switch {
				case i%100 < known:
					rows = append(rows, fmt.Sprintf("D%d,own%d@example.com,Deal %d", i%loaded, i%loaded, i%loaded))
				case i%1000 == 990:
					rows = append(rows, fmt.Sprintf("D%d,own%d@example.com,Another name", 30+i/1000, 30+i/1000))
				case i%1000 == 991:
					rows = append(rows, fmt.Sprintf("D%d,own%d@example.com,Deal %d", 500+i/1000, 500+i/1000, 500+i/1000))
				case i%1000 == 992:
					rows = append(rows, fmt.Sprintf("N%d,new%d@example.com,New", 29_999-i, i))
				default:
					rows = append(rows, fmt.Sprintf("N%d,new%d@example.com,New", i, i))
				}
			}
			path := b.deals(rows...)
			f, err := source.Open(path, source.Options{})
			check(t, err)
			m := parseMapping(t, b.mapping)
			var faults []string
			res, err := Check(t.Context(), CheckJob{Job: Job{Input: "deals.csv", File: f, Mapping: m}, Account: b.o.Account, Ledger: b.led,
				OnFault: func(x Fault) { faults = append(faults, fmt.Sprint(x.Row, " ", x.Code)) }})
			check(t, errors.Join(err, f.Close()))

			b.confirm = func(Plan) error { return errors.New("enough") }
			planned, _ := b.load(t.Context(), path)
			b.confirm = nil
			if res.Plan.PlanCounts != planned.Plan.PlanCounts {
				t.Errorf("checked %+v\nplanned %+v", res.Plan.PlanCounts, planned.Plan.PlanCounts)
			}
			if c := res.Plan.PlanCounts; c.Already == 0 || c.Changed == 0 || c.Repeated == 0 || c.Ready == 0 {
				t.Errorf("a kind of row is missing: %+v", c)
			}
			var want []string
			for _, r := range b.rows(planned) {
				if r.Code == "row.changed" || r.Code == "row.repeated" {
					want = append(want, fmt.Sprint(r.Number, " ", r.Code))
				}
			}
			if strings.Join(faults, "\n") != strings.Join(want, "\n") {
				t.Errorf("%d rows are told, want %d", len(faults), len(want))
			}
		}
	})
}
