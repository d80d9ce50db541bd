package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"time"
	"unicode/utf8"
)

// ColumnKind is how the stores keep a column.
type ColumnKind uint8

// The kinds of columns. Numbers are int64 in a row of a table, all others []byte.
const (
	Number    ColumnKind = iota
	Blob                 // bytes
	Words                // a text that may hold anything
	Name                 // a text without NUL and with good UTF-8
	AccountID            // an id in the account
)

// Column is a column of a table.
type Column struct {
	Name string
	Kind ColumnKind
}

// Table is a table of a ledger in the form that all stores share.
type Table struct {
	Name    string
	Columns []Column
}

// Tables are all that a ledger holds, but the memory of the pace and what only one
// open ledger needs. A moment that is not known is -1; an operation whose end is
// not known has 0 there.
var Tables = []Table{
	{"accounts", []Column{{"id", Number}, {"name", Words}}},
	{"account_names", []Column{{"name", Words}, {"account", Number}}},
	{"scopes", []Column{{"id", Number}, {"account", Number}, {"target", Name}}},
	{"shapes", []Column{{"id", Number}, {"form", Number}, {"mapping", Words}, {"names", Words}}},
	{"mappings", []Column{{"hash", Words}, {"name", Words}, {"text", Words}}},
	{"runs", []Column{{"id", Number}, {"account", Number}, {"command", Words}, {"input", Words}, {"input_path", Words}, {"sheet", Words}, {"mapping", Words}, {"mapping_path", Words},
		{"mapping_hash", Words}, {"target", Words}, {"timezone", Words}, {"who", Words}, {"version", Words}, {"pace", Words}, {"started", Number}, {"ended", Number}, {"calls", Number},
		{"throttled", Number}, {"bulk", Number}, {"stop", Words}, {"exit", Number}, {"out", Words}, {"did", Name}}},
	{"leases", []Column{{"account", Number}, {"token", Number}}},
	{"records", []Column{{"id", Number}, {"scope", Number}, {"ident", Blob}, {"fate", Number}, {"body", Blob}, {"shape", Number}, {"prints", Blob}, {"remote", AccountID}, {"lead", AccountID},
		{"attempts", Number}, {"resends", Number}, {"sent", Number}, {"lost", Number}, {"run", Number}, {"row", Number}, {"key", Words}}},
	{"operations", []Column{{"record", Number}, {"op", Number}, {"account", Number}, {"state", Number}, {"token", Number}, {"call", Number}, {"sent", Number}, {"ended", Number}, {"firm", Number},
		{"attempts", Number}, {"lead", AccountID}, {"request", Words}, {"code", Words}, {"msg", Words}, {"hint", Words}, {"candidates", Words}, {"payload", Blob}}},
	{"chunks", []Column{{"run", Number}, {"first", Number}, {"rows", Blob}, {"words", Blob}}},
	{"tallies", []Column{{"run", Number}, {"verdict", Number}, {"state", Number}, {"n", Number}}},
	{"kept", []Column{{"record", Number}, {"run", Number}, {"row", Number}, {"field", Name}, {"had", Words}, {"has", Words}, {"result", Number}, {"at", Number}, {"moved", Number}, {"became", Words}}},
	{"offers", []Column{{"record", Number}, {"first", Number}, {"last", Number}, {"body", Blob}, {"shape", Number}, {"prints", Blob}}},
	{"baselines", []Column{{"account", Number}, {"id", AccountID}, {"field", Name}, {"lead", Number}, {"sent", Number}, {"second", Number}, {"at", Number}}},
	{"leads", []Column{{"account", Number}, {"field", Name}, {"value", Blob}, {"lead", Words}, {"found", Number}}},
	{"rosters", []Column{{"scope", Number}, {"path", Words}, {"sheet", Words}, {"records", Blob}}},
	{"gone", []Column{{"run", Number}, {"records", Blob}}},
	{"days", []Column{{"account", Number}, {"day", Name}, {"calls", Number}}},
}

// Copier is a store whose content another can take over.
type Copier interface {
	Store
	// Path names the store for people.
	Path() string
	// Dump yields the rows of a table, in any order. A row is valid until the next.
	Dump(ctx context.Context, t *Table) iter.Seq2[[]any, error]
	// Fill replaces all that the store holds by what fill puts, in one transaction.
	Fill(ctx context.Context, fill func(put func(t *Table, rows [][]any) error) error) error
	// Mark returns a mark; "" is none.
	Mark(ctx context.Context, name string) (string, error)
	// SetMark sets a mark and waits until it is on disk; "" removes it.
	SetMark(ctx context.Context, name, value string) error
}

// The marks of a ledger.
const (
	Moved   = "moved"   // it was moved: a Move
	Copying = "copying" // a copy into it has begun and not ended: a Move
	Origin  = "origin"  // its content came by a copy: that one's ID
)

// Move is what the mark of a ledger says that was moved.
type Move struct {
	ID       string // of the copy
	From, To string // for people
	At       time.Time
}

// MovedError is what a store refuses to be opened with while it has the marks
// Moved or Copying; "" is that it has not.
func MovedError(where, moved, copying string) error {
	var m Move
	switch {
	case copying != "":
		if json.Unmarshal([]byte(copying), &m) != nil {
			m.From = "another ledger"
		}
		return &Error{Code: "ledger.copying", Place: At(where), Msg: "the copy of " + m.From + " into it did not end", Hint: "run leadload ledger copy again, from the same ledger"}
	case moved != "":
		if json.Unmarshal([]byte(moved), &m) != nil {
			m.To = "another ledger"
		}
		return &Error{Code: "ledger.moved", Place: At(where), Msg: "it was moved to " + m.To,
			Hint: "name that one with --ledger or LEADLOAD_LEDGER; leadload ledger reopen lets this one be used again, which does not know what was loaded since"}
	}
	return nil
}

// Copied says what a copy took over.
type Copied struct{ Accounts, Runs, Records, Open int64 }

// sum tells two sets of rows apart, in whatever order they come.
type sum struct {
	n int64
	h [4]uint64
}

func (s *sum) add(row []any, buf []byte) []byte {
	buf = buf[:0]
	for _, v := range row {
		switch v := v.(type) {
		case int64:
			buf = binary.LittleEndian.AppendUint64(append(buf, 0), uint64(v))
		case []byte:
			buf = append(binary.LittleEndian.AppendUint64(append(buf, 1), uint64(len(v))), v...)
		}
	}
	h := sha256.Sum256(buf)
	for i := range s.h {
		s.h[i] += binary.LittleEndian.Uint64(h[8*i:])
	}
	s.n++
	return buf
}

// copyRows bounds the rows that are handed over at once.
const copyRows = 1000

// Copy takes all that a ledger holds over into another, reads it back, and marks
// the first as moved. The other must be empty, or one that this one's content came
// from, or left behind by a copy that did not end. Nobody else may use either
// meanwhile.
func Copy(ctx context.Context, from, to Copier) (Copied, error) {
	var out Copied
	if err := copyable(ctx, from, to); err != nil {
		return out, err
	}
	id := make([]byte, 16)
	rand.Read(id)
	move := Move{ID: hex.EncodeToString(id), From: from.Path(), To: to.Path(), At: time.Now().UTC()}
	text, err := json.Marshal(move)
	if err != nil {
		return out, err
	}
	if err := to.SetMark(ctx, Copying, string(text)); err != nil {
		return out, err
	}
	have := make([]sum, len(Tables))
	err = to.Fill(ctx, func(put func(*Table, [][]any) error) error {
		var buf []byte
		for i := range Tables {
			t := &Tables[i]
			var rows [][]any
			for row, err := range from.Dump(ctx, t) {
				if err == nil {
					err = t.verify(from.Path(), row)
				}
				if err != nil {
					return err
				}
				buf = have[i].add(row, buf)
				rows = append(rows, cloneRow(row))
				if len(rows) == copyRows {
					if err := put(t, rows); err != nil {
						return err
					}
					rows = rows[:0]
				}
				out.count(t, row)
			}
			if len(rows) > 0 {
				if err := put(t, rows); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	var buf []byte
	for i := range Tables {
		var got sum
		for row, err := range to.Dump(ctx, &Tables[i]) {
			if err != nil {
				return out, err
			}
			buf = got.add(row, buf)
		}
		if got != have[i] {
			return out, &Error{Code: "ledger.corrupt", Place: At(to.Path()), Msg: fmt.Sprintf("its table %s does not read as it was copied: %d of %d rows", Tables[i].Name, got.n, have[i].n),
				Hint: "nothing was moved: go on with " + from.Path() + ", and run leadload ledger check on both"}
		}
	}
	// In this order: at no moment both can be used.
	return out, firstError(
		func() error { return to.SetMark(ctx, Origin, move.ID) },
		func() error { return to.SetMark(ctx, Moved, "") },
		func() error { return from.SetMark(ctx, Moved, string(text)) },
		func() error { return to.SetMark(ctx, Copying, "") },
	)
}

func firstError(steps ...func() error) error {
	for _, do := range steps {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// copyable reports why a ledger may not be copied into another.
func copyable(ctx context.Context, from, to Copier) error {
	moved, err := from.Mark(ctx, Moved)
	if err != nil {
		return err
	}
	half, err := from.Mark(ctx, Copying)
	if err != nil {
		return err
	}
	rest, err := to.Mark(ctx, Copying)
	if err != nil {
		return err
	}
	if rest != "" && half == "" {
		// A copy that broke off after its last but one mark left both closed.
		var was, now Move
		if moved == "" || json.Unmarshal([]byte(moved), &was) == nil && json.Unmarshal([]byte(rest), &now) == nil && was.ID == now.ID {
			return nil
		}
	}
	if err := MovedError(from.Path(), moved, half); err != nil {
		return err
	}
	some := false
	for _, err := range to.Dump(ctx, &Tables[0]) {
		if err != nil {
			return err
		}
		some = true
	}
	if !some {
		return nil
	}
	// What it holds is of before, where it was moved to the one that comes back.
	gone, err := to.Mark(ctx, Moved)
	if err != nil {
		return err
	}
	origin, err := from.Mark(ctx, Origin)
	if err != nil {
		return err
	}
	var m Move
	if gone != "" && json.Unmarshal([]byte(gone), &m) == nil && m.ID == origin && origin != "" {
		return nil
	}
	return &Error{Code: "ledger.occupied", Place: At(to.Path()), Msg: "there is a ledger already, with accounts of its own", Hint: "name an empty database, or a file that is not there yet"}
}

// verify reports what another store could not keep.
func (t *Table) verify(where string, row []any) error {
	for i, c := range t.Columns {
		if c.Kind != Name {
			continue
		}
		text := row[i].([]byte)
		bad := ""
		switch {
		case bytes.IndexByte(text, 0) >= 0:
			bad = "has a NUL"
		case !utf8.Valid(text):
			bad = "is no UTF-8"
		default:
			continue
		}
		return &Error{Code: "ledger.corrupt", Place: At(where), Msg: fmt.Sprintf("a %s in its table %s %s: %q", c.Name, t.Name, bad, text), Hint: "nothing was moved"}
	}
	return nil
}

func cloneRow(row []any) []any {
	out := make([]any, len(row))
	for i, v := range row {
		if b, ok := v.([]byte); ok {
			v = append([]byte{}, b...)
		}
		out[i] = v
	}
	return out
}

func (c *Copied) count(t *Table, row []any) {
	switch t.Name {
	case "accounts":
		c.Accounts++
	case "runs":
		c.Runs++
	case "records":
		c.Records++
	case "operations":
		if State(row[3].(int64)).Open() {
			c.Open++
		}
	}
}
