package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// Shared returns the records that have an id which another one has as well.
func (l *Ledger) Shared(ctx context.Context, account int64) (out []ledger.SharedRecord, err error) {
	err = l.query(ctx, `SELECT r.remote, r.id, s.target, r.lead FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope
		WHERE s.account = $1 AND r.fate = 2 AND r.remote IN (
			SELECT o.remote FROM leadload.records o JOIN leadload.scopes t ON t.id = o.scope WHERE t.account = $1 AND o.fate = 2 AND o.remote <> '' GROUP BY o.remote HAVING count(*) > 1)
		ORDER BY r.remote, r.id`, []any{account}, func(rows pgx.Rows) error {
		out = out[:0]
		for rows.Next() {
			var r ledger.SharedRecord
			var remote, lead []byte
			if err := rows.Scan(&remote, &r.Record, &r.Target, &lead); err != nil {
				return err
			}
			r.ID, r.Lead = string(remote), string(lead)
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

// Disown takes its id from a loaded record, whose creation is in doubt from then on.
func (l *Ledger) Disown(_ context.Context, lease ledger.Lease, out ledger.Outcome) error {
	var refused error
	err := l.write(work{lease: lease.Account, records: []int64{out.Record}, do: refusable(func(u *unit) error {
		if err := u.holds(lease); err != nil {
			return err
		}
		r := u.records[out.Record]
		if r == nil || r.account != lease.Account || r.fate != ledger.Present {
			return fmt.Errorf("%w: record %d has no id to be taken from it", ledger.ErrState, out.Record)
		}
		r.fate, r.remote, r.lead, r.changed = ledger.Absent, "", "", true
		// What later calls have written went to another row's record.
		for k, o := range u.ops {
			if k.record == out.Record {
				*o = operation{stands: o.stands, changed: true}
			}
		}
		o := u.op(opKey{out.Record, ledger.Create})
		*o = operation{stands: o.stands, changed: true, account: lease.Account, state: ledger.InDoubt, token: lease.Token, sent: r.sent, ended: r.sent, payload: []byte{},
			code: out.Code, msg: out.Msg, hint: out.Hint, candidates: strings.Join(out.Candidates, " ")}
		return nil
	}, &refused)})
	return errors.Join(err, refused)
}
