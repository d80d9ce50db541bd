package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

// manyEntries are rows of twelve fields with a key of twelve bytes.
func manyEntries(n int) []ledger.Entry {
	var d ledger.Digester
	names := [...]string{"LeadDetails.EmailAddress", "LeadDetails.Phone", "LeadDetails.FirstName", "LeadDetails.mx_City", "Opportunity.OpportunityNote", "Opportunity.OpportunityDateTime",
		"Fields.mx_Custom_1", "Fields.mx_Custom_2", "Fields.Status", "Fields.mx_Custom_6", "Fields.mx_Custom_9", "Fields.mx_Custom_3"}
	out := make([]ledger.Entry, n)
	for i := range out {
		key := fmt.Sprintf("D-%010d", i)
		e := ledgertest.Entry(i+2, key)
		e.Digest = d.Digest(len(names), func(k int) (string, string) { return names[k], fmt.Sprint(key, k) })
		out[i] = e
	}
	return out
}

const planBatch = 512

// planAll plans a file's rows as an import does.
func planAll(f *ledgertest.Fixture, run int64, entries []ledger.Entry) {
	f.T.Helper()
	p := f.Planner(run)
	for i := 0; i < len(entries); i += planBatch {
		batch := entries[i:min(i+planBatch, len(entries))]
		for k := range batch {
			batch[k].Verdict, batch[k].State = 0, 0
		}
		f.Check(p.Plan(f.T.Context(), batch))
	}
}

// sendAll sends planned rows as an import does when there is no limit.
func sendAll(f *ledgertest.Fixture, entries []ledger.Entry) {
	const chunk = 256
	body := fmt.Sprintf("%0600d", 0)
	var wg sync.WaitGroup
	for i := 0; i < len(entries); i += chunk {
		part := entries[i:min(i+chunk, len(entries))]
		intents := make([]ledger.Intent, len(part))
		at := time.Now()
		for k := range part {
			intents[k] = ledger.Intent{Record: part[k].Record, At: at, Payload: ledger.Payload{Target: "opportunity", Body: body, Lead: "x"}}
		}
		f.Check(f.Store.Intend(f.T.Context(), f.Lease, ledger.Reserved, intents...))
		wg.Add(len(part))
		for k := range part {
			n := i + k
			f.Store.SettleLater(f.Lease, ledger.Outcome{Record: part[k].Record, State: ledger.Loaded, ID: ledgertest.GUID(n), LeadID: ledgertest.GUID(n + 1<<20)}, func(err error) {
				if err != nil {
					f.T.Error(err)
				}
				wg.Done()
			})
		}
	}
	wg.Wait()
}

// TestSize holds the ledger to what a row may take: loaded, and in a nightly
// run in which nothing has changed.
func TestSize(t *testing.T) {
	rows := 20_000
	path := filepath.Join(t.TempDir(), "ledger.db")
	size := func() float64 {
		info, err := os.Stat(path)
		check(t, err)
		return float64(info.Size()) / float64(rows)
	}
	at := func() *ledgertest.Fixture {
		return ledgertest.New(t, func(t testing.TB) ledger.Store { return open(t, path, Options{Unsafe: true}) })
	}
	f := at()
	entries := manyEntries(rows)
	planAll(f, f.Run(), entries)
	sendAll(f, entries)
	check(t, f.Store.Close())
	loaded := size()
	if loaded > 260 {
		t.Errorf("%.0f bytes for a loaded row, want at most 260", loaded)
	}
	const nights = 3
	f = at()
	for range nights {
		planAll(f, f.Run(), entries)
	}
	check(t, f.Store.Close())
	night := (size() - loaded) / nights
	if night > 15 {
		t.Errorf("%.1f bytes for an unchanged row of a night, want at most 15", night)
	}
	t.Logf("%.0f bytes for a loaded row, %.1f for a night", loaded, night)
}
