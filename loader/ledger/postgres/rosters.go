package postgres

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// set reads a packed set of records from a table.
func (l *Ledger) set(ctx context.Context, from string, args ...any) (out ledger.Set, known bool, err error) {
	var packed []byte
	var most int64
	if known, err = l.one(ctx, "SELECT records, (SELECT coalesce(max(id), 0) FROM leadload.records) FROM leadload."+from, args, &packed, &most); err != nil || !known {
		return nil, false, err
	}
	if out, err = ledger.UnpackSet(packed, most); err != nil {
		return nil, false, &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.name), Msg: err.Error(), Hint: corruptHint}
	}
	return out, true, nil
}

// rosterHash names the roster of a file.
func rosterHash(f ledger.WholeFile) []byte {
	h := ledger.HashIdentity(strconv.FormatInt(f.Scope, 10), f.Path, f.Sheet)
	return h[:]
}

// Roster returns the records that runs of a whole file have had.
func (l *Ledger) Roster(ctx context.Context, f ledger.WholeFile) (ledger.Set, bool, error) {
	return l.set(ctx, "rosters WHERE hash = $1", rosterHash(f))
}

// Gone returns the records that a run's file no longer had.
func (l *Ledger) Gone(ctx context.Context, run int64) (ledger.Set, error) {
	out, _, err := l.set(ctx, "gone WHERE run = $1", run)
	return out, err
}

// Enlist writes the roster of a file and which of its records are gone from it.
func (l *Ledger) Enlist(_ context.Context, lease ledger.Lease, run int64, f ledger.WholeFile, all, gone ledger.Set) error {
	roster, missing := all.Pack(), gone.Pack()
	var fenced error
	err := l.write(work{lease: lease.Account, do: refusable(func(u *unit) error {
		if err := u.holds(lease); err != nil {
			return err
		}
		if err := u.put("INSERT INTO leadload.rosters (hash, scope, path, sheet, records) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO UPDATE SET records = excluded.records", rosterHash(f), f.Scope, []byte(f.Path), []byte(f.Sheet), roster); err != nil {
			return err
		}
		if len(missing) == 0 {
			return nil
		}
		return u.put("INSERT INTO leadload.gone (run, records) VALUES ($1, $2) ON CONFLICT (run) DO UPDATE SET records = excluded.records", run, missing)
	}, &fenced)})
	return errors.Join(err, fenced)
}

// Here returns those of some records that are in the account now.
func (l *Ledger) Here(ctx context.Context, records ledger.Set) (here ledger.Set, err error) {
	for first, last := range records.Ranges() {
		err := l.query(ctx, "SELECT id FROM leadload.records WHERE id BETWEEN $1 AND $2 AND fate IN (2, 3)", []any{first, last}, func(rows pgx.Rows) error {
			for rows.Next() {
				var record int64
				if err := rows.Scan(&record); err != nil {
					return err
				}
				if records.Has(record) {
					here.Add(record)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return here, nil
}

// Named returns the rows of those of some records that are in the account now.
func (l *Ledger) Named(ctx context.Context, records []int64) (out []ledger.Row, err error) {
	err = l.query(ctx, "SELECT id, fate, remote, lead, key, number FROM leadload.records WHERE fate IN (2, 3) AND id = ANY($1) ORDER BY id", []any{records}, func(rows pgx.Rows) error {
		out = out[:0]
		for rows.Next() {
			var r ledger.Row
			var fate int16
			var number int64
			var remote, lead, key []byte
			if err := rows.Scan(&r.Record, &fate, &remote, &lead, &key, &number); err != nil {
				return err
			}
			r.ID, r.LeadID, r.Key, r.Number, r.State = string(remote), string(lead), string(key), int(number), ledger.StateOf(ledger.Fate(fate), 0)
			out = append(out, r)
		}
		return nil
	})
	return out, err
}
