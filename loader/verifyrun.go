package loader

import (
	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/target"
	"leadload/loader/words"
)

// run compares the records of a run with the account's.
func (v *verifier) run(id int64) error {
	runs, err := v.led.Runs(v.ctx, ledger.RunQuery{ID: id})
	switch {
	case err != nil:
		return err
	case len(runs) == 0:
		return fault.New("usage", "leadload runs lists the runs that the ledger has", "the ledger has no run %d", id)
	case runs[0].Account != v.acct:
		return fault.New("usage", "name the account that it was loaded into with --account", "run %d loaded into another account, %s", id, v.other(&runs[0]))
	}
	of, known := target.Stored(runs[0].Target)
	readable := false
	if known {
		v.reader, readable = of.(target.Reader)
	}
	if !readable {
		return fault.New("usage", "name a run of leadload import", "run %d, %s, has no records that can be read back", id, runs[0].Command)
	}
	n := 0
	for row, err := range v.led.Rows(v.ctx, id) {
		if err != nil {
			return err
		}
		if isThere(&row) {
			n++
		}
	}
	v.live.total.Store(int64(n))
	v.cost(n, n, []string{"values are not compared: name the file and its mapping to compare them"})
	v.live.phase.Store(Reading)
	for row, err := range v.led.Rows(v.ctx, id) {
		if err == nil {
			err = v.add(ofRun(&row))
		}
		if err != nil {
			return err
		}
	}
	return v.flush()
}

// isThere reports whether a row of a run has a record in the account.
func isThere(row *ledger.Row) bool {
	return row.ID != "" && row.State.Ended() && row.Verdict != ledger.Repeated && row.Verdict != ledger.Skipped
}

// ofRun returns a row of a run on its way.
func ofRun(row *ledger.Row) verifyRow {
	r := verifyRow{VerifiedRow: VerifiedRow{Row: row.Origin, Key: row.Key, ID: row.ID}}
	if r.Row == 0 {
		r.Row = row.Number
	}
	switch {
	case row.Verdict == ledger.Skipped || row.Verdict == ledger.Repeated:
		r.Result, r.Note = words.VerifySkipped, row.Error
	case isThere(row):
		r.record = row.Record
	default:
		if r.Result, r.Note = words.NotLoaded, row.Error; r.Note == "" {
			r.Note = row.Result.String()
		}
	}
	return r
}
