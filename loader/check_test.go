package loader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"leadload/internal/sandbox"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/pace"
	"leadload/loader/source"
)

// TestCheckKeepsTheOrder goes through more rows than fit into all batches: faults
// come in the order of the file, and no row is lost or seen twice.
func TestCheckKeepsTheOrder(t *testing.T) {
	const rows = 40*512 + 3
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
		Job: Job{Input: path, File: f, Mapping: m}, Account: account.Account{Limit: account.DefaultLimit},
		OnFault: func(x Fault) { got = append(got, fmt.Sprint(x.Row, " ", x.Code)) },
		OnRow:   func(n int64) { seen = n },
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %d faults, want %d in the order of the file", len(got), len(want))
	}
	if seen != rows || res.Totals.Sum() != rows || res.Plan.Ready() != rows-int64(len(want)) {
		t.Errorf("saw %d rows, %+v, want %d", seen, res.Totals, rows)
	}

	// Cut off in between, it ends with the cause.
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Check(ctx, CheckJob{Job: Job{Input: path, File: f, Mapping: m}, Account: account.Account{Limit: account.DefaultLimit}, OnRow: func(n int64) {
		if n == 500 {
			cancel()
		}
	}})
	if err != context.Canceled {
		t.Errorf("a check that is cut off ends with %v, want %v", err, context.Canceled)
	}
}

// TestCheckBesideALedger says that a check of more rows than the ledger is
// asked about one by one knows those that are loaded, changed, repeated and
// new, before and after that moment, and across it.
func TestCheckBesideALedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{Calls: sandbox.NoLimit})
		defer b.close()
		b.o.Account.Limit = pace.Unlimited
		const loaded = 600
		if res, err := b.load(t.Context(), b.many(loaded)); err != nil || res.Totals[ledger.ResultLoaded] != loaded {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		for _, known := range []int{0, 60} { // rows of a hundred that are known: few or most
			var want ledger.Counts
			var rows, told []string
			seen := map[string]bool{}
			add := func(key, name string, isLoaded, changed bool) {
				rows = append(rows, fmt.Sprintf("%s,own%s@example.com,%s", key, key[1:], name))
				switch {
				case seen[key]:
					want[ledger.ResultRepeated]++
					told = append(told, fmt.Sprint(len(rows)+1, " row.repeated"))
				case isLoaded && changed:
					want[ledger.ResultChanged]++
					told = append(told, fmt.Sprint(len(rows)+1, " row.changed"))
				case isLoaded:
					want[ledger.ResultAlready]++
				default:
					want[ledger.ResultWouldSend]++
				}
				seen[key] = true
			}
			for i := range 30_000 {
				k := i / 1000
				switch {
				case i%100 < known:
					add(fmt.Sprint("D", i%500), fmt.Sprint("Deal ", i%500), true, false)
				case i%1000 == 990:
					add(fmt.Sprint("D", 500+k), "Another name", true, true)
				case i%1000 == 991:
					add(fmt.Sprint("D", 550+k), fmt.Sprint("Deal ", 550+k), true, false)
				case i%1000 == 992:
					add(fmt.Sprint("N", 29_999-i), "New", false, false)
				default:
					add(fmt.Sprint("N", i), "New", false, false)
				}
			}
			path := b.deals(rows...)
			f, err := source.Open(path, source.Options{})
			check(t, err)
			var faults []string
			res, err := Check(t.Context(), CheckJob{Job: Job{Input: "deals.csv", File: f, Mapping: parseMapping(t, b.mapping)}, Account: b.o.Account, Ledger: b.led,
				OnFault: func(x Fault) { faults = append(faults, fmt.Sprint(x.Row, " ", x.Code)) }})
			check(t, errors.Join(err, f.Close()))
			if got := res.Plan.Rows; got != want || want[ledger.ResultAlready] == 0 || want[ledger.ResultChanged] == 0 || want[ledger.ResultRepeated] == 0 || want[ledger.ResultWouldSend] == 0 {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if strings.Join(faults, "\n") != strings.Join(told, "\n") {
				t.Errorf("%d rows are told, want %d", len(faults), len(told))
			}
		}
	})
}
