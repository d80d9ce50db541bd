package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"leadload/loader/ledger"
)

// Shared returns the records that have an id which another one has as well.
func (l *Ledger) Shared(ctx context.Context, account int64) ([]ledger.SharedRecord, error) {
	rows, err := l.db.QueryContext(ctx, `
SELECT r.remote, r.id, s.target, r.lead FROM records r JOIN scopes s ON s.id = r.scope
WHERE s.account = ?1 AND r.fate = 2 AND r.remote <> ?2 AND substr(r.remote, 1, 6) IN (
	SELECT substr(remote, 1, 6) FROM records WHERE fate = 2 GROUP BY 1 HAVING count(*) > 1)
AND EXISTS (SELECT 1 FROM records o JOIN scopes t ON t.id = o.scope
	WHERE substr(o.remote, 1, 6) = substr(r.remote, 1, 6) AND o.fate = 2 AND o.remote = r.remote AND o.id <> r.id AND t.account = ?1)
ORDER BY r.remote, r.id`, account, none)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []ledger.SharedRecord
	for rows.Next() {
		var r ledger.SharedRecord
		var remote, lead any
		if err := rows.Scan(&remote, &r.Record, &r.Target, &lead); err != nil {
			return nil, l.fault(err)
		}
		r.ID, r.Lead = idText(remote), idText(lead)
		out = append(out, r)
	}
	return out, l.fault(errors.Join(rows.Err(), rows.Close()))
}

// Disown takes its id from a loaded record, whose creation is in doubt from then on.
func (l *Ledger) Disown(ctx context.Context, lease ledger.Lease, o ledger.Outcome) error {
	var refused error
	err := l.write(refusable(func(w *writer) error {
		if err := w.holds(lease); err != nil {
			return err
		}
		n, err := w.changes(`UPDATE records SET fate = 1, remote = ?2, lead = ?2 WHERE id = ?1 AND fate = 2
			AND EXISTS (SELECT 1 FROM scopes s WHERE s.id = records.scope AND s.account = ?3)`, o.Record, none, lease.Account)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: record %d has no id to be taken from it", ledger.ErrState, o.Record)
		}
		// What later calls have written went to another row's record.
		for _, text := range []string{"DELETE FROM operations WHERE record = ?", "DELETE FROM payloads WHERE record = ?"} {
			if _, err := w.exec(text, o.Record); err != nil {
				return err
			}
		}
		if _, err := w.exec("INSERT INTO operations (record, op, account, state, token, call, sent, ended, attempts, code, msg, hint, candidates) SELECT id, 0, ?2, ?3, ?4, 0, sent, sent, 0, ?5, ?6, ?7, ?8 FROM records WHERE id = ?1",
			o.Record, lease.Account, ledger.InDoubt, lease.Token, null(o.Code), null(o.Msg), null(o.Hint), null(strings.Join(o.Candidates, " "))); err != nil {
			return err
		}
		_, err = w.exec("INSERT INTO payloads (record, op, payload) VALUES (?, 0, x'')", o.Record)
		return err
	}, &refused))
	return errors.Join(err, refused)
}

// owned reports whether another record of the account has the id of an outcome.
func (w *writer) owned(account int64, o *ledger.Outcome) (bool, error) {
	for _, id := range ledger.Spellings(o.ID) {
		var owner int64
		err := w.row(ownerOf+" AND r.id <> ?3 LIMIT 1", idBytes(id), account, o.Record).Scan(&owner)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	return false, nil
}
