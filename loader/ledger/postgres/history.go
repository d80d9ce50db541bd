package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// Records yields the records of a scope that the query names, a page at a time.
func (l *Ledger) Records(ctx context.Context, q ledger.RecordQuery) iter.Seq2[ledger.Record, error] {
	text, of := "r.fate IN (2, 3) AND r.run IN (SELECT id FROM leadload.runs WHERE command = 'import' AND input_path = $2)", any([]byte(q.Path))
	if q.Run != 0 {
		text, of = "r.fate = 1 AND r.run = $2 AND NOT EXISTS (SELECT 1 FROM leadload.operations x WHERE x.record = r.id AND x.op = 0)", q.Run
	}
	return func(yield func(ledger.Record, error) bool) {
		var all ledger.Set // ordered here: the server would rather go through all records in order than sort a few
		err := l.query(ctx, "SELECT r.id FROM leadload.records r WHERE r.scope = $1 AND "+text, []any{q.Scope, of}, func(rows pgx.Rows) error {
			all = nil
			var id int64
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
				all.Add(id)
				return nil
			})
			return err
		})
		if err != nil {
			yield(ledger.Record{}, err)
			return
		}
		var part []int64
		var out [1024]ledger.Record
		given := func() bool {
			if err := l.Recall(ctx, part, out[:len(part)]); err != nil {
				yield(ledger.Record{}, err)
				return false
			}
			for i := range part {
				if !yield(out[i], nil) {
					return false
				}
			}
			part = part[:0]
			return true
		}
		for id := range all.All() {
			if part = append(part, id); len(part) == len(out) && !given() {
				return
			}
		}
		if len(part) > 0 {
			given()
		}
	}
}

// Keyed returns the records that people know by a key, those of one account or
// with 0 of all.
func (l *Ledger) Keyed(ctx context.Context, account int64, key string) (out []int64, err error) {
	err = l.query(ctx, "SELECT r.id FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope WHERE r.key = $1 AND ($2 = 0 OR s.account = $2) ORDER BY r.id", []any{[]byte(key), account}, func(rows pgx.Rows) (err error) {
		out, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	return out, err
}

// Forget makes records what they were before they were first sent.
func (l *Ledger) Forget(_ context.Context, lease ledger.Lease, records []int64) (int64, error) {
	return l.leased(lease, func(u *unit) ([]int64, error) {
		if err := u.put("DELETE FROM leadload.baselines b USING leadload.records r WHERE r.id = ANY($1) AND b.account = $2 AND b.id = r.remote AND NOT b.lead", records, lease.Account); err != nil {
			return nil, err
		}
		return u.numbers(`UPDATE leadload.records r SET fate = 1, remote = '', lead = '', attempts = 0, resends = 0, sent = -1, lost = false
			WHERE r.id = ANY($1) AND NOT EXISTS (SELECT 1 FROM leadload.operations o WHERE o.record = r.id AND o.state IN (2, 3, 4, 5, 12) AND o.payload <> '')
			AND EXISTS (SELECT 1 FROM leadload.scopes s WHERE s.id = r.scope AND s.account = $2) RETURNING r.id`, records, lease.Account)
	}, "operations", "kept", "offers")
}

// leased changes records under a lease and drops what tables have of those that do
// has changed, in one transaction. It returns their number.
func (l *Ledger) leased(lease ledger.Lease, do func(*unit) ([]int64, error), tables ...string) (int64, error) {
	var n int64
	var fenced error
	err := l.write(work{lease: lease.Account, do: refusable(func(u *unit) error {
		if err := u.holds(lease); err != nil {
			return err
		}
		done, err := do(u)
		if err != nil {
			return err
		}
		n = int64(len(done))
		for _, t := range tables {
			if err := u.put("DELETE FROM leadload."+t+" WHERE record = ANY($1)", done); err != nil {
				return err
			}
		}
		return nil
	}, &fenced)})
	return n, errors.Join(err, fenced)
}

// numbers is exec for a statement that returns numbers of records.
func (u *unit) numbers(text string, args ...any) (all []int64, err error) {
	if err := u.flush(); err != nil {
		return nil, err
	}
	var n int64
	u.add(text, args...).each(func() error {
		all = append(all, n)
		return nil
	}, &n)
	err = u.turn()
	return all, err
}

// History returns what the runs had to do with records, the oldest run first.
func (l *Ledger) History(ctx context.Context, records []int64) iter.Seq2[ledger.Event, error] {
	return ledger.Past{Runs: l.Runs, Last: l.last, Each: l.each, Pruned: l.pruned}.History(ctx, records)
}

// last returns the runs that planned last to send records.
func (l *Ledger) last(ctx context.Context, records []int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	err := l.query(ctx, "SELECT id, run FROM leadload.records WHERE id = ANY($1)", []any{records}, func(rows pgx.Rows) error {
		var id, run int64
		_, err := pgx.ForEachRow(rows, []any{&id, &run}, func() error {
			out[id] = run
			return nil
		})
		return err
	})
	return out, err
}
