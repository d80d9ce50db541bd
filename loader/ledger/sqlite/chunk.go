package sqlite

import (
	"context"
	"slices"

	"leadload/loader/ledger"
)

// chunk writes rows of a run as they were decided.
func (w *writer) chunk(run int64, entries []ledger.Entry) error {
	for len(entries) > 0 {
		n := min(len(entries), ledger.ChunkRows)
		part := entries[:n]
		first := part[0].Number
		if _, err := w.exec("INSERT INTO chunks (run, first, rows, words) VALUES (?,?,?,?)", run, first, ledger.PackRows(make([]byte, 0, 10*n), first, part), ledger.PackWords(part)); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// chunkReader reads the chunks of runs, one at a time.
type chunkReader struct {
	rows  []ledger.PlannedRow
	run   int64
	first int
}

// next reads the first chunk of a run that begins at from or later; with back,
// the last one that begins at from or earlier. It reports whether there is one.
func (c *chunkReader) next(ctx context.Context, l *Ledger, run int64, from int, back bool) (bool, error) {
	text := "SELECT first, rows, words FROM chunks WHERE run = ? AND first >= ? ORDER BY first LIMIT 1"
	if back {
		text = "SELECT first, rows, words FROM chunks WHERE run = ? AND first <= ? ORDER BY first DESC LIMIT 1"
	}
	c.rows, c.run, c.first = c.rows[:0], 0, 0
	stmt, err := l.prepared(ctx, text)
	if err != nil {
		return false, l.fault(err)
	}
	rows, err := stmt.QueryContext(ctx, run, from)
	if err != nil {
		return false, l.fault(err)
	}
	defer rows.Close()
	if !rows.Next() {
		return false, l.fault(rows.Err())
	}
	var packed, words []byte
	if err := rows.Scan(&c.first, &packed, &words); err != nil {
		return false, l.fault(err)
	}
	if c.rows, err = ledger.Unpack(c.rows, c.first, packed, words); err != nil {
		return false, &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.path), Msg: err.Error(), Hint: corruptHint}
	}
	c.run = run
	return true, l.fault(rows.Err())
}

// row returns one row of a run.
func (c *chunkReader) row(ctx context.Context, l *Ledger, run int64, number int) (ledger.PlannedRow, bool, error) {
	if c.run != run || len(c.rows) == 0 || number < c.first || number > c.rows[len(c.rows)-1].Number {
		if ok, err := c.next(ctx, l, run, number, true); !ok || err != nil {
			return ledger.PlannedRow{}, false, err
		}
	}
	i, found := slices.BinarySearchFunc(c.rows, number, func(r ledger.PlannedRow, n int) int { return r.Number - n })
	if !found {
		return ledger.PlannedRow{}, false, nil
	}
	return c.rows[i], true, nil
}
