package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"leadload/loader/ledger"
)

// set reads a packed set of records.
func (l *Ledger) set(ctx context.Context, text string, args ...any) (ledger.Set, bool, error) {
	var packed []byte
	var most int64
	err := l.db.QueryRowContext(ctx, text, args...).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err == nil {
		err = l.db.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM records").Scan(&most)
	}
	if err != nil {
		return nil, false, l.fault(err)
	}
	out, err := ledger.UnpackSet(packed, most)
	if err != nil {
		return nil, false, &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.path), Msg: err.Error(), Hint: corruptHint}
	}
	return out, true, nil
}

// Roster returns the records that runs of a whole file have had.
func (l *Ledger) Roster(ctx context.Context, f ledger.WholeFile) (ledger.Set, bool, error) {
	return l.set(ctx, "SELECT records FROM rosters WHERE scope = ? AND path = ? AND sheet = ?", f.Scope, f.Path, f.Sheet)
}

// Gone returns the records that a run's file no longer had.
func (l *Ledger) Gone(ctx context.Context, run int64) (ledger.Set, error) {
	out, _, err := l.set(ctx, "SELECT records FROM gone WHERE run = ?", run)
	return out, err
}

// Enlist writes the roster of a file and which of its records are gone from it.
func (l *Ledger) Enlist(ctx context.Context, lease ledger.Lease, run int64, f ledger.WholeFile, all, gone ledger.Set) error {
	roster, missing := all.Pack(), gone.Pack()
	return l.jot(func(w *writer) error {
		if err := w.holds(lease); err != nil {
			return err
		}
		if _, err := w.exec("INSERT INTO rosters (scope, path, sheet, records) VALUES (?,?,?,?) ON CONFLICT (scope, path, sheet) DO UPDATE SET records = excluded.records", f.Scope, f.Path, f.Sheet, roster); err != nil {
			return err
		}
		if len(missing) == 0 {
			return nil
		}
		_, err := w.exec("INSERT INTO gone (run, records) VALUES (?,?) ON CONFLICT (run) DO UPDATE SET records = excluded.records", run, missing)
		return err
	})
}

// Here returns those of some records that are in the account now. Some thousands are
// read in one row: most of a row's time is not SQLite's.
func (l *Ledger) Here(ctx context.Context, records ledger.Set) (here ledger.Set, err error) {
	stmt, err := l.prepared(ctx, "SELECT coalesce(group_concat(id), '') FROM records WHERE id BETWEEN ? AND ? AND fate IN (2, 3)")
	if err != nil {
		return nil, l.fault(err)
	}
	for first, last := range records.Ranges() {
		var text string
		if err := stmt.QueryRowContext(ctx, first, last).Scan(&text); err != nil {
			return nil, l.fault(err)
		}
		for part := range strings.SplitSeq(text, ",") {
			if record, err := strconv.ParseInt(part, 10, 64); err == nil && records.Has(record) {
				here.Add(record)
			}
		}
	}
	return here, nil
}

const namedColumns = "SELECT id, fate, remote, lead, coalesce(key, ''), row FROM records WHERE fate IN (2, 3) AND id IN ("

var (
	namedOne  = namedColumns + "?)"
	namedMany = namedColumns + places("?", group) + ") ORDER BY id"
)

// Named returns the rows of those of some records that are in the account now.
func (l *Ledger) Named(ctx context.Context, records []int64) (out []ledger.Row, err error) {
	for len(records) > 0 {
		n, text := 1, namedOne
		if len(records) >= group {
			n, text = group, namedMany
		}
		if out, err = l.named(ctx, out, text, records[:n]); err != nil {
			return nil, l.fault(err)
		}
		records = records[n:]
	}
	return out, nil
}

func (l *Ledger) named(ctx context.Context, out []ledger.Row, text string, records []int64) ([]ledger.Row, error) {
	stmt, err := l.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(records))
	for i, id := range records {
		args[i] = id
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r ledger.Row
		var fate ledger.Fate
		var remote, lead any
		if err := rows.Scan(&r.Record, &fate, &remote, &lead, &r.Key, &r.Number); err != nil {
			return nil, err
		}
		r.ID, r.LeadID, r.State = idText(remote), idText(lead), ledger.StateOf(fate, 0)
		out = append(out, r)
	}
	return out, rows.Err()
}
