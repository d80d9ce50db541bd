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
	out := map[int64][]ledger.Kept{}
	for part := range slices.Chunk(records, manyIDs) {
		args := []any{ledger.ResultUpdated}
		for _, r := range part {
			args = append(args, r)
		}
		rows, err := l.db.QueryContext(ctx, "SELECT record, run, row, field, had, has, result, at FROM kept WHERE result = ? AND record IN ("+places("?", len(part))+") ORDER BY run DESC", args...)
		if err != nil {
			return nil, l.fault(err)
		}
		for rows.Next() {
			var k ledger.Kept
			var at int64
			if err := rows.Scan(&k.Record, &k.Run, &k.Row, &k.Field, &k.Had, &k.Has, &k.Result, &at); err != nil {
				rows.Close()
				return nil, l.fault(err)
			}
			k.At = time.UnixMilli(at).UTC()
			out[k.Record] = append(out[k.Record], k)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, l.fault(err)
		}
	}
	return out, nil
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

// Baselines returns what is known of fields of records and leads.
func (l *Ledger) Baselines(ctx context.Context, account int64, ids []string) (out []ledger.Baseline, err error) {
	for part := range slices.Chunk(ids, manyIDs) {
		args := []any{account}
		for _, id := range part {
			args = append(args, idBytes(id))
		}
		rows, err := l.db.QueryContext(ctx, "SELECT id, field, lead, sent, second, at FROM baselines WHERE account = ? AND id IN ("+places("?", len(part))+") ORDER BY id, field", args...)
		if err != nil {
			return nil, l.fault(err)
		}
		for rows.Next() {
			var b ledger.Baseline
			var id any
			var at int64
			if err := rows.Scan(&id, &b.Field, &b.Lead, &b.Sent, &b.Second, &at); err != nil {
				rows.Close()
				return nil, l.fault(err)
			}
			if b.ID = idText(id); at != 0 {
				b.At = time.UnixMilli(at)
			}
			out = append(out, b)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, l.fault(err)
		}
	}
	return out, nil
}

// SentToLeads returns what rows sent last into fields of leads. All records are
// gone through, some hundred thousand in a second: an index of their leads would
// cost every row some bytes, and few nights write into leads.
func (l *Ledger) SentToLeads(ctx context.Context, account int64, leads, fields []string) (out []ledger.Baseline, err error) {
	for part := range slices.Chunk(leads, manyIDs) {
		args := []any{account}
		for _, id := range part {
			args = append(args, idBytes(id))
		}
		rows, err := l.db.QueryContext(ctx, `SELECT r.lead, r.shape, r.prints, r.sent FROM records r JOIN scopes s ON s.id = r.scope
			WHERE s.account = ? AND r.fate IN (2, 3) AND r.lead IN (`+places("?", len(part))+") ORDER BY r.id", args...)
		if err != nil {
			return nil, l.fault(err)
		}
		if out, err = l.sent(ctx, out, rows, fields); err != nil {
			return nil, l.fault(err)
		}
	}
	return ledger.NewestSent(out), nil
}

func (l *Ledger) sent(ctx context.Context, out []ledger.Baseline, rows *sql.Rows, fields []string) ([]ledger.Baseline, error) {
	defer rows.Close()
	for rows.Next() {
		var r ledger.Record
		var lead any
		var of, sent int64
		if err := rows.Scan(&lead, &of, &r.Prints, &sent); err != nil {
			return out, err
		}
		known, err := l.shapeOf(ctx, of)
		if err != nil {
			return out, err
		}
		r.Names = known.names
		for _, f := range fields {
			if p := r.Print(f); p != 0 {
				out = append(out, ledger.Baseline{ID: idText(lead), Lead: true, Field: strings.Clone(f), Sent: p, At: time.UnixMilli(sent)})
			}
		}
	}
	return out, rows.Err()
}
