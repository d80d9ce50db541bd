package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"leadload/loader/ledger"
)

const plannedRow = `SELECT r.fate, r.remote, r.lead, r.key, r.sent, r.run, s.target,
	coalesce(c.state, 0), coalesce(u.state, 0), coalesce(d.state, 0), coalesce(d.sent, -1), d.candidates
	FROM records r JOIN scopes s ON s.id = r.scope LEFT JOIN operations c ON c.record = r.id AND c.op = 0
	LEFT JOIN operations u ON u.record = r.id AND u.op = 1 LEFT JOIN operations d ON d.record = r.id AND d.op = 2 WHERE r.id = ?`

// Planned returns the rows of a run that it planned to send and that have a record.
func (l *Ledger) Planned(ctx context.Context, run int64) iter.Seq2[ledger.Planned, error] {
	return func(yield func(ledger.Planned, error) bool) {
		if err := l.planned(ctx, run, yield); err != nil {
			yield(ledger.Planned{}, err)
		}
	}
}

func (l *Ledger) planned(ctx context.Context, run int64, yield func(ledger.Planned, error) bool) error {
	stmt, err := l.prepared(ctx, plannedRow)
	if err != nil {
		return l.fault(err)
	}
	some := false
	var c chunkReader
	for from := 0; ; {
		ok, err := c.next(ctx, l, run, from, false)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		for i := range c.rows {
			row := &c.rows[i]
			from, some = row.Number+1, true
			if row.Record == 0 || !row.HasState() {
				continue
			}
			m := ledger.Planned{Number: row.Number, Line: row.Line, Origin: row.Origin, Verdict: row.Verdict, Record: row.Record}
			var remote, lead any
			var key, had sql.NullString
			var sent, undone int64
			err := stmt.QueryRowContext(ctx, row.Record).Scan(&m.Fate, &remote, &lead, &key, &sent, &m.Run, &m.Target, &m.Creation, &m.Change, &m.Undo, &undone, &had)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return l.fault(err)
			}
			m.ID, m.LeadID, m.Key, m.UndoID = idText(remote), idText(lead), key.String, had.String
			m.Sent, m.UndoSent = ledger.Moment(sent), ledger.Moment(undone)
			if !yield(m, nil) {
				return nil
			}
		}
	}
	if !some {
		return l.pruned(ctx, run)
	}
	return nil
}
