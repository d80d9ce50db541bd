package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

var _ ledger.Copier = (*Ledger)(nil)

// column is a column as it is here: what is read, and what is written of an array
// of its values.
type column struct{ name, read, write string }

// columnOf returns how a column of a copy is kept here.
func columnOf(t *ledger.Table, c ledger.Column) column {
	x := column{name: c.Name, read: c.Name, write: c.Name}
	switch {
	case c.Name == "row":
		x = column{"number", "number", "number"}
	case t.Name == "runs" && c.Name == "ended":
		x.read, x.write = "coalesce(ended, -1)", "nullif(ended, -1)"
	case t.Name == "chunks" && c.Name == "words":
		x.read, x.write = "coalesce(words, '')", "nullif(words, '')"
	case t.Name == "operations" && c.Name == "payload":
		x.read, x.write = "coalesce(payload, '')", "nullif(payload, '')"
	case c.Name == "sent" && t.Name != "baselines":
		x.read = "greatest(sent, -1)"
	case c.Name == "lost" || c.Name == "firm" || t.Name == "baselines" && c.Name == "lead":
		x.read, x.write = c.Name+"::int", c.Name+" <> 0"
	}
	switch c.Kind {
	case ledger.Number:
		x.read = "(" + x.read + ")::bigint"
	case ledger.Name:
		x.read, x.write = "convert_to("+x.read+", 'UTF8')", "convert_from("+x.write+", 'UTF8')"
	}
	return x
}

// Dump yields the rows of a table.
func (l *Ledger) Dump(ctx context.Context, t *ledger.Table) iter.Seq2[[]any, error] {
	reads := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		reads[i] = columnOf(t, c).read
	}
	text := l.sql("SELECT " + strings.Join(reads, ", ") + " FROM leadload." + t.Name)
	return func(yield func([]any, error) bool) {
		rows, err := l.pool.Query(ctx, text)
		if err != nil {
			yield(nil, l.fault(err))
			return
		}
		defer rows.Close()
		row := make([]any, len(t.Columns))
		numbers, texts, into := make([]int64, len(row)), make([][]byte, len(row)), make([]any, len(row))
		for i, c := range t.Columns {
			if into[i] = &texts[i]; c.Kind == ledger.Number {
				into[i] = &numbers[i]
			}
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				yield(nil, l.fault(err))
				return
			}
			for i, c := range t.Columns {
				if row[i] = texts[i]; c.Kind == ledger.Number {
					row[i] = numbers[i]
				}
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, l.fault(err))
		}
	}
}

// insertOf is the statement that writes arrays of the columns of a table.
func insertOf(t *ledger.Table) string {
	var names, values, arrays, given []string
	for i, c := range t.Columns {
		x := columnOf(t, c)
		kind := "bytea[]"
		if c.Kind == ledger.Number {
			kind = "bigint[]"
		}
		names, values, given = append(names, x.name), append(values, x.write), append(given, x.name)
		arrays = append(arrays, fmt.Sprintf("$%d::%s", i+1, kind))
	}
	switch t.Name {
	case "account_names":
		names, values = append(names, "hash"), append(values, "substr(sha256(name), 1, 16)")
	case "shapes":
		names, values = append(names, "hash"), append(values, "sha256(CASE form WHEN 0 THEN '\\x00'::bytea ELSE '' END || mapping || '\\x1d'::bytea || names)")
	case "rosters": // its hash is made here
		names, values, arrays, given = append(names, "hash"), append(values, "hash"), append(arrays, fmt.Sprintf("$%d::bytea[]", len(arrays)+1)), append(given, "hash")
	case "leases":
		// Whoever had the account before has made no call any more since now.
		names, values = append(names, "holder", "who", "command", "since", "until", "timeout", "ended"), append(values, "''", "''", "''", "0", "0", "0", now)
	}
	system := ""
	switch t.Name {
	case "accounts", "scopes", "shapes", "runs":
		system = " OVERRIDING SYSTEM VALUE"
	}
	return "INSERT INTO leadload." + t.Name + " (" + strings.Join(names, ", ") + ")" + system + " SELECT " + strings.Join(values, ", ") +
		" FROM unnest(" + strings.Join(arrays, ", ") + ") AS t(" + strings.Join(given, ", ") + ")"
}

// Fill replaces all that the ledger holds. What became of it when its answer was
// lost is seen by the mark of a copy that did not end.
func (l *Ledger) Fill(ctx context.Context, fill func(func(*ledger.Table, [][]any) error) error) error {
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', true), pg_advisory_xact_lock(7018970247)"); err != nil {
			return err
		}
		names := make([]string, len(ledger.Tables))
		for i, t := range ledger.Tables {
			names[i] = "leadload." + t.Name
		}
		if _, err := tx.Exec(ctx, l.sql("TRUNCATE "+strings.Join(names, ", "))); err != nil {
			return err
		}
		if err := fill(func(t *ledger.Table, rows [][]any) error {
			args := make([]any, len(t.Columns))
			for i, c := range t.Columns {
				if c.Kind == ledger.Number {
					list := make([]int64, len(rows))
					for k := range rows {
						list[k] = rows[k][i].(int64)
					}
					args[i] = list
					continue
				}
				list := make([][]byte, len(rows))
				for k := range rows {
					list[k] = rows[k][i].([]byte)
				}
				args[i] = list
			}
			if t.Name == "rosters" {
				list := make([][]byte, len(rows))
				for k, row := range rows {
					list[k] = rosterHash(ledger.WholeFile{Scope: row[0].(int64), Path: string(row[1].([]byte)), Sheet: string(row[2].([]byte))})
				}
				args = append(args, list)
			}
			_, err := tx.Exec(ctx, l.sql(insertOf(t)), args...)
			return err
		}); err != nil {
			return err
		}
		// New numbers come after those that were taken over.
		for _, table := range []string{"accounts", "scopes", "shapes", "runs"} {
			if _, err := tx.Exec(ctx, l.sql("SELECT setval(pg_get_serial_sequence('leadload."+table+"', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM leadload."+table+"), false)")); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, l.sql("SELECT setval('leadload.record_numbers', (SELECT coalesce(max(id), 0) + 1 FROM leadload.records), false)")); err != nil {
			return err
		}
		// The server would plan its first statements as for empty tables.
		_, err := tx.Exec(ctx, l.sql("ANALYZE "+strings.Join(names, ", ")))
		return err
	})
	l.mu.Lock()
	clear(l.shapes)
	clear(l.ids)
	l.mu.Unlock()
	return l.fault(err)
}

// Mark returns a mark of the ledger; "" is none.
func (l *Ledger) Mark(ctx context.Context, name string) (value string, err error) {
	_, err = l.one(ctx, "SELECT value FROM leadload.meta WHERE name = $1", []any{name}, &value)
	return value, err
}

// SetMark sets a mark of the ledger.
func (l *Ledger) SetMark(_ context.Context, name, value string) error {
	return l.write(work{do: func(u *unit) error {
		if value == "" {
			return u.put("DELETE FROM leadload.meta WHERE name = $1", name)
		}
		return u.put("INSERT INTO leadload.meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	}})
}

const marksOf = "SELECT name, value FROM leadload.meta"

// marksInto returns where all marks of the ledger are when a statement that asks for
// them has its answer.
func marksInto(s *statement) map[string]string {
	marks := map[string]string{}
	var name, value string
	s.each(func() error {
		marks[name] = value
		return nil
	}, &name, &value)
	return marks
}

// usable returns an error where the ledger was moved, or a copy into it did not end.
func (l *Ledger) usable(marks map[string]string) error {
	if l.o.Closed {
		return nil
	}
	return ledger.MovedError(l.name, marks[ledger.Moved], marks[ledger.Copying])
}
