package loader

import (
	"context"
	"fmt"
	"iter"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/send"
)

// due goes through the file again, beside the plan, and yields the rows that are due.
func (r *run) due(ctx context.Context) iter.Seq2[*send.Row, error] {
	return func(yield func(*send.Row, error) bool) {
		planned, stop := iter.Pull2(r.led.Rows(ctx, r.id))
		defer stop()
		rows, stopRows := iter.Pull2(r.job.File.Rows())
		defer stopRows()
		ex := plan.NewExaminer(r.job.Mapping, r.program.Runner())
		ex.Brief = true
		for {
			p, err, ok := planned()
			if err != nil {
				yield(nil, err)
				return
			}
			row, rowErr, rowOK := rows()
			if !ok && !rowOK {
				return
			}
			if rowErr != nil {
				yield(nil, r.fileChanged(p.Number, rowErr))
				return
			}
			if ok != rowOK || p.Number != row.Number || p.Fingerprint != row.Fingerprint() {
				n := p.Number
				if !ok {
					n = row.Number
				}
				yield(nil, r.fileChanged(n, nil))
				return
			}
			if p.Verdict != ledger.Due || p.State != ledger.Ready {
				continue
			}
			// What only the plan needs of a row, its hashes, was made in the first pass.
			if e := ex.Entry(row); e.Verdict != 0 { // the same row with the same mapping cannot turn out otherwise
				yield(nil, &fault.Fault{Code: "run.unsteady", Msg: fmt.Sprintf("row %d was mapped in two ways: %s", row.Number, e.Msg), Hint: "report this; nothing was sent from this row on"})
				return
			}
			if !yield(send.RowOf(r.job.Mapping, p.Record, row.Number, &ex.Record), nil) {
				return
			}
		}
	}
}

func (r *run) fileChanged(row int, err error) error {
	e := fault.New("file.changed", "run the same command again: rows already loaded are not sent twice", "%s changed while it was being loaded, at row %d; nothing was sent from there on", r.job.Input, row)
	e.Err = err
	return e
}
