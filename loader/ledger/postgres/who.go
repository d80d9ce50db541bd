package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

const enrolledText = `SELECT n.name, o.name, o.account, a.name FROM leadload.account_names n JOIN leadload.account_names o ON o.account = n.account JOIN leadload.accounts a ON a.id = o.account
	WHERE n.hash = ANY($1::bytea[]) ORDER BY n.name, o.name`

// readEnrolled reads what the ledger knows of some names.
func readEnrolled(rows pgx.Rows) (ledger.Enrolled, error) {
	defer rows.Close()
	e := ledger.Enrolled{Known: map[string]int64{}, All: map[int64][]string{}, Text: map[int64]string{}}
	seen := map[string]bool{}
	for rows.Next() {
		var asked, name, text []byte
		var account int64
		if err := rows.Scan(&asked, &name, &account, &text); err != nil {
			return e, err
		}
		e.Known[string(asked)], e.Text[account] = account, string(text)
		if !seen[string(name)] {
			seen[string(name)] = true
			e.All[account] = append(e.All[account], string(name))
		}
	}
	return e, rows.Err()
}

func hashesOf(names []string) (hashes, texts [][]byte) {
	for _, n := range names {
		hashes, texts = append(hashes, ledger.Hidden(n)), append(texts, []byte(n))
	}
	return hashes, texts
}

// enrolled reads what the ledger knows of some names, under a lock: two that meet
// a new account at once must not make two of it.
func (u *unit) enrolled(names []string) (ledger.Enrolled, error) {
	u.add("SELECT pg_advisory_xact_lock(7018970247)")
	hashes, _ := hashesOf(names)
	var e ledger.Enrolled
	u.add(enrolledText, hashes).read = func(rows pgx.Rows) (err error) {
		e, err = readEnrolled(rows)
		return err
	}
	err := u.turn()
	return e, err
}

// enrolled reads what the ledger knows of some names.
func (l *Ledger) enrolled(ctx context.Context, names []string) (e ledger.Enrolled, err error) {
	hashes, _ := hashesOf(names)
	err = l.query(ctx, enrolledText, []any{hashes}, func(rows pgx.Rows) (err error) {
		e, err = readEnrolled(rows)
		return err
	})
	return e, err
}

// name writes down that names are those of an account; instead is what happens
// to those that are known.
func (u *unit) name(account int64, names []string, instead string) error {
	hashes, texts := hashesOf(names)
	return u.put("INSERT INTO leadload.account_names (hash, name, account) SELECT hash, name, $3 FROM unnest($1::bytea[], $2::bytea[]) AS t(hash, name) ON CONFLICT (hash) DO "+instead, hashes, texts, account)
}

// Enroll finds or makes the account that names stand for.
func (l *Ledger) Enroll(ctx context.Context, display string, names []string) (id int64, err error) {
	e, err := l.enrolled(ctx, names)
	if err != nil {
		return 0, err
	}
	if id, err := e.Who(names); err != nil || id != 0 && len(e.Known) == len(names) {
		return id, err
	}
	var refused error
	err = l.write(work{do: func(u *unit) error {
		e, err := u.enrolled(names)
		if err != nil {
			return err
		}
		if id, refused = e.Who(names); refused != nil {
			return nil
		}
		if id == 0 {
			if _, err := u.row("INSERT INTO leadload.accounts (name) VALUES ($1) RETURNING id", []any{[]byte(display)}, &id); err != nil {
				return err
			}
		}
		return u.name(id, names, "NOTHING")
	}})
	return id, errors.Join(err, refused)
}

// Join makes all names stand for the account of the first one.
func (l *Ledger) Join(_ context.Context, names []string) (int64, error) {
	var id int64
	var refused error
	err := l.write(work{do: func(u *unit) error {
		e, err := u.enrolled(names)
		if err != nil {
			return err
		}
		id, refused = e.Joined(names, func(account int64) (has bool, err error) {
			_, err = u.row("SELECT EXISTS (SELECT 1 FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope WHERE s.account = $1)", []any{account}, &has)
			return has, err
		})
		if refused != nil {
			return nil
		}
		return u.name(id, names, "UPDATE SET account = excluded.account")
	}})
	return id, errors.Join(err, refused)
}

// Find returns a scope of an account that names stand for; 0 when the ledger has
// none, or no record in it.
func (l *Ledger) Find(ctx context.Context, names []string, target string) (scope int64, err error) {
	e, err := l.enrolled(ctx, names)
	if err != nil {
		return 0, err
	}
	account, err := e.Who(names)
	if err != nil || account == 0 {
		return 0, err
	}
	_, err = l.one(ctx, "SELECT s.id FROM leadload.scopes s WHERE s.account = $1 AND s.target = $2 AND EXISTS (SELECT 1 FROM leadload.records r WHERE r.scope = s.id)", []any{account, target}, &scope)
	return scope, err
}
