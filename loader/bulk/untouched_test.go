package bulk

import (
	"context"
	"errors"
	"testing"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/send"
	"leadload/loader/update"
	"leadload/mapping"
)

// full is a ledger on a disk that has no room.
type full struct{ ledger.Store }

var errFull = errors.New("no space left")

func (full) Settle(context.Context, ledger.Lease, ledger.Outcome) error { return errFull }

func (full) SettleLater(_ ledger.Lease, _ ledger.Outcome, done func(error)) { done(errFull) }

// Of a call that failed as a whole, one row has nothing left to write and another has.
// The ledger cannot keep that the other is as it was: each row still ends once.
func TestRowsEndOnceWhenTheLedgerFails(t *testing.T) {
	row := func(record int64, changes ...ledger.FieldChange) item {
		e := &ledger.Edit{ID: "id", LeadID: "lead", Code: 12000, Changes: changes}
		return item{Row: &send.Row{Record: record, Op: ledger.Update, Payload: ledger.Payload{Target: string(mapping.Opportunity), Edit: e}}}
	}
	list := []item{row(1), row(2, ledger.FieldChange{Part: string(mapping.OfLead), Field: "LeadDetails.City", Value: "Bern"})}
	ended := map[int64]int{}
	l := &Lane{Ledger: full{}, Updater: &update.Updater{}}
	b := &batch{Lane: l, calls: updates{l}, kind: send.Updates, end: func(j *send.Row, _ ledger.Outcome) { ended[j.Record]++ }}
	rows, err := b.lookAgain(context.Background(), list, leadsquared.Outcome{Verdict: leadsquared.InDoubt, Message: "it failed"})
	if !errors.Is(err, errFull) || len(rows) != 0 {
		t.Errorf("rows %v, error %v; the error of the ledger is expected, and no rows", rows, err)
	}
	for _, it := range list {
		if n := ended[it.Record]; n != 1 {
			t.Errorf("row %d has ended %d times", it.Record, n)
		}
	}
}
