package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"

	"leadload/loader/ledger"
)

var _ ledger.Copier = (*Ledger)(nil)

// different is how a table here differs from its form in a copy.
type different struct {
	from string                             // what is read, in the place of its columns
	more int                                // columns that are read behind those
	read func(row []any) error              // mends a row that was read
	put  func(w *writer, row []any) error   // writes a row
	none map[string]int64                   // what stands for NULL in columns
	now  map[string]func(value int64) int64 // what is written for a number
}

// moments are told apart from "never" by their sign alone; here that takes a number
// of their size.
var moments = map[string]func(int64) int64{"sent": func(n int64) int64 {
	if n < 0 {
		return neverSent
	}
	return n
}}

var unknownEnd = map[string]int64{"ended": 0}

var differences = map[string]different{
	"shapes":     {from: "SELECT id, 0, '', names FROM shapes", read: readShape, put: putShape},
	"runs":       {none: map[string]int64{"ended": -1}},
	"leases":     {put: putLease},
	"records":    {from: "SELECT id, scope, tail, fate, body, shape, prints, remote, lead, attempts, resends, sent, lost, run, row, key, hash FROM records", more: 1, read: readRecord, put: putRecord},
	"operations": {from: "SELECT o.record, o.op, account, state, token, call, sent, ended, firm, attempts, lead, request, code, msg, hint, candidates, p.payload FROM operations o LEFT JOIN payloads p ON p.record = o.record AND p.op = o.op", read: readOperation, put: putOperation, none: unknownEnd},
}

func columnsOf(t *ledger.Table) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// Dump yields the rows of a table.
func (l *Ledger) Dump(ctx context.Context, t *ledger.Table) iter.Seq2[[]any, error] {
	d := differences[t.Name]
	text := d.from
	if text == "" {
		text = "SELECT " + columnsOf(t) + " FROM " + t.Name
	}
	return func(yield func([]any, error) bool) {
		rows, err := l.db.QueryContext(ctx, text)
		if err != nil {
			yield(nil, l.fault(err))
			return
		}
		defer rows.Close()
		row := make([]any, len(t.Columns)+d.more)
		into := make([]any, len(row))
		for i := range into {
			into[i] = &row[i]
		}
		for rows.Next() {
			err := rows.Scan(into...)
			for i := 0; err == nil && i < len(t.Columns); i++ {
				row[i], err = common(t, i, row[i], d)
			}
			if err == nil && d.read != nil {
				err = d.read(row)
			}
			if err != nil {
				yield(nil, l.fault(err))
				return
			}
			if !yield(row[:len(t.Columns)], nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, l.fault(err))
		}
	}
}

// common is a value in the form of a copy.
func common(t *ledger.Table, i int, v any, d different) (any, error) {
	c := t.Columns[i]
	switch c.Kind {
	case ledger.AccountID:
		return []byte(idText(v)), nil
	case ledger.Number:
		switch v := v.(type) {
		case nil:
			return d.none[c.Name], nil
		case int64:
			return v, nil
		}
	default:
		switch v := v.(type) {
		case nil:
			return []byte{}, nil
		case string:
			return []byte(v), nil
		case []byte:
			return v, nil
		}
	}
	return nil, fmt.Errorf("column %s of table %s holds a %T", c.Name, t.Name, v)
}

func readShape(row []any) error {
	joined, canonical := strings.CutPrefix(string(row[3].([]byte)), canonicalShape)
	made, names, ok := strings.Cut(joined, mappingShape)
	if !ok {
		made, names = "", joined
	}
	form := ledger.Raw
	if canonical {
		form = ledger.Canonical
	}
	row[1], row[2], row[3] = int64(form), []byte(made), []byte(names)
	return nil
}

func putShape(w *writer, row []any) error {
	joined := string(row[3].([]byte))
	if made := string(row[2].([]byte)); made != "" {
		joined = made + mappingShape + joined
	}
	if ledger.Form(row[1].(int64)) == ledger.Canonical {
		joined = canonicalShape + joined
	}
	_, err := w.exec("INSERT INTO shapes (id, names) VALUES (?, ?)", row[0], joined)
	return err
}

func putLease(w *writer, row []any) error {
	_, err := w.exec("INSERT INTO leases (account, token, who, command, since) VALUES (?, ?, '', '', 0)", row...)
	return err
}

// readRecord makes a whole identity of what stands in the index and beside it.
func readRecord(row []any) error {
	tail, ok := row[2].([]byte)
	hash, known := row[16].(int64)
	if !ok || !known || len(tail) != 8 && len(tail) != 16 {
		return errors.New("the identity of a record is damaged")
	}
	if len(tail) == 8 {
		tail = append(binary.LittleEndian.AppendUint64(nil, uint64(hash)^mix(row[1].(int64))), tail...)
	}
	row[2] = tail
	if row[11].(int64) < 0 {
		row[11] = int64(-1)
	}
	return nil
}

func putRecord(w *writer, row []any) error {
	scope, ident := row[1].(int64), ledger.Ident(row[2].([]byte))
	text := func(i int) string { return string(row[i].([]byte)) }
	args := []any{row[0], scope, nil, ident[8:], row[3], row[4], row[5], row[6], idBytes(text(7)), idBytes(text(8)), moments["sent"](row[11].(int64)), row[13], row[14], null(text(15))}
	if err := w.insertOne(scope, &ident, args); err != nil {
		return err
	}
	_, err := w.exec("UPDATE records SET attempts = ?, resends = ?, lost = ? WHERE id = ?", row[9], row[10], row[12], row[0])
	return err
}

func readOperation(row []any) error {
	if row[6].(int64) < 0 {
		row[6] = int64(-1)
	}
	return nil
}

func putOperation(w *writer, row []any) error {
	if payload := row[16].([]byte); len(payload) > 0 {
		if _, err := w.exec("INSERT INTO payloads (record, op, payload) VALUES (?, ?, ?)", row[0], row[1], payload); err != nil {
			return err
		}
	}
	return w.put(&ledger.Table{Name: "operations", Columns: operationColumns}, different{none: unknownEnd, now: moments}, row[:16])
}

// operationColumns are those of operations but the payload, which has a table of
// its own here.
var operationColumns = func() []ledger.Column {
	for _, t := range ledger.Tables {
		if t.Name == "operations" {
			return t.Columns[:len(t.Columns)-1]
		}
	}
	return nil
}()

// put writes a row as it is.
func (w *writer) put(t *ledger.Table, d different, row []any) error {
	args := make([]any, len(row))
	for i, c := range t.Columns {
		switch v := row[i].(type) {
		case int64:
			if none, ok := d.none[c.Name]; ok && v == none {
				continue
			}
			if now := d.now[c.Name]; now != nil {
				v = now(v)
			}
			args[i] = v
		case []byte:
			switch {
			case c.Kind == ledger.Blob && t.Name == "chunks" && len(v) == 0:
			case c.Kind == ledger.Blob:
				args[i] = v
			case c.Kind == ledger.AccountID && t.Name == "operations" && len(v) == 0:
			case c.Kind == ledger.AccountID:
				args[i] = idBytes(string(v))
			case t.Name == "operations" && len(v) == 0:
			default:
				args[i] = string(v)
			}
		}
	}
	_, err := w.exec("INSERT INTO "+t.Name+" ("+columnsOf(t)+") VALUES ("+places("?", len(t.Columns))+")", args...)
	return err
}

// Fill replaces all that the ledger holds.
func (l *Ledger) Fill(ctx context.Context, fill func(func(*ledger.Table, [][]any) error) error) error {
	return l.write(func(w *writer) error {
		for i := range ledger.Tables {
			if _, err := w.exec("DELETE FROM " + ledger.Tables[i].Name); err != nil {
				return err
			}
		}
		if _, err := w.exec("DELETE FROM payloads"); err != nil {
			return err
		}
		clear(w.shapes)
		clear(w.made)
		return fill(func(t *ledger.Table, rows [][]any) error {
			d := differences[t.Name]
			put := d.put
			if put == nil {
				put = func(w *writer, row []any) error { return w.put(t, d, row) }
			}
			for _, row := range rows {
				if err := put(w, row); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	})
}

// Mark returns a mark of the ledger; "" is none.
func (l *Ledger) Mark(ctx context.Context, name string) (string, error) { return l.meta(ctx, name) }

// SetMark sets a mark of the ledger.
func (l *Ledger) SetMark(_ context.Context, name, value string) error {
	return l.write(func(w *writer) error {
		if value == "" {
			_, err := w.exec("DELETE FROM meta WHERE name = ?", name)
			return err
		}
		return w.note(name, value)
	})
}

// usable returns an error where the ledger was moved, or a copy into it did not end.
func (l *Ledger) usable(ctx context.Context) error {
	moved, err := l.Mark(ctx, ledger.Moved)
	if err != nil {
		return err
	}
	copying, err := l.Mark(ctx, ledger.Copying)
	if err != nil {
		return err
	}
	return ledger.MovedError(l.path, moved, copying)
}
