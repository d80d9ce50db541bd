package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"leadload/loader/ledger"
)

// Scope finds or makes the number of a target within an account.
func (l *Ledger) Scope(ctx context.Context, account int64, target string) (int64, error) {
	var id int64
	err := l.jot(func(w *writer) error {
		err := w.row("SELECT id FROM scopes WHERE account = ? AND target = ?", account, target).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		r, err := w.exec("INSERT INTO scopes (account, target) VALUES (?, ?)", account, target)
		if err != nil {
			return err
		}
		if id, err = r.LastInsertId(); err != nil {
			return err
		}
		return w.seal()
	})
	return id, err
}

// Begin writes down that a run has begun and returns its number.
func (l *Ledger) Begin(ctx context.Context, r ledger.Run) (int64, error) {
	var id int64
	err := l.jot(func(w *writer) error {
		res, err := w.exec(`INSERT INTO runs (account, command, input, input_path, sheet, mapping, mapping_path, mapping_hash,
			target, timezone, who, version, pace, started) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			r.Account, r.Command, r.Input, r.InputPath, r.Sheet, r.Mapping, r.MappingPath, r.MappingHash,
			r.Target, r.Timezone, r.Who, r.Version, r.Limit, r.Started.UnixMilli())
		if err != nil {
			return err
		}
		if id, err = res.LastInsertId(); err != nil || r.MappingText == "" {
			return err
		}
		_, err = w.exec("INSERT INTO mappings (hash, name, text) VALUES (?,?,?) ON CONFLICT DO NOTHING", r.MappingHash, r.Mapping, r.MappingText)
		return err
	})
	return id, err
}

// End writes down how a run ended.
func (l *Ledger) End(ctx context.Context, r ledger.Run) error {
	err := l.write(func(w *writer) error {
		var ended any
		if !r.Ended.IsZero() {
			ended = r.Ended.UnixMilli()
		}
		_, err := w.exec("UPDATE runs SET ended = ?, did = ?, calls = ?, throttled = ?, bulk = ?, pace = ?, stop = ?, exit = ?, out = ? WHERE id = ?",
			ended, r.Did.Text(), r.Calls, r.Throttled, r.Bulk, r.Limit, r.Stop, r.Exit, r.Out, r.ID)
		return err
	})
	if err != nil {
		return err
	}
	return l.moved()
}

// memo is the part of a ledger that is harmless to lose.
type memo struct{ l *Ledger }

// Memo returns what is worth remembering and harmless to lose.
func (l *Ledger) Memo() ledger.Memo { return memo{l} }

func (w *writer) count(account int64, at time.Time, n int64) error {
	_, err := w.exec("INSERT INTO days (account, day, calls) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls", account, ledger.Day(at), n)
	return err
}

func (m memo) CountCalls(account int64, at time.Time, n int64) {
	m.l.hint(func(w *writer) error { return w.count(account, at, n) })
}

func (m memo) CallsOn(ctx context.Context, account int64, at time.Time) (int64, error) {
	var n int64
	err := m.l.db.QueryRowContext(ctx, "SELECT calls FROM days WHERE account = ? AND day = ?", account, ledger.Day(at)).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, m.l.fault(err)
}

func (m memo) Leads(ctx context.Context, account int64, field string, values []string, age time.Duration) (map[string]string, error) {
	known := make(map[string]string, len(values))
	for len(values) > 0 {
		n := min(len(values), leadsAtOnce)
		if err := m.leads(ctx, account, field, values[:n], age, known); err != nil {
			return nil, m.l.fault(err)
		}
		values = values[n:]
	}
	return known, nil
}

// leadsAtOnce is the most values of one statement. Each write of the ledger makes a
// reader forget its pages, so that a few large statements read much less than many.
const leadsAtOnce = 2048

var (
	leadsOfSome = leadsOf(sizes[0])
	leadsOfMany = leadsOf(leadsAtOnce)
)

func leadsOf(n int) string {
	return "SELECT value, lead, found FROM leads WHERE account = ?1 AND field = ?2 AND value IN (" + numbered(n, 2, 1, one) + ")"
}

// leads fills in what is known of as many values as one statement takes.
func (m memo) leads(ctx context.Context, account int64, field string, values []string, age time.Duration, known map[string]string) error {
	names := make(map[string]string, len(values))
	args := []any{account, field}
	for _, v := range values {
		hidden := ledger.Hidden(v)
		names[string(hidden)] = v
		args = append(args, hidden)
	}
	text, size := leadsOfSome, sizes[0]
	if len(values) > size {
		text, size = leadsOfMany, leadsAtOnce
	}
	for len(args) < 2+size {
		args = append(args, nil) // there is a statement for some numbers only
	}
	stmt, err := m.l.prepared(ctx, text)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var value sql.RawBytes
		var id any
		var found int64
		if err := rows.Scan(&value, &id, &found); err != nil {
			return err
		}
		if lead := idText(id); lead != "" && time.Since(time.UnixMilli(found)) <= age {
			known[names[string(value)]] = lead
		}
	}
	return rows.Err()
}

func (m memo) WantedLeads(ctx context.Context, account int64) (int64, error) {
	var n int64
	err := m.l.db.QueryRowContext(ctx, "SELECT count(*) FROM leads WHERE account = ? AND lead = ''", account).Scan(&n)
	return n, m.l.fault(err)
}

func (m memo) ForgetLeads(ctx context.Context, account int64, age time.Duration) error {
	before := time.Now().Add(-age).UnixMilli()
	return m.l.jot(func(w *writer) error {
		_, err := w.exec("DELETE FROM leads WHERE account = ? AND (lead = '' OR found < ?)", account, before)
		return err
	})
}

func (m memo) RememberLead(account int64, field, value, lead string) {
	at := time.Now().UnixMilli()
	m.l.hint(func(w *writer) error {
		_, err := w.exec("INSERT INTO leads (account, field, value, lead, found) VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET lead = excluded.lead, found = excluded.found",
			account, field, ledger.Hidden(value), lead, at)
		return err
	})
}

func (m memo) ForgetLead(account int64, field, value string, before time.Time) {
	m.l.hint(func(w *writer) error {
		_, err := w.exec("DELETE FROM leads WHERE account = ? AND field = ? AND value = ? AND lead <> '' AND found < ?", account, field, ledger.Hidden(value), before.UnixMilli())
		return err
	})
}
