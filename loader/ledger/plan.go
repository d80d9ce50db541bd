package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Entry is one row of a file as the first pass sees it. Plan fills in what it
// finds out: Verdict, Record, State, Code, Msg and Hint.
type Entry struct {
	Number, Line, Origin int
	Fingerprint          uint64

	// Verdict is Invalid or Skipped when the row is not to be looked at any
	// further, with Code, Msg and Hint; otherwise 0.
	Verdict         Verdict
	Code, Msg, Hint string

	HasKey   bool
	Identity [16]byte // hash of the key, or without one of the body
	KeyText  string   // as people read it
	Digest   Digest   // of the body
	Fresh    bool     // Preview.Known has said no

	// Want is a lead that has to be looked up before the row can be sent.
	WantField, WantValue string

	Record int64 // the record's number; 0 for Invalid and Skipped
	State  State // the record's state after Plan
}

// Digest is what the ledger keeps of a request body: a hash of the whole, and
// 4 bytes of hash for each field, enough to name a field that changed and too
// little to keep its value.
type Digest struct {
	Body   [16]byte
	Names  []string
	Prints []byte
}

// Digester makes digests. It shares the list of names between rows that have
// the same fields, and serves one goroutine.
type Digester struct {
	names []string
	h     hash.Hash
}

// Digest hashes a body of n fields.
func (d *Digester) Digest(n int, field func(i int) (name, value string)) Digest {
	if d.h == nil {
		d.h = sha256.New()
	}
	same := n == len(d.names)
	for i := 0; i < n && same; i++ {
		name, _ := field(i)
		same = name == d.names[i]
	}
	if !same {
		d.names = make([]string, n)
		for i := range d.names {
			name, _ := field(i)
			d.names[i] = strings.Clone(name)
		}
	}
	out := Digest{Names: d.names, Prints: make([]byte, 0, 4*n)}
	d.h.Reset()
	var sum [32]byte
	var size [8]byte
	for i := 0; i < n; i++ {
		name, value := field(i)
		binary.LittleEndian.PutUint32(size[:4], uint32(len(name)))
		binary.LittleEndian.PutUint32(size[4:], uint32(len(value)))
		d.h.Write(size[:])
		d.h.Write(unsafeBytes(name))
		d.h.Write(unsafeBytes(value))
		out.Prints = binary.LittleEndian.AppendUint32(out.Prints, print32(value))
	}
	d.h.Sum(sum[:0])
	copy(out.Body[:], sum[:])
	return out
}

// print32 is a stable 32-bit hash (FNV-1a).
func print32(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// unsafeBytes views a string as bytes for a hash, which only reads them.
func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// HashIdentity hashes the parts of a row's identity, each with its length.
func HashIdentity(parts ...string) [16]byte {
	var buf [128]byte
	b := buf[:0]
	for _, p := range parts {
		b = append(append(strconv.AppendInt(b, int64(len(p)), 10), ':'), p...)
	}
	h := sha256.Sum256(b)
	return [16]byte(h[:16])
}

// ident is what names a record within its scope. Without a key, rows with the
// same body are told apart by their occurrence in the file: 1, 2, …
func (e *Entry) ident(occurrence int) []byte {
	var b [25]byte
	if e.HasKey {
		b[0], occurrence = 'k', 0
	} else {
		b[0] = 'b'
	}
	binary.LittleEndian.PutUint64(b[1:], uint64(occurrence))
	copy(b[9:], e.Identity[:])
	h := sha256.Sum256(b[:])
	return h[:16]
}

// Plan takes the next rows of a run's first pass: it finds or makes the
// record of each and decides what is to be done with it. All entries are
// written in one transaction, which is on disk when the first row may leave.
// Records that were rejected by an earlier run become Ready again.
func (l *Ledger) Plan(ctx context.Context, run, scope int64, entries []Entry) error {
	return l.jot(func(w *writer) error {
		p := planner{w: w, run: run, scope: scope}
		for i := range entries {
			if err := p.plan(&entries[i]); err != nil {
				return err
			}
		}
		return w.runRows(run, entries)
	})
}

type planner struct {
	w          *writer
	run, scope int64
	shapeNames []string
	shapeID    int64
	fresh      bool // the last row was new
}

type record struct {
	id           int64
	state        State
	body, prints []byte
	shape        int64
	run, row     int64
	seen         int64
	remote       sql.NullString
}

func (p *planner) find(ident []byte) (*record, error) {
	var r record
	err := p.w.row("SELECT id, state, body, prints, shape, run, row, seen, remote FROM records WHERE scope = ? AND ident = ?", p.scope, ident).
		Scan(&r.id, &r.state, &r.body, &r.prints, &r.shape, &r.run, &r.row, &r.seen, &r.remote)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &r, err
}

func (p *planner) plan(e *Entry) error {
	if e.Verdict == 0 {
		if err := p.decide(e); err != nil {
			return err
		}
	}
	if e.Verdict == Due && e.State == Ready && e.WantField != "" {
		// A lead that is wanted and not yet known stands in the table without
		// an id, so that a plan can count distinct look-ups.
		_, err := p.w.exec("INSERT INTO leads (account, field, value, lead, found) SELECT account, ?, ?, '', 0 FROM scopes WHERE id = ? ON CONFLICT DO NOTHING",
			e.WantField, hashOf(e.WantValue), p.scope)
		return err
	}
	return nil
}

func (p *planner) decide(e *Entry) error {
	body := e.Digest.Body[:]
	ident := e.ident(1)
	if p.fresh { // and so is this one, most likely: nothing needs to be looked for
		if done, err := p.begin(e, ident); done || err != nil {
			return err
		}
	}
	r, err := p.find(ident)
	if err != nil {
		return err
	}
	p.fresh = r == nil
	if r != nil && r.run == p.run {
		if e.HasKey {
			e.Record, e.State = r.id, r.state
			e.repeats(r.row)
			return nil
		}
		// The record of the first occurrence counts the others of this run.
		if _, err := p.w.exec("UPDATE records SET seen = seen + 1 WHERE id = ?", r.id); err != nil {
			return err
		}
		ident = e.ident(int(r.seen) + 1)
		if r, err = p.find(ident); err != nil {
			return err
		}
	}
	if r == nil {
		done, err := p.begin(e, ident)
		if err == nil && !done {
			err = fmt.Errorf("record %x is there and is not", ident)
		}
		return err
	}
	e.Record, e.State = r.id, r.state
	if _, err := p.w.exec("UPDATE records SET run = ?, row = ?, seen = 1 WHERE id = ?", p.run, e.Number, r.id); err != nil {
		return err
	}
	same := bytes.Equal(body, r.body)
	switch r.state {
	case Loaded, Duplicate:
		if same {
			e.Verdict = Already
			return nil
		}
		diff, err := p.diff(r, e.Digest)
		if err != nil {
			return err
		}
		e.changes(r.remote.String, diff)
	case Pending:
		e.Verdict = Due
		if !same {
			return p.differs(r, e)
		}
	case InDoubt, Reserved, Sending: // the last two only where their outcome could not be written
		e.Verdict = Due
		if !same {
			return p.differs(r, e)
		}
	default: // Ready and Rejected
		e.Verdict, e.State = Due, Ready
		shape, err := p.shape(e.Digest.Names)
		if err != nil {
			return err
		}
		_, err = p.w.exec("UPDATE records SET state = ?, body = ?, shape = ?, prints = ?, code = NULL, msg = NULL, hint = NULL, payload = NULL, candidates = NULL, ended = NULL, resends = 0 WHERE id = ?",
			Ready, body, shape, e.Digest.Prints, r.id)
		return err
	}
	return nil
}

// begin makes a new row's record, and reports false when there is one.
func (p *planner) begin(e *Entry, ident []byte) (done bool, err error) {
	shape, err := p.shape(e.Digest.Names)
	if err != nil {
		return false, err
	}
	res, err := p.w.exec("INSERT INTO records (scope, ident, state, body, shape, prints, run, row) VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
		p.scope, ident, Ready, e.Digest.Body[:], shape, e.Digest.Prints, p.run, e.Number)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	e.Verdict, e.State = Due, Ready
	e.Record, err = res.LastInsertId()
	return true, err
}

// differs notes on a row whose record is still open that the file has other
// values by now. The record keeps what was sent: it is what must be looked for.
func (p *planner) differs(r *record, e *Entry) error {
	diff, err := p.diff(r, e.Digest)
	if err != nil {
		return err
	}
	e.Code = "row.changed"
	e.Msg = fmt.Sprintf("sent before with other values: %s changed", strings.Join(diff, ", "))
	e.Hint = "run the same command again when the row is settled"
	return nil
}

func (p *planner) shape(names []string) (int64, error) {
	if p.shapeID != 0 && slices.Equal(names, p.shapeNames) {
		return p.shapeID, nil
	}
	id, err := p.w.shape(names)
	p.shapeNames, p.shapeID = names, id
	return id, err
}

// diff names the fields in which a row differs from its record.
func (p *planner) diff(r *record, d Digest) ([]string, error) {
	var joined string
	if err := p.w.row("SELECT names FROM shapes WHERE id = ?", r.shape).Scan(&joined); err != nil {
		return nil, err
	}
	return diffFields(splitNames(joined), r.prints, d), nil
}

// diffFields names the fields that differ between a record's prints and a digest.
func diffFields(names []string, prints []byte, d Digest) []string {
	newNames, newPrints := d.Names, d.Prints
	old := map[string]string{}
	for i, n := range names {
		if 4*i+4 <= len(prints) {
			old[n] += string(prints[4*i : 4*i+4])
		}
	}
	now := map[string]string{}
	for i, n := range newNames {
		now[n] += string(newPrints[4*i : 4*i+4])
	}
	var diff []string
	for i, n := range newNames {
		if old[n] != now[n] && !slices.Contains(newNames[:i], n) {
			diff = append(diff, n)
		}
	}
	for i, n := range names {
		if _, ok := now[n]; !ok && !slices.Contains(names[:i], n) {
			diff = append(diff, n)
		}
	}
	if len(diff) == 0 {
		diff = []string{"the order of the fields"}
	}
	return diff
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Planned is a row of a run as the second pass needs it.
type Planned struct {
	Number      int
	Fingerprint uint64
	Verdict     Verdict
	Record      int64
	State       State
}

// Planned gives the rows of a run in the order of the file, read a page at a
// time so that no read stays open while the run writes. The first pages are
// small: the first row need not wait for a thousand others.
func (l *Ledger) Planned(ctx context.Context, run int64) iter.Seq2[Planned, error] {
	const firstPage, lastPage = 64, 1024
	return func(yield func(Planned, error) bool) {
		last := -1
		buf := make([]Planned, 0, lastPage)
		for page := firstPage; ; page = min(2*page, lastPage) {
			buf = buf[:0]
			rows, err := l.db.QueryContext(ctx, `SELECT x.n, x.print, x.verdict, coalesce(x.record, 0), coalesce(c.state, 0)
				FROM run_rows x LEFT JOIN records c ON c.id = x.record WHERE x.run = ? AND x.n > ? ORDER BY x.n LIMIT ?`, run, last, page)
			if err != nil {
				yield(Planned{}, l.fault(err))
				return
			}
			for rows.Next() {
				var p Planned
				var print int64
				if err := rows.Scan(&p.Number, &print, &p.Verdict, &p.Record, &p.State); err != nil {
					rows.Close()
					yield(Planned{}, l.fault(err))
					return
				}
				p.Fingerprint = uint64(print)
				buf = append(buf, p)
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				yield(Planned{}, l.fault(err))
				return
			}
			for _, p := range buf {
				if !yield(p, nil) {
					return
				}
			}
			if len(buf) < page {
				return
			}
			last = buf[len(buf)-1].Number
		}
	}
}

// PlanCounts counts a run's rows as its first pass left them.
func (l *Ledger) PlanCounts(ctx context.Context, run int64) (Counts, error) {
	var c Counts
	err := l.tally(ctx, run, func(v Verdict, s State, n int64) { c.Add(PlannedResult(v, s), n) })
	return c, err
}
