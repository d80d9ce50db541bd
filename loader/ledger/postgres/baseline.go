package postgres

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// baselineKey names a field of a record or a lead.
type baselineKey struct {
	account   int64
	id, field string
}

func (u *unit) flushBaselines() {
	if len(u.baselines) == 0 {
		return
	}
	var accounts, sent, second, at []int64
	var ids [][]byte
	var fields []string
	var leads []bool
	for _, k := range slices.SortedFunc(maps.Keys(u.baselines), func(a, b baselineKey) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.id, b.id), cmp.Compare(a.field, b.field))
	}) {
		l, when := u.baselines[k], int64(0)
		if !l.At.IsZero() {
			when = l.At.UnixMilli()
		}
		accounts, ids, fields, leads = append(accounts, k.account), append(ids, []byte(k.id)), append(fields, k.field), append(leads, l.Lead)
		sent, second, at = append(sent, int64(l.Sent)), append(second, int64(l.Second)), append(at, when)
	}
	clear(u.baselines)
	u.add(`INSERT INTO leadload.baselines (account, id, field, lead, sent, second, at)
		SELECT account, id, field, lead, sent, second, at FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::boolean[], $5::bigint[], $6::bigint[], $7::bigint[]) AS t(account, id, field, lead, sent, second, at)
		ON CONFLICT (account, id, field) DO UPDATE SET lead = excluded.lead, sent = excluded.sent, second = excluded.second, at = excluded.at`,
		accounts, ids, fields, leads, sent, second, at)
}

// Drop forgets values that updates met before a moment. What the account made of
// a value stays known, and what leads were sent.
func (l *Ledger) Drop(_ context.Context, before time.Time) error {
	return l.write(work{do: func(u *unit) error {
		if err := u.put("DELETE FROM leadload.kept WHERE at < $1", before.UnixMilli()); err != nil {
			return err
		}
		return u.put("DELETE FROM leadload.baselines WHERE NOT lead AND second = 0 AND at < $1", before.UnixMilli())
	}})
}

// Unkeep forgets the values that the updates of a run met.
func (l *Ledger) Unkeep(_ context.Context, run int64) error {
	return l.write(work{do: func(u *unit) error {
		return u.put("DELETE FROM leadload.kept WHERE run = $1", run)
	}})
}

// Wrote returns what is kept of what updates have written into records.
func (l *Ledger) Wrote(ctx context.Context, records []int64) (map[int64][]ledger.Kept, error) {
	out := map[int64][]ledger.Kept{}
	err := l.query(ctx, "SELECT record, run, number, field, had, has, result, at FROM leadload.kept WHERE result = $1 AND record = ANY($2) ORDER BY run DESC", []any{int64(ledger.ResultUpdated), records}, func(rows pgx.Rows) error {
		clear(out)
		for rows.Next() {
			var k ledger.Kept
			var number, result, at int64
			var had, has []byte
			if err := rows.Scan(&k.Record, &k.Run, &number, &k.Field, &had, &has, &result, &at); err != nil {
				return err
			}
			k.Row, k.Had, k.Has, k.Result, k.At = int(number), string(had), string(has), ledger.Result(result), ledger.Moment(at)
			out[k.Record] = append(out[k.Record], k)
		}
		return nil
	})
	return out, err
}

// Keep writes down what the account has by now of fields of updated records.
func (l *Ledger) Keep(_ context.Context, lease ledger.Lease, list []ledger.Kept) error {
	var fenced error
	err := l.write(work{lease: lease.Account, do: refusable(func(u *unit) error {
		if err := u.holds(lease); err != nil {
			return err
		}
		for _, k := range list {
			if err := u.put(`INSERT INTO leadload.kept (record, run, number, field, had, has, result, at, moved, became) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,1,$9)
				ON CONFLICT (run, record, field) DO UPDATE SET moved = 1, became = excluded.became`,
				k.Record, k.Run, int64(k.Row), k.Field, []byte(k.Had), []byte(k.Has), int64(k.Result), k.At.UnixMilli(), []byte(k.Became)); err != nil {
				return err
			}
		}
		return nil
	}, &fenced)})
	return errors.Join(err, fenced)
}

// Baselines returns what is known of fields of records and leads.
func (l *Ledger) Baselines(ctx context.Context, account int64, ids []string) (out []ledger.Baseline, err error) {
	err = l.query(ctx, "SELECT id, field, lead, sent, second, at FROM leadload.baselines WHERE account = $1 AND id = ANY($2) ORDER BY id, field", []any{account, bytesOf(ids)}, func(rows pgx.Rows) error {
		out = out[:0]
		for rows.Next() {
			var b ledger.Baseline
			var id []byte
			var sent, second, at int64
			if err := rows.Scan(&id, &b.Field, &b.Lead, &sent, &second, &at); err != nil {
				return err
			}
			if b.ID, b.Sent, b.Second = string(id), uint32(sent), uint32(second); at != 0 {
				b.At = ledger.Moment(at)
			}
			out = append(out, b)
		}
		return nil
	})
	return out, err
}

// SentToLeads returns what rows sent last into fields of leads.
func (l *Ledger) SentToLeads(ctx context.Context, account int64, leads, fields []string) (out []ledger.Baseline, err error) {
	var records []int64
	sent := map[int64]time.Time{}
	err = l.query(ctx, `SELECT r.id, r.sent FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope
		WHERE s.account = $1 AND r.fate IN (2, 3) AND r.lead = ANY($2) ORDER BY r.id`, []any{account, bytesOf(leads)}, func(rows pgx.Rows) (err error) {
		records = records[:0]
		var id, at int64
		_, err = pgx.ForEachRow(rows, []any{&id, &at}, func() error {
			records, sent[id] = append(records, id), time.UnixMilli(at)
			return nil
		})
		return err
	})
	if err != nil || len(records) == 0 {
		return nil, err
	}
	known := make([]ledger.Record, len(records))
	if err := l.Recall(ctx, records, known); err != nil {
		return nil, err
	}
	for i := range known {
		for _, f := range fields {
			if p := known[i].Print(f); p != 0 {
				out = append(out, ledger.Baseline{ID: known[i].Lead, Lead: true, Field: strings.Clone(f), Sent: p, At: sent[known[i].ID]})
			}
		}
	}
	return ledger.NewestSent(out), nil
}

// bytesOf returns ids as they are kept.
func bytesOf(ids []string) [][]byte {
	out := make([][]byte, len(ids))
	for i, id := range ids {
		out[i] = []byte(id)
	}
	return out
}
