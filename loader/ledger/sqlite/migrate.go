package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"leadload/loader/ledger"
)

// moveToOperations takes records and rows of runs over from the tables of
// version 3, where a record's state was that of its only call.
func moveToOperations(ctx context.Context, conn *sql.Conn) error {
	w := &writer{conn: conn, stmts: map[string]*sql.Stmt{}}
	defer func() {
		for _, s := range w.stmts {
			s.Close()
		}
	}()
	// Each page is read whole before it is written: a query that is still
	// running would keep the tables from being dropped.
	for last := int64(0); ; {
		page, err := oldRecords(ctx, w, last)
		if err != nil {
			return err
		}
		for i := range page {
			if err := page[i].move(w); err != nil {
				return err
			}
			last = page[i].id
		}
		if len(page) < ledger.ChunkRows {
			break
		}
	}
	for run, last := int64(-1), 0; ; {
		at, page, err := oldRows(ctx, w, run, last)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		if err := w.chunk(at, page); err != nil {
			return err
		}
		run, last = at, page[len(page)-1].Number
	}
}

// oldRecord is a record of version 3.
type oldRecord struct {
	id, scope, account, shape    int64
	ident, body, prints, payload []byte
	state                        ledger.State
	remote, lead, request, key   sql.NullString
	code, msg, hint, candidates  sql.NullString
	attempts, resends, run, row  int64
	sent, ended                  sql.NullInt64
}

func oldRecords(ctx context.Context, w *writer, after int64) ([]oldRecord, error) {
	stmt, err := w.stmt(`SELECT c.id, c.scope, coalesce(s.account, 0), c.ident, c.state, c.body, c.shape, c.prints, c.remote, c.lead, c.request, c.attempts, c.resends,
		c.sent, c.ended, c.code, c.msg, c.hint, c.payload, c.candidates, c.run, c.row,
		(SELECT x.key FROM old_rows x WHERE x.run = c.run AND x.n = c.row AND x.record = c.id)
		FROM old_records c LEFT JOIN scopes s ON s.id = c.scope WHERE c.id > ? ORDER BY c.id LIMIT ?`)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, after, ledger.ChunkRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []oldRecord
	for rows.Next() {
		var r oldRecord
		if err := rows.Scan(&r.id, &r.scope, &r.account, &r.ident, &r.state, &r.body, &r.shape, &r.prints, &r.remote, &r.lead, &r.request, &r.attempts, &r.resends,
			&r.sent, &r.ended, &r.code, &r.msg, &r.hint, &r.payload, &r.candidates, &r.run, &r.row, &r.key); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, errors.Join(rows.Err(), rows.Close())
}

// move writes a record of version 3 as it is kept now.
func (r *oldRecord) move(w *writer) error {
	var ident ledger.Ident
	copy(ident[:], r.ident)
	body := make([]byte, ledger.BodySize)
	copy(body, r.body)
	sent := int64(neverSent)
	if r.sent.Valid {
		sent = r.sent.Int64
	}
	fate := ledger.Absent
	if r.state.Ended() {
		fate = ledger.Create.After(r.state)
	}
	attempts := r.attempts
	if r.state.Open() {
		attempts = 0 // they stand with the operation
	}
	prints := r.prints
	if prints == nil {
		prints = []byte{}
	}
	args := []any{r.id, r.scope, nil, ident[8:], fate, body, r.shape, prints, idBytes(r.remote.String), idBytes(r.lead.String), sent, r.run, r.row, null(r.key.String)}
	if err := w.insertOne(r.scope, &ident, args); err != nil {
		return err
	}
	if attempts != 0 || r.resends != 0 || r.state.Ended() && r.ended.Valid {
		if _, err := w.exec("UPDATE records SET attempts = ?, resends = ?, lost = ? WHERE id = ?", attempts, r.resends, r.state.Ended() && r.ended.Valid, r.id); err != nil {
			return err
		}
	}
	if !r.state.Open() && r.state != ledger.Rejected && !r.code.Valid && !r.msg.Valid {
		return nil
	}
	var ended, request, candidates, lead any
	if r.state.Open() {
		attempts, candidates, request = r.attempts, null(r.candidates.String), null(r.request.String)
		if r.ended.Valid {
			ended = r.ended.Int64
		}
	} else {
		attempts = 0
	}
	if _, err := w.exec("INSERT INTO operations (record, op, account, state, token, call, sent, ended, attempts, lead, request, code, msg, hint, candidates) VALUES (?,0,?,?,0,0,?,?,?,?,?,?,?,?,?)",
		r.id, r.account, r.state, sent, ended, attempts, lead, request, null(r.code.String), null(r.msg.String), null(r.hint.String), candidates); err != nil {
		return err
	}
	if !r.state.Open() {
		return nil
	}
	payload := r.payload
	if payload == nil {
		payload = []byte{}
	}
	_, err := w.exec("INSERT INTO payloads (record, op, payload) VALUES (?, 0, ?)", r.id, payload)
	return err
}

// oldRows reads rows of one run of version 3, the next after a row.
func oldRows(ctx context.Context, w *writer, run int64, last int) (int64, []ledger.Entry, error) {
	const columns = "SELECT run, n, line, origin, print, verdict, coalesce(record, 0), coalesce(key, ''), coalesce(code, ''), coalesce(msg, ''), coalesce(hint, '') FROM old_rows "
	for _, q := range []struct {
		text string
		args []any
	}{
		{columns + "WHERE run = ? AND n > ? ORDER BY n LIMIT ?", []any{run, last, ledger.ChunkRows}},
		{columns + "WHERE run = (SELECT min(run) FROM old_rows WHERE run > ?) ORDER BY n LIMIT ?", []any{run, ledger.ChunkRows}},
	} {
		at, page, err := func() (int64, []ledger.Entry, error) {
			stmt, err := w.stmt(q.text)
			if err != nil {
				return 0, nil, err
			}
			rows, err := stmt.QueryContext(ctx, q.args...)
			if err != nil {
				return 0, nil, err
			}
			defer rows.Close()
			var at int64
			var page []ledger.Entry
			for rows.Next() {
				var e ledger.Entry
				var print int64
				if err := rows.Scan(&at, &e.Number, &e.Line, &e.Origin, &print, &e.Verdict, &e.Record, &e.KeyText, &e.Code, &e.Msg, &e.Hint); err != nil {
					return 0, nil, err
				}
				e.Fingerprint = uint64(print)
				page = append(page, e)
			}
			return at, page, errors.Join(rows.Err(), rows.Close())
		}()
		if err != nil || len(page) > 0 {
			return at, page, err
		}
	}
	return 0, nil, nil
}
