package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"leadload/loader/ledger"
)

// baseline writes down what is known of a field of a record or a lead.
func (w *writer) baseline(account int64, b *ledger.Baseline) error {
	at := int64(0)
	if !b.At.IsZero() {
		at = b.At.UnixMilli()
	}
	_, err := w.exec(`INSERT INTO baselines (account, id, field, lead, sent, second, at) VALUES (?,?,?,?,?,?,?)
		ON CONFLICT (account, id, field) DO UPDATE SET lead = excluded.lead, sent = excluded.sent, second = excluded.second, at = excluded.at`,
		account, idBytes(b.ID), b.Field, b.Lead, b.Sent, b.Second, at)
	return err
}

// Drop forgets values that updates met before a moment. What the account made of
// a value stays known, and what leads were sent.
func (l *Ledger) Drop(ctx context.Context, before time.Time) error {
	return l.jot(func(w *writer) error {
		if _, err := w.exec("DELETE FROM kept WHERE at < ?", before.UnixMilli()); err != nil {
			return err
		}
		_, err := w.exec("DELETE FROM baselines WHERE lead = 0 AND second = 0 AND at < ?", before.UnixMilli())
		return err
	})
}

// Unkeep forgets the values that the updates of a run met.
func (l *Ledger) Unkeep(_ context.Context, run int64) error {
	return l.write(func(w *writer) error {
		_, err := w.exec("DELETE FROM kept WHERE run = ?", run)
		return err
	})
}

// moved keeps the values of rows that are reported as changed.
func (w *writer) moved(run int64, entries []ledger.Entry) error {
	now := time.Now().UnixMilli()
	for i := range entries {
		for _, k := range entries[i].Moved {
			if _, err := w.exec(`INSERT INTO kept (record, run, row, field, had, has, result, at) VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (run, record, field) DO NOTHING`,
				k.Record, run, k.Row, k.Field, k.Had, k.Has, k.Result, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// Wrote returns what is kept of what updates have written into records.
func (l *Ledger) Wrote(ctx context.Context, records []int64) (map[int64][]ledger.Kept, error) {
	ids := make([]any, len(records))
	for i, r := range records {
		ids[i] = r
	}
	out := map[int64][]ledger.Kept{}
	err := l.among(ctx, "SELECT record, run, row, field, had, has, result, at FROM kept WHERE result = ? AND record", "run DESC", ledger.ResultUpdated, ids, func(rows *sql.Rows) error {
		var k ledger.Kept
		var at int64
		err := rows.Scan(&k.Record, &k.Run, &k.Row, &k.Field, &k.Had, &k.Has, &k.Result, &at)
		k.At = time.UnixMilli(at).UTC()
		out[k.Record] = append(out[k.Record], k)
		return err
	})
	return out, err
}

// Keep writes down what the account has by now of fields of updated records.
func (l *Ledger) Keep(ctx context.Context, lease ledger.Lease, list []ledger.Kept) error {
	var fenced error
	err := l.write(refusable(func(w *writer) error {
		if err := w.holds(lease); err != nil {
			return err
		}
		for _, k := range list {
			if _, err := w.exec(`INSERT INTO kept (record, run, row, field, had, has, result, at, moved, became) VALUES (?,?,?,?,?,?,?,?,1,?)
				ON CONFLICT (run, record, field) DO UPDATE SET moved = 1, became = excluded.became`,
				k.Record, k.Run, k.Row, k.Field, k.Had, k.Has, k.Result, k.At.UnixMilli(), k.Became); err != nil {
				return err
			}
		}
		return nil
	}, &fenced))
	return errors.Join(err, fenced)
}

// manyIDs bounds the ids that one statement names.
const manyIDs = 2000

// among runs a query for some ids, as many at a time as one statement may name, and
// calls each for every row. text ends in the column that is to have one of the ids,
// and has a place for what stands before them.
func (l *Ledger) among(ctx context.Context, text, order string, before any, ids []any, each func(*sql.Rows) error) error {
	for part := range slices.Chunk(ids, manyIDs) {
		if err := l.amongFew(ctx, text+" IN ("+places("?", len(part))+") ORDER BY "+order, append([]any{before}, part...), each); err != nil {
			return l.fault(err)
		}
	}
	return nil
}

func (l *Ledger) amongFew(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error {
	rows, err := l.db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// idsBytes returns ids as they are kept.
func idsBytes(ids []string) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = idBytes(id)
	}
	return out
}

// Baselines returns what is known of fields of records and leads.
func (l *Ledger) Baselines(ctx context.Context, account int64, ids []string) (out []ledger.Baseline, err error) {
	err = l.among(ctx, "SELECT id, field, lead, sent, second, at FROM baselines WHERE account = ? AND id", "id, field", account, idsBytes(ids), func(rows *sql.Rows) error {
		var b ledger.Baseline
		var id any
		var at int64
		err := rows.Scan(&id, &b.Field, &b.Lead, &b.Sent, &b.Second, &at)
		if b.ID = idText(id); at != 0 {
			b.At = time.UnixMilli(at)
		}
		out = append(out, b)
		return err
	})
	return out, err
}

// SentToLeads returns what rows sent last into fields of leads. All records are
// gone through, some hundred thousand in a second: an index of their leads would
// cost every row some bytes, and few nights write into leads.
func (l *Ledger) SentToLeads(ctx context.Context, account int64, leads, fields []string) (out []ledger.Baseline, err error) {
	err = l.among(ctx, "SELECT r.lead, r.shape, r.prints, r.sent FROM records r JOIN scopes s ON s.id = r.scope WHERE s.account = ? AND r.fate IN (2, 3) AND r.lead", "r.id", account, idsBytes(leads), func(rows *sql.Rows) error {
		var r ledger.Record
		var lead any
		var of, sent int64
		if err := rows.Scan(&lead, &of, &r.Prints, &sent); err != nil {
			return err
		}
		known, err := l.shapeOf(ctx, of)
		r.Names = known.names
		for _, f := range fields {
			if p := r.Print(f); p != 0 {
				out = append(out, ledger.Baseline{ID: idText(lead), Lead: true, Field: strings.Clone(f), Sent: p, At: time.UnixMilli(sent)})
			}
		}
		return err
	})
	return ledger.NewestSent(out), err
}
