package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"leadload/loader/ledger"
)

// Keyed returns the records that people know by a key, those of one account or
// with 0 of all.
func (l *Ledger) Keyed(ctx context.Context, account int64, key string) ([]int64, error) {
	return l.numbers(ctx, "SELECT r.id FROM records r JOIN scopes s ON s.id = r.scope WHERE r.key = ?1 AND (?2 = 0 OR s.account = ?2) ORDER BY r.id", key, account)
}

// Forget makes records what they were before they were first sent. Their
// identities stay: to take one out would hide another whose hash it has moved on.
func (l *Ledger) Forget(ctx context.Context, lease ledger.Lease, records []int64) (int64, error) {
	return l.leased(lease, records, func(w *writer, id int64) (bool, error) {
		var remote any
		if err := w.row("SELECT remote FROM records WHERE id = ?", id).Scan(&remote); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
		n, err := w.changes(`UPDATE records SET fate = 1, remote = ?2, lead = ?2, attempts = 0, resends = 0, sent = ?3, lost = 0
			WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM payloads p WHERE p.record = records.id AND length(p.payload) > 0)
			AND EXISTS (SELECT 1 FROM scopes s WHERE s.id = records.scope AND s.account = ?4)`, id, none, neverSent, lease.Account)
		if err != nil || n == 0 {
			return false, err
		}
		for _, text := range []string{
			"DELETE FROM operations WHERE record = ?", "DELETE FROM payloads WHERE record = ?",
			"DELETE FROM kept WHERE record = ?", "DELETE FROM offers WHERE record = ?",
		} {
			if _, err := w.exec(text, id); err != nil {
				return false, err
			}
		}
		_, err = w.exec("DELETE FROM baselines WHERE account = ? AND id = ?", lease.Account, remote)
		return true, err
	})
}

// leased calls do for records under a lease, in one transaction, and returns for how
// many it was true.
func (l *Ledger) leased(lease ledger.Lease, records []int64, do func(w *writer, id int64) (bool, error)) (int64, error) {
	var n int64
	var fenced error
	err := l.write(refusable(func(w *writer) error {
		n = 0
		if err := w.holds(lease); err != nil {
			return err
		}
		for _, id := range records {
			done, err := do(w, id)
			if err != nil {
				return err
			}
			if done {
				n++
			}
		}
		return nil
	}, &fenced))
	return n, errors.Join(err, fenced)
}

// History returns what the runs had to do with records, the oldest run first.
func (l *Ledger) History(ctx context.Context, records []int64) iter.Seq2[ledger.Event, error] {
	r := rowReader{l: l}
	return ledger.Past{Runs: l.Runs, Last: l.last, Each: r.each, Pruned: l.pruned}.History(ctx, records)
}

// last returns the runs that planned last to send records.
func (l *Ledger) last(ctx context.Context, records []int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	for _, id := range records {
		var run int64
		if err := l.db.QueryRowContext(ctx, "SELECT run FROM records WHERE id = ?", id).Scan(&run); err != nil {
			return nil, l.fault(err)
		}
		out[id] = run
	}
	return out, nil
}
