package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"leadload/loader/ledger"
)

// querier is a connection, or what has some.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// enrolled reads what the ledger knows of some names.
func enrolled(ctx context.Context, q querier, names []string) (ledger.Enrolled, error) {
	e := ledger.Enrolled{Known: map[string]int64{}, All: map[int64][]string{}, Text: map[int64]string{}}
	seen := map[string]bool{}
	for _, n := range names {
		rows, err := q.QueryContext(ctx, "SELECT o.name, o.account, a.name FROM account_names n JOIN account_names o ON o.account = n.account JOIN accounts a ON a.id = o.account WHERE n.name = ? ORDER BY o.name", n)
		if err != nil {
			return e, err
		}
		for rows.Next() {
			var name, text string
			var account int64
			if err := rows.Scan(&name, &account, &text); err != nil {
				return e, errors.Join(err, rows.Close())
			}
			e.Known[n], e.Text[account] = account, text
			if !seen[name] {
				seen[name] = true
				e.All[account] = append(e.All[account], name)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return e, err
		}
	}
	return e, nil
}

// Enroll finds or makes the account that names stand for.
func (l *Ledger) Enroll(ctx context.Context, display string, names []string) (int64, error) {
	var id int64
	var refused error
	err := l.jot(func(w *writer) error {
		e, err := enrolled(ctx, w.conn, names)
		if err != nil {
			return err
		}
		if id, refused = e.Who(names); refused != nil {
			return nil
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
		return w.name(id, names, "NOTHING")
	})
	return id, errors.Join(err, refused)
}

// name writes down that names are those of an account; instead is what happens
// to those that are known.
func (w *writer) name(account int64, names []string, instead string) error {
	changed := int64(0)
	for _, n := range names {
		n, err := w.changes("INSERT INTO account_names (name, account) VALUES (?, ?) ON CONFLICT DO "+instead, n, account)
		if err != nil {
			return err
		}
		changed += n
	}
	if changed == 0 {
		return nil
	}
	return w.seal()
}

// Join makes all names stand for the account of the first one.
func (l *Ledger) Join(ctx context.Context, names []string) (int64, error) {
	var id int64
	var refused error
	err := l.write(func(w *writer) error {
		e, err := enrolled(ctx, w.conn, names)
		if err != nil {
			return err
		}
		id, refused = e.Joined(names, func(account int64) (has bool, err error) {
			err = w.row("SELECT EXISTS (SELECT 1 FROM records r JOIN scopes s ON s.id = r.scope WHERE s.account = ?)", account).Scan(&has)
			return has, err
		})
		if refused != nil {
			return nil
		}
		return w.name(id, names, "UPDATE SET account = excluded.account")
	})
	return id, errors.Join(err, refused)
}

// Find returns a scope of an account that names stand for; 0 when the ledger has
// none, or no record in it.
func (l *Ledger) Find(ctx context.Context, names []string, target string) (int64, error) {
	e, err := enrolled(ctx, l.db, names)
	if err != nil {
		return 0, l.fault(err)
	}
	account, err := e.Who(names)
	if err != nil || account == 0 {
		return 0, err
	}
	var scope int64
	err = l.db.QueryRowContext(ctx, "SELECT s.id FROM scopes s WHERE s.account = ? AND s.target = ? AND EXISTS (SELECT 1 FROM records r WHERE r.scope = s.id)", account, target).Scan(&scope)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return scope, l.fault(err)
}
