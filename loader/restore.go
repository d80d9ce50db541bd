package loader

import (
	"context"
	"fmt"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/send"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/mapping"
)

// RestoreResult is what a restoration found in a results file.
type RestoreResult struct {
	Added   int64 // new to the ledger
	Known   int64 // the ledger knew them
	Rows    int64 // rows of the results file
	Left    int64 // rows that are in no account: invalid, rejected, not sent, skipped
	Changed int64 // rows in the account whose columns no longer map as they did, with Reasons
	Reasons []string
}

// Restore writes into a ledger what a results file says is in the account, for
// a ledger that was lost or for a second machine. file is a results
// workbook's sheet of all rows, or a results CSV. No call is made.
func Restore(ctx context.Context, led ledger.Store, acct account.Account, m *mapping.Mapping, file *source.File) (RestoreResult, error) {
	var res RestoreResult
	if !file.Info().Results {
		return res, fault.New("usage", "name a results file that leadload wrote, with its input's columns", "this is no results file: its columns do not begin with %s", strings.Join(source.ResultColumns, ", "))
	}
	program, err := Compile(m, file, "")
	if err != nil {
		return res, err
	}
	file.Need(program.Reads())
	if len(acct.Names()) == 0 {
		return res, fault.New("account.setting", "add --account FILE, or set LEADSQUARED_HOST and LEADSQUARED_ACCESS_KEY", "which account the rows are in is not known")
	}
	id, err := led.Enroll(ctx, acct.Display(), acct.Names())
	if err != nil {
		return res, err
	}
	scope, err := led.Scope(ctx, id, target.For(m.Target).Scope(m).String())
	if err != nil {
		return res, err
	}
	ex := plan.NewExaminer(m, program.Runner())
	seen := map[[16]byte]int{}
	var batch []ledger.Adopted
	flush := func() error {
		n, err := led.Adopt(ctx, scope, batch)
		res.Added += n
		res.Known += int64(len(batch)) - n
		batch = batch[:0]
		return err
	}
	for row, err := range file.Rows() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return res, err
		}
		res.Rows++
		out := map[string]string{}
		for i, name := range source.ResultColumns {
			out[name] = row.Outcome[i].Text
		}
		r := ledger.Adopted{ID: strings.TrimSpace(out["ID"]), LeadID: strings.TrimSpace(out["Lead ID"])}
		r.Sent, _ = time.Parse(time.DateTime, strings.TrimSpace(out["Sent at"])) // a row loaded by an earlier run has none
		result, _ := ledger.ParseResult(strings.TrimSpace(out["Result"]))
		switch result {
		case ledger.ResultLoaded, ledger.ResultUpdated, ledger.ResultAlready:
			r.State = ledger.Loaded
		case ledger.ResultDuplicate:
			r.State = ledger.Duplicate
		case ledger.ResultInDoubt, ledger.ResultPending:
			// A pending row's request id is not in this sheet, so it is looked for as a row in doubt.
			r.State = ledger.InDoubt
		default:
			res.Left++
			continue
		}
		r.Entry = ex.Entry(row)
		if r.Entry.Verdict != 0 {
			res.Changed++
			if len(res.Reasons) < 10 {
				res.Reasons = append(res.Reasons, fmt.Sprintf("row %d (%s): %s", row.Number, r.ID, r.Entry.Msg))
			}
			continue
		}
		r.Entry.Number = row.Origin
		occurrence := 1
		if !r.Entry.HasKey {
			seen[r.Entry.Identity]++
			occurrence = seen[r.Entry.Identity]
		}
		r.Entry.Ident = r.Entry.IdentOf(occurrence)
		if r.State == ledger.InDoubt {
			if r.Sent.IsZero() {
				r.Sent = time.Now()
			}
			r.Payload = send.RowOf(m, 0, row.Number, &ex.Record).Payload
		}
		if batch = append(batch, r); len(batch) == plan.Batch {
			if err := flush(); err != nil {
				return res, err
			}
		}
	}
	return res, flush()
}
