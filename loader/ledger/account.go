package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// Account finds or makes the account that any of names stands for (such as
// "keys:host:hash"), and remembers those that are new. The first name
// that is known decides. Display is what people call it.
func (l *Ledger) Account(ctx context.Context, display string, names []string) (int64, error) {
	var id int64
	err := l.jot(func(w *writer) error {
		for _, n := range names {
			err := w.row("SELECT account FROM account_names WHERE name = ?", n).Scan(&id)
			if err == nil {
				break
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if id == 0 {
			r, err := w.exec("INSERT INTO accounts (name) VALUES (?)", display)
			if err != nil {
				return err
			}
			if id, err = r.LastInsertId(); err != nil {
				return err
			}
		}
		for _, n := range names {
			if _, err := w.exec("INSERT INTO account_names (name, account) VALUES (?, ?) ON CONFLICT DO NOTHING", n, id); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

// AccountNames gives the names of all accounts, each with its account's number.
func (l *Ledger) AccountNames(ctx context.Context) (map[string]int64, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT name, account FROM account_names")
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var n string
		var id int64
		if err := rows.Scan(&n, &id); err != nil {
			return nil, l.fault(err)
		}
		out[n] = id
	}
	return out, l.fault(rows.Err())
}

// Scope finds or makes the number of a target within an account, such as
// "opportunity:12000". A key names one record within a scope.
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
		id, err = r.LastInsertId()
		return err
	})
	return id, err
}

// shape finds or makes the number of a list of field names.
func (w *writer) shape(names []string) (int64, error) {
	joined := strings.Join(names, "\x1f")
	var id int64
	err := w.row("SELECT id FROM shapes WHERE names = ?", joined).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	r, err := w.exec("INSERT INTO shapes (names) VALUES (?)", joined)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// StartRun writes down that a run has begun and gives its number.
func (l *Ledger) StartRun(ctx context.Context, r Run) (int64, error) {
	var id int64
	err := l.jot(func(w *writer) error {
		res, err := w.exec(`INSERT INTO runs (account, command, input, input_path, sheet, mapping, mapping_path, mapping_hash,
			target, timezone, who, version, pace, started) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			r.Account, r.Command, r.Input, r.InputPath, r.Sheet, r.Mapping, r.MappingPath, r.MappingHash,
			r.Target, r.Timezone, r.Who, r.Version, r.Limit, r.Started.UnixMilli())
		if err != nil {
			return err
		}
		id, err = res.LastInsertId()
		return err
	})
	return id, err
}

// FinishRun writes down how a run ended: Ended, Calls, Throttled, Limit, Stop, Exit and Out of r.
func (l *Ledger) FinishRun(ctx context.Context, r Run) error {
	return l.write(func(w *writer) error {
		_, err := w.exec("UPDATE runs SET ended = ?, calls = ?, throttled = ?, pace = ?, stop = ?, exit = ?, out = ? WHERE id = ?",
			r.Ended.UnixMilli(), r.Calls, r.Throttled, r.Limit, r.Stop, r.Exit, r.Out, r.ID)
		return err
	})
}

// day is the name of the day (UTC) in which t lies.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// CountCalls adds n calls to the account's day without waiting.
func (l *Ledger) CountCalls(account int64, at time.Time, n int64) {
	l.hint(func(w *writer) error { return w.count(account, at, n) })
}

func (w *writer) count(account int64, at time.Time, n int64) error {
	_, err := w.exec("INSERT INTO days (account, day, calls) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls", account, day(at), n)
	return err
}

// CallsOn is the number of calls counted on the day (UTC) of at, by all processes.
func (l *Ledger) CallsOn(ctx context.Context, account int64, at time.Time) (int64, error) {
	var n int64
	err := l.db.QueryRowContext(ctx, "SELECT calls FROM days WHERE account = ? AND day = ?", account, day(at)).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, l.fault(err)
}

// hashOf hides a lead's value: the ledger need only know it again.
func hashOf(value string) []byte {
	h := sha256.Sum256([]byte(value))
	return h[:16]
}

// Lead gives the lead id that a look-up found for a value no longer ago than
// age; "" when none is remembered.
func (l *Ledger) Lead(ctx context.Context, account int64, field, value string, age time.Duration) (string, error) {
	var id string
	var found int64
	err := l.db.QueryRowContext(ctx, "SELECT lead, found FROM leads WHERE account = ? AND field = ? AND value = ?", account, field, hashOf(value)).Scan(&id, &found)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (id == "" || time.Since(time.UnixMilli(found)) > age) {
		return "", nil
	}
	return id, l.fault(err)
}

// WantedLeads counts the leads of an account that a plan wants and that are not known.
func (l *Ledger) WantedLeads(ctx context.Context, account int64) (int64, error) {
	var n int64
	err := l.db.QueryRowContext(ctx, "SELECT count(*) FROM leads WHERE account = ? AND lead = ''", account).Scan(&n)
	return n, l.fault(err)
}

// ForgetLeads drops leads that were looked up longer than age ago, and those
// that a former plan wanted and never looked up.
func (l *Ledger) ForgetLeads(ctx context.Context, account int64, age time.Duration) error {
	before := time.Now().Add(-age).UnixMilli()
	return l.jot(func(w *writer) error {
		_, err := w.exec("DELETE FROM leads WHERE account = ? AND (lead = '' OR found < ?)", account, before)
		return err
	})
}

// RememberLead keeps what a look-up found. It does not wait for the disk: a
// forgotten look-up costs one call.
func (l *Ledger) RememberLead(account int64, field, value, lead string) {
	at := time.Now().UnixMilli()
	l.hint(func(w *writer) error {
		_, err := w.exec("INSERT INTO leads (account, field, value, lead, found) VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET lead = excluded.lead, found = excluded.found",
			account, field, hashOf(value), lead, at)
		return err
	})
}

// ForgetLead drops a lead that was remembered before a moment: the account may
// no longer know it. It does not wait for the disk.
func (l *Ledger) ForgetLead(account int64, field, value string, before time.Time) {
	l.hint(func(w *writer) error {
		_, err := w.exec("DELETE FROM leads WHERE account = ? AND field = ? AND value = ? AND lead <> '' AND found < ?", account, field, hashOf(value), before.UnixMilli())
		return err
	})
}
