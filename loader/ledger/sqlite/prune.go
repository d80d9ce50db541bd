package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"leadload/loader/ledger"
)

// Prune drops the rows of runs that ended before a moment, and keeps their
// counts. Then it writes the file anew without the space that they took, which
// SQLite does not give back by itself.
func (l *Ledger) Prune(ctx context.Context, before time.Time) (ledger.Pruned, error) {
	var out ledger.Pruned
	was := l.size()
	runs, err := l.oldRuns(ctx, before)
	if err != nil {
		return out, err
	}
	for _, run := range runs {
		t, err := l.Tally(ctx, run)
		if err != nil {
			return out, err
		}
		if err := l.write(func(w *writer) error { return w.prune(run, t) }); err != nil {
			return out, err
		}
		out.Runs++
		out.Rows += t.Counts().Sum()
	}
	if err := l.vacuum(); err != nil {
		return out, err
	}
	out.Freed = max(was-l.size(), 0)
	return out, nil
}

// oldRuns returns the runs with rows that ended before a moment. One that was
// cut off has no end: its beginning tells its age.
func (l *Ledger) oldRuns(ctx context.Context, before time.Time) ([]int64, error) {
	return l.numbers(ctx, "SELECT id FROM runs WHERE coalesce(ended, started) < ? AND EXISTS (SELECT 1 FROM chunks c WHERE c.run = runs.id) ORDER BY id", before.UnixMilli())
}

// prune drops the rows of one run, and what calls that ended well had to say
// of them: nobody would read it any more.
func (w *writer) prune(run int64, t ledger.Tally) error {
	for verdict, states := range t {
		for state, n := range states {
			if _, err := w.exec("INSERT INTO tallies (run, verdict, state, n) VALUES (?,?,?,?)", run, verdict, state, n); err != nil {
				return err
			}
		}
	}
	if _, err := w.exec("DELETE FROM operations WHERE state > 5 AND state < 8 AND record IN (SELECT id FROM records WHERE run = ?)", run); err != nil {
		return err
	}
	if _, err := w.exec("DELETE FROM gone WHERE run = ?", run); err != nil {
		return err
	}
	_, err := w.exec("DELETE FROM chunks WHERE run = ?", run)
	return err
}

// vacuum writes the file anew.
func (l *Ledger) vacuum() error { return l.outside("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)") }

// outside runs statements that SQLite cannot run in the group's transaction.
func (l *Ledger) outside(list ...string) error {
	var failed error
	err := l.write(func(w *writer) error {
		ctx := context.Background()
		if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
			return err
		}
		for _, q := range list {
			if _, err := w.conn.ExecContext(ctx, q); err != nil {
				failed = errors.Join(failed, err)
			}
		}
		_, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	})
	if err == nil && failed != nil {
		err = l.fault(failed)
	}
	return err
}

// size returns how much the ledger takes on disk.
func (l *Ledger) size() (n int64) {
	for _, end := range []string{"", "-wal"} {
		if info, err := os.Stat(l.path + end); err == nil {
			n += info.Size()
		}
	}
	return n
}

// tallied returns the counts of a run whose rows were dropped.
func (l *Ledger) tallied(ctx context.Context, run int64) (ledger.Tally, error) {
	t := ledger.Tally{}
	rows, err := l.db.QueryContext(ctx, "SELECT verdict, state, n FROM tallies WHERE run = ?", run)
	if err != nil {
		return t, l.fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v ledger.Verdict
		var s ledger.State
		var n int64
		if err := rows.Scan(&v, &s, &n); err != nil {
			return t, l.fault(err)
		}
		t.Add(v, s, n)
	}
	return t, l.fault(rows.Err())
}

// pruned returns an error when the rows of a run were dropped.
func (l *Ledger) pruned(ctx context.Context, run int64) error {
	t, err := l.tallied(ctx, run)
	if err != nil || len(t) == 0 {
		return err
	}
	return &ledger.Error{Code: "ledger.pruned", Place: ledger.At(l.path), Msg: fmt.Sprintf("the rows of run %d were dropped by leadload ledger prune", run),
		Hint: "its results file still has them; leadload runs shows its totals"}
}
