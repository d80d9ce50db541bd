package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

// Preview decides about rows as Plan would, and writes nothing. It serves one
// pass over one file; Known may be asked by any goroutine, the rest by one.
type Preview struct {
	l      *Ledger // nil: nothing was ever loaded
	scope  int64
	find   *sql.Stmt
	names  map[int64][]string
	rows   map[[16]byte]seen        // by identity
	looked int                      // rows looked for in the ledger
	idents atomic.Pointer[identSet] // nil: not read
}

type seen struct{ first, times int32 }

// Preview begins a preview of a target of an account that is known by any of
// names. A nil Ledger knows nothing.
func (l *Ledger) Preview(ctx context.Context, names []string, target string) (*Preview, error) {
	p := &Preview{rows: map[[16]byte]seen{}, names: map[int64][]string{}}
	if l == nil {
		return p, nil
	}
	for _, n := range names {
		err := l.db.QueryRowContext(ctx, "SELECT s.id FROM account_names a JOIN scopes s ON s.account = a.account WHERE a.name = ? AND s.target = ?", n, target).Scan(&p.scope)
		if err == nil {
			break
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, l.fault(err)
		}
	}
	if p.scope == 0 {
		return p, nil
	}
	var any int
	if err := l.db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM records WHERE scope = ? LIMIT 1)", p.scope).Scan(&any); err != nil || any == 0 {
		return p, l.fault(err)
	}
	var err error
	if p.find, err = l.db.PrepareContext(ctx, "SELECT id, state, body, prints, shape, run, row, seen, remote FROM records WHERE scope = ? AND ident = ?"); err != nil {
		return nil, l.fault(err)
	}
	p.l = l
	return p, nil
}

// Close releases what the preview holds.
func (p *Preview) Close() error {
	if p.find == nil {
		return nil
	}
	return p.find.Close()
}

// Empty reports that nothing of the target was ever loaded: rows need no
// Digest, and no Identity but for their key, to be decided about.
func (p *Preview) Empty() bool { return p.l == nil }

// A ledger that has other rows than a file's is asked in vain for every row.
// After as many questions as a small file has rows, what it has is read
// once, unless that is so much that memory would grow with it.
var identsAfter, identsMost = 20_000, 2_000_000

// Known reports whether the ledger may have a record of a row with a key. A
// row that it does not know needs no Digest: set Fresh before Decide.
func (p *Preview) Known(e *Entry) bool {
	set := p.idents.Load()
	return set == nil || !e.HasKey || set.has(e.ident(1))
}

// learn reads which records the ledger has, so that Known can tell.
func (p *Preview) learn(ctx context.Context) error {
	rows, err := p.l.db.QueryContext(ctx, "SELECT ident FROM records WHERE scope = ? LIMIT ?", p.scope, identsMost+1)
	if err != nil {
		return p.l.fault(err)
	}
	defer rows.Close()
	set := identSet{}
	var ident sql.RawBytes
	for n := 1; rows.Next(); n++ {
		if err := rows.Scan(&ident); err != nil {
			return p.l.fault(err)
		}
		if n > identsMost {
			return nil
		}
		if len(ident) != 16 {
			return &Error{Code: "ledger.corrupt", Path: p.l.path, Msg: "the file is damaged: a record has no name", Hint: corruptHint}
		}
		set.add(ident)
	}
	if err := rows.Err(); err != nil {
		return p.l.fault(err)
	}
	p.idents.Store(&set)
	return nil
}

// identSet knows records by 64 bits of what names them, a hash: that one is
// taken for known which is not costs a look into the ledger, and the
// other way round it never errs.
type identSet map[uint64]struct{}

func (s identSet) add(ident []byte) { s[binary.LittleEndian.Uint64(ident)] = struct{}{} }

func (s identSet) has(ident []byte) bool {
	_, ok := s[binary.LittleEndian.Uint64(ident)]
	return ok
}

// Decide fills in the Verdict of one row, and Code, Msg, Hint and State.
func (p *Preview) Decide(ctx context.Context, e *Entry) error {
	if e.Verdict != 0 {
		return nil
	}
	s := p.rows[e.Identity]
	if s.times++; s.times == 1 {
		s.first = int32(e.Number)
	}
	p.rows[e.Identity] = s
	if s.times > 1 && e.HasKey {
		e.repeats(int64(s.first))
		return nil
	}
	e.Verdict, e.State = Due, Ready
	if p.l == nil || e.Fresh {
		return nil
	}
	if p.looked++; p.looked == identsAfter {
		if err := p.learn(ctx); err != nil {
			return err
		}
	}
	var r record
	err := p.find.QueryRowContext(ctx, p.scope, e.ident(int(s.times))).
		Scan(&r.id, &r.state, &r.body, &r.prints, &r.shape, &r.run, &r.row, &r.seen, &r.remote)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return p.l.fault(err)
	}
	switch r.state {
	case Loaded, Duplicate:
		if string(e.Digest.Body[:]) == string(r.body) {
			e.Verdict = Already
			return nil
		}
		names, ok := p.names[r.shape]
		if !ok {
			var joined string
			if err := p.l.db.QueryRowContext(ctx, "SELECT names FROM shapes WHERE id = ?", r.shape).Scan(&joined); err != nil {
				return p.l.fault(err)
			}
			names = splitNames(joined)
			p.names[r.shape] = names
		}
		e.changes(r.remote.String, diffFields(names, r.prints, e.Digest))
	case InDoubt, Sending, Reserved, Pending:
		e.State = r.state
	}
	return nil
}

// RepeatOf marks a second line with the key of an earlier row, for a caller
// that keeps watch itself.
func (e *Entry) RepeatOf(row int) { e.repeats(int64(row)) }

// repeats marks a second line with the key of an earlier row.
func (e *Entry) repeats(row int64) {
	e.Verdict, e.Code = Repeated, "row.repeated"
	e.Msg = fmt.Sprintf("the key %q is that of row %d already", e.KeyText, row)
	e.Hint = "give the row a key of its own, or delete it if it says the same thing twice"
}

// changes marks a row whose record is loaded with other values.
func (e *Entry) changes(remote string, fields []string) {
	e.Verdict, e.Code = Changed, "row.changed"
	e.Msg = fmt.Sprintf("loaded before as %s with other values: %s changed", remote, strings.Join(fields, ", "))
	e.Hint = "not sent again; change the record in the account, or give the row a new key if it is a new record"
}

func splitNames(joined string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, "\x1f")
}

// Note writes rows of a run as they were decided elsewhere, without records.
// It serves a ledger that is thrown away after its report.
func (l *Ledger) Note(ctx context.Context, run int64, entries []Entry) error {
	return l.jot(func(w *writer) error {
		return w.runRows(run, entries)
	})
}

// rowGroup is how many rows of a run one statement writes: much of a
// statement's time is not the row's.
const rowGroup = 16

const insertRunRow = "INSERT INTO run_rows (run, n, line, origin, print, verdict, record, key, code, msg, hint) VALUES (?,?,?,?,?,?,?,?,?,?,?)"

var insertRunRows = insertRunRow + strings.Repeat(",(?,?,?,?,?,?,?,?,?,?,?)", rowGroup-1)

// runRows writes rows as they were decided.
func (w *writer) runRows(run int64, entries []Entry) error {
	args := make([]any, 0, 11*rowGroup)
	for len(entries) > 0 {
		n, q := 1, insertRunRow
		if len(entries) >= rowGroup {
			n, q = rowGroup, insertRunRows
		}
		args = args[:0]
		for i := range entries[:n] {
			e := &entries[i]
			var rec any
			if e.Record != 0 {
				rec = e.Record
			}
			args = append(args, run, e.Number, e.Line, e.Origin, int64(e.Fingerprint), e.Verdict, rec, null(e.KeyText), null(e.Code), null(e.Msg), null(e.Hint))
		}
		if _, err := w.exec(q, args...); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}
