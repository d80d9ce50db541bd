package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

// TestOverwritesWhatIsNoLongerNeeded reads the ledger's file as anybody who copies it
// can: what was sent is in it while its fate is open, and an account's value while it is
// kept. Afterwards the file has neither, also where no row lies any more.
func TestOverwritesWhatIsNoLongerNeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	f := fixtureAt(t, path)
	const sent, had = "Qv7#kRz2_Lm9!xWc4", "Tj5%bNy8-Hg3?pDs6"
	run := f.Run()
	rows := f.Plan(run, ledgertest.Entry(2, "A", "Name", "a"), ledgertest.Entry(3, "B", "Name", "b"))
	for _, e := range rows {
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, ledger.Intent{Record: e.Record, At: time.Now(),
			Payload: ledger.Payload{Target: "opportunity", Body: `{"Name":"` + sent + `"}`}}))
	}
	f.Check(f.Store.Keep(t.Context(), f.Lease, []ledger.Kept{{Record: rows[0].Record, Run: run, Row: 2, Field: "Name", Had: had, Result: ledger.ResultUpdated, At: time.Now()}}))
	// reads closes the ledger, so that all of it is in the one file, and looks for both.
	reads := func(when string, want bool) {
		t.Helper()
		f.Reopen()
		data, err := os.ReadFile(path)
		check(t, err)
		for what, text := range map[string]string{"what was sent": sent, "the account's value": had} {
			if bytes.Contains(data, []byte(text)) != want {
				t.Errorf("%s: the file has %s: %v", when, what, !want)
			}
		}
	}
	reads("while both are needed", true)
	for i, e := range rows {
		f.Check(f.Settle(e.Record, ledger.Loaded, ledgertest.GUID(i+1)))
	}
	f.Check(f.Store.Unkeep(t.Context(), run))
	reads("afterwards", false)
}
