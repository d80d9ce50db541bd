package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"leadload/loader/ledger"
)

// group is how many rows one statement reads or writes: much of a statement's
// time is not the row's.
const group = 16

// places returns n groups of question marks with commas between.
func places(one string, n int) string { return strings.Repeat(one+",", n-1) + one }

// hashOf is where a record stands in the index of its identity: 8 bytes of
// it, mixed with the scope so that the same key in two scopes does not collide.
func hashOf(scope int64, ident *ledger.Ident) int64 {
	return int64(binary.LittleEndian.Uint64(ident[:8]) ^ mix(scope))
}

// mix spreads the bits of a small number (splitmix64).
func mix(n int64) uint64 {
	x := uint64(n) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// names reports whether a record's tail says that it is the one of ident.
// A whole identity stands there where the hash is not the record's own.
func names(tail []byte, ident *ledger.Ident) bool {
	if len(tail) == len(ident) {
		return bytes.Equal(tail, ident[:])
	}
	return bytes.Equal(tail, ident[8:])
}

// none fills the place of an id in a record that has none yet.
var none = make([]byte, 16)

// neverSent stands for the moment of a call before there was one: a negative
// number that takes as many bytes as a moment.
const neverSent = -(1 << 40)

// idBytes packs an id: a GUID into its 16 bytes, anything else stays a text.
func idBytes(id string) any {
	if id == "" {
		return none
	}
	var b [16]byte
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return id
	}
	var digits [32]byte
	n := 0
	for i := range len(id) {
		c := id[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			continue
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
			digits[n] = c
			n++
		default:
			return id // upper case is another text
		}
	}
	hex.Decode(b[:], digits[:])
	if b == [16]byte{} {
		return id
	}
	return b[:]
}

// idText unpacks an id.
func idText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		if len(v) != 16 || bytes.Equal(v, none) {
			return ""
		}
		var b [36]byte
		hex.Encode(b[:8], v[:4])
		hex.Encode(b[9:13], v[4:6])
		hex.Encode(b[14:18], v[6:8])
		hex.Encode(b[19:23], v[8:10])
		hex.Encode(b[24:], v[10:])
		b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
		return string(b[:])
	}
	return ""
}

// queries are the readers' prepared statements and what they have met.
type queries struct {
	mu     sync.Mutex
	stmts  map[string]*sql.Stmt
	shapes map[int64]shape
	last   int64 // the record of the greatest number that Known found in its last call; 0: none
}

func (q *queries) close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var errs []error
	for _, s := range q.stmts {
		errs = append(errs, s.Close())
	}
	q.stmts = nil
	return errors.Join(errs...)
}

// prepared returns a readers' statement.
func (l *Ledger) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	l.q.mu.Lock()
	defer l.q.mu.Unlock()
	if s := l.q.stmts[text]; s != nil {
		return s, nil
	}
	s, err := l.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if l.q.stmts == nil {
		l.q.stmts = map[string]*sql.Stmt{}
	}
	l.q.stmts[text] = s
	return s, nil
}

// canonicalShape stands before the names of a shape whose records have prints of
// values in their canonical form. Older records have prints of the values as
// they were sent.
const canonicalShape = "\x1e"

// mappingShape ends the hash of the mapping that made the values, which stands
// between the two where it is known.
const mappingShape = "\x1d"

// shape is what the prints of some records are of.
type shape struct {
	names   []string
	form    ledger.Form
	mapping string
}

// shapeOf returns a shape by its number.
func (l *Ledger) shapeOf(ctx context.Context, id int64) (shape, error) {
	l.q.mu.Lock()
	known, ok := l.q.shapes[id]
	l.q.mu.Unlock()
	if ok {
		return known, nil
	}
	var joined string
	if err := l.db.QueryRowContext(ctx, "SELECT names FROM shapes WHERE id = ?", id).Scan(&joined); err != nil {
		return shape{}, err
	}
	joined, canonical := strings.CutPrefix(joined, canonicalShape)
	if made, names, ok := strings.Cut(joined, mappingShape); ok {
		known.mapping, joined = made, names
	}
	if joined != "" {
		known.names = strings.Split(joined, "\x1f")
	}
	if canonical {
		known.form = ledger.Canonical
	}
	l.q.mu.Lock()
	defer l.q.mu.Unlock()
	if l.q.shapes == nil {
		l.q.shapes = map[int64]shape{}
	}
	l.q.shapes[id] = known
	return known, nil
}

const knownColumns = `SELECT c.id, c.scope, c.hash, c.tail, c.fate, c.body, c.shape, c.prints, c.remote, c.lead, o.state, u.state
	FROM records c LEFT JOIN operations o ON o.record = c.id AND o.op = 0 LEFT JOIN operations u ON u.record = c.id AND u.op = 1 WHERE `

var (
	knownOne    = knownColumns + "c.hash IN (?)"
	knownMany   = knownColumns + "c.hash IN (" + places("?", group) + ")"
	knownNumber = knownColumns + "c.id = ?"
	knownNext   = knownColumns + "c.id > ? ORDER BY c.id LIMIT ?"
)

// Known fills in what is known of the records that idents name. A file that is
// loaded again mostly has its rows in the order of their records: those that
// follow the last one of the call before are read in one go, and only the
// others are looked up by their identity.
func (l *Ledger) Known(ctx context.Context, scope int64, idents []ledger.Ident, out []ledger.Record) error {
	for i := range out {
		out[i] = ledger.Record{Prints: out[i].Prints[:0]}
	}
	if err := l.follow(ctx, scope, idents, out); err != nil {
		return l.fault(err)
	}
	var left []ledger.Ident
	var at []int
	for i := range idents {
		if out[i].ID == 0 {
			left, at = append(left, idents[i]), append(at, i)
		}
	}
	found := make([]ledger.Record, min(len(left), group))
	for len(left) > 0 {
		n := 1
		if len(left) >= group {
			n = group
		}
		for k := range found[:n] {
			found[k] = ledger.Record{Prints: out[at[k]].Prints[:0]}
		}
		if err := l.known(ctx, scope, left[:n], found[:n]); err != nil {
			return l.fault(err)
		}
		for k := range found[:n] {
			out[at[k]] = found[k]
		}
		left, at = left[n:], at[n:]
	}
	last := int64(0)
	for i := range out {
		last = max(last, out[i].ID)
	}
	l.q.mu.Lock()
	l.q.last = last
	l.q.mu.Unlock()
	return nil
}

// follow looks for records among those that follow the last one of the call
// before. Where the first few are others, it reads no further.
func (l *Ledger) follow(ctx context.Context, scope int64, idents []ledger.Ident, out []ledger.Record) error {
	l.q.mu.Lock()
	last := l.q.last
	l.q.mu.Unlock()
	if last == 0 || len(idents) < group {
		return nil
	}
	stmt, err := l.prepared(ctx, knownNext)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, last, len(idents))
	if err != nil {
		return err
	}
	defer rows.Close()
	const ahead = 8 // rows of the file that have no record, or another place
	var r knownRow
	for next, missed := 0, 0; rows.Next() && missed < ahead; {
		if err := r.scan(rows); err != nil {
			return err
		}
		found := false
		for i := next; i < min(next+ahead, len(idents)) && !found; i++ {
			if hashOf(scope, &idents[i]) == r.hash && r.in == scope && names(r.tail, &idents[i]) {
				if err := r.fill(ctx, l, &out[i]); err != nil {
					return err
				}
				next, found = i+1, true
			}
		}
		if missed++; found {
			missed = 0
		}
	}
	return rows.Err()
}

// knownRow is a row of knownColumns.
type knownRow struct {
	id, in, hash, shape int64
	fate                ledger.Fate
	tail, body, prints  sql.RawBytes
	remote, lead        any
	state, changing     sql.NullInt64
}

func (r *knownRow) scan(rows *sql.Rows) error {
	return rows.Scan(&r.id, &r.in, &r.hash, &r.tail, &r.fate, &r.body, &r.shape, &r.prints, &r.remote, &r.lead, &r.state, &r.changing)
}

// fill writes down what the row says.
func (r *knownRow) fill(ctx context.Context, l *Ledger, o *ledger.Record) error {
	if err := l.sound(r.id, r.fate, r.remote); err != nil {
		return err
	}
	o.ID, o.Fate, o.Creation, o.Remote = r.id, r.fate, ledger.State(r.state.Int64), idText(r.remote)
	o.Prints = append(o.Prints[:0], r.prints...)
	copy(o.Body[:], r.body)
	o.Lead, o.Changing = idText(r.lead), ledger.State(r.changing.Int64)
	of, err := l.shapeOf(ctx, r.shape)
	o.Names, o.Form, o.Mapping = of.names, of.form, of.mapping
	return err
}

// known looks up one identity or a group of them.
func (l *Ledger) known(ctx context.Context, scope int64, idents []ledger.Ident, out []ledger.Record) error {
	text := knownOne
	if len(idents) == group {
		text = knownMany
	}
	stmt, err := l.prepared(ctx, text)
	if err != nil {
		return err
	}
	var buf [group]any
	args := buf[:len(idents)]
	for i := range idents {
		args[i] = hashOf(scope, &idents[i])
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	collided, err := l.take(ctx, rows, scope, idents, out)
	if err != nil {
		return err
	}
	// Another record has the hash: this one's may be the next.
	for _, i := range collided {
		for next := hashOf(scope, &idents[i]) + 1; ; next++ {
			stmt, err := l.prepared(ctx, knownOne)
			if err != nil {
				return err
			}
			rows, err := stmt.QueryContext(ctx, next)
			if err != nil {
				return err
			}
			again, err := l.take(ctx, rows, scope, idents[i:i+1], out[i:i+1])
			if err != nil {
				return err
			}
			if len(again) == 0 {
				break // it is there, or nobody is
			}
		}
	}
	return nil
}

// Recall is Known by the numbers of records.
func (l *Ledger) Recall(ctx context.Context, records []int64, out []ledger.Record) error {
	stmt, err := l.prepared(ctx, knownNumber)
	if err != nil {
		return l.fault(err)
	}
	for i, id := range records {
		out[i] = ledger.Record{Prints: out[i].Prints[:0]}
		if err := l.recall(ctx, stmt, id, &out[i]); err != nil {
			return l.fault(err)
		}
	}
	return nil
}

func (l *Ledger) recall(ctx context.Context, stmt *sql.Stmt, id int64, o *ledger.Record) error {
	rows, err := stmt.QueryContext(ctx, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	var r knownRow
	if rows.Next() {
		if err := r.scan(rows); err != nil {
			return err
		}
		if err := r.fill(ctx, l, o); err != nil {
			return err
		}
	}
	return rows.Err()
}

// take fills in records from rows of knownColumns. It returns the places of
// the identities of which another record has the hash.
func (l *Ledger) take(ctx context.Context, rows *sql.Rows, scope int64, idents []ledger.Ident, out []ledger.Record) (collided []int, err error) {
	defer rows.Close()
	var r knownRow
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, err
		}
		for i := range idents {
			if len(idents) > 1 && hashOf(scope, &idents[i]) != r.hash {
				continue
			}
			if r.in != scope || !names(r.tail, &idents[i]) {
				if r.in == scope {
					if err := l.damaged(r.id, r.tail, &idents[i]); err != nil {
						return nil, err
					}
				}
				collided = append(collided, i)
				continue
			}
			if err := r.fill(ctx, l, &out[i]); err != nil {
				return nil, err
			}
		}
	}
	return collided, rows.Err()
}

// Idents returns the first 8 bytes of what names each record of a scope, and
// numbers of no meaning for those of other scopes. They are read from the
// index alone, some thousands in one row: most of a row's time is not SQLite's.
// A record whose hash is not its own is met all the same, because another one has it.
func (l *Ledger) Idents(ctx context.Context, scope int64, most int) (map[uint64]struct{}, error) {
	var n int64
	if err := l.db.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM records").Scan(&n); err != nil {
		return nil, l.fault(err)
	}
	if n > int64(most) {
		return nil, nil
	}
	set := make(map[uint64]struct{}, n)
	spread := mix(scope)
	last := int64(math.MinInt64)
	for {
		var text sql.NullString
		var end sql.NullInt64
		err := l.db.QueryRowContext(ctx, "SELECT group_concat(hash), max(hash) FROM (SELECT hash FROM records WHERE hash > ? ORDER BY hash LIMIT 8192)", last).Scan(&text, &end)
		if err != nil {
			return nil, l.fault(err)
		}
		if !end.Valid {
			return set, nil
		}
		for part := range strings.SplitSeq(text.String, ",") {
			hash, err := strconv.ParseInt(part, 10, 64)
			if err != nil {
				return nil, &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.path), Msg: "the file is damaged: a record has no name", Hint: corruptHint}
			}
			set[uint64(hash)^spread] = struct{}{}
		}
		if last = end.Int64; last == math.MaxInt64 {
			return set, nil
		}
	}
}

// marksOf reads the marks of a thousand records in one row: most of a row's time is not
// SQLite's. One that is not in the account has a mark of zeros.
const marksOf = "SELECT count(*), coalesce(group_concat(CASE fate WHEN 2 THEN body ELSE ?4 END, ''), '') FROM records WHERE id BETWEEN ?1 AND ?2 AND scope = ?3"

// Marks returns the records of a scope that are in the account, by their marks.
func (l *Ledger) Marks(ctx context.Context, scope int64, most int) (*ledger.MarkSet, error) {
	const many = 1024
	var n int64
	if err := l.db.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM records").Scan(&n); err != nil {
		return nil, l.fault(err)
	}
	if n > int64(most) {
		return nil, nil
	}
	set := ledger.NewMarkSet(n)
	stmt, err := l.prepared(ctx, marksOf)
	if err != nil {
		return nil, l.fault(err)
	}
	for first := int64(1); first <= n; first += many {
		last := min(first+many-1, n)
		var count int64
		var marks []byte
		if err := stmt.QueryRowContext(ctx, first, last, scope, none[:ledger.BodySize]).Scan(&count, &marks); err != nil {
			return nil, l.fault(err)
		}
		switch {
		case count == 0:
		case count == last-first+1 && int64(len(marks)) == count*ledger.BodySize:
			for record := first; record <= last; record++ {
				set.Add(record, marks[:ledger.BodySize])
				marks = marks[ledger.BodySize:]
			}
		default:
			if err := l.marksApart(ctx, scope, first, last, set); err != nil {
				return nil, l.fault(err)
			}
		}
	}
	talked, err := l.numbers(ctx, "SELECT DISTINCT record FROM operations")
	for _, record := range talked {
		set.Remove(record)
	}
	return set, err
}

// marksApart is Marks for a range of numbers that has other records as well.
func (l *Ledger) marksApart(ctx context.Context, scope, first, last int64, set *ledger.MarkSet) error {
	rows, err := l.db.QueryContext(ctx, "SELECT id, body FROM records WHERE id BETWEEN ? AND ? AND scope = ? AND fate = 2", first, last, scope)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var record int64
		var mark sql.RawBytes
		if err := rows.Scan(&record, &mark); err != nil {
			return err
		}
		set.Add(record, mark)
	}
	return rows.Err()
}

// madeBy returns the hash of the mapping of a run; "" for run 0.
func (w *writer) madeBy(run int64) (hash string, err error) {
	if hash, ok := w.made[run]; ok || run == 0 {
		return hash, nil
	}
	if err = w.row("SELECT mapping_hash FROM runs WHERE id = ?", run).Scan(&hash); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	if w.made == nil {
		w.made = map[int64]string{}
	}
	w.made[run] = hash
	return hash, nil
}

// shape finds or makes the number of a list of field names whose values a run's
// mapping has made.
func (w *writer) shape(names []string, run int64) (int64, error) {
	made, err := w.madeBy(run)
	if err != nil {
		return 0, err
	}
	joined := strings.Join(names, "\x1f")
	if made != "" {
		joined = made + mappingShape + joined
	}
	joined = canonicalShape + joined
	if id := w.shapes[joined]; id != 0 {
		return id, nil
	}
	var id int64
	err = w.row("SELECT id FROM shapes WHERE names = ?", joined).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		var r sql.Result
		if r, err = w.exec("INSERT INTO shapes (names) VALUES (?)", joined); err == nil {
			id, err = r.LastInsertId()
		}
	}
	if err != nil {
		return 0, err
	}
	return id, nil
}

// shaper finds the shapes of rows that mostly have the same.
type shaper struct {
	w     *writer
	run   int64
	names []string
	id    int64
}

func (s *shaper) of(names []string) (int64, error) {
	if s.id != 0 && slices.Equal(names, s.names) {
		return s.id, nil
	}
	id, err := s.w.shape(names, s.run)
	s.names, s.id = names, id
	return id, err
}

const newRecord = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

var (
	insertRecord  = "INSERT INTO records (id, scope, hash, tail, fate, body, shape, prints, remote, lead, sent, run, row, key) VALUES " + newRecord
	insertRecords = "INSERT INTO records (id, scope, hash, tail, fate, body, shape, prints, remote, lead, sent, run, row, key) VALUES " + places(newRecord, group) + " ON CONFLICT DO NOTHING"
)

// Plan writes rows that were decided about into a run.
func (l *Ledger) Plan(ctx context.Context, lease ledger.Lease, run, scope int64, entries []ledger.Entry) error {
	return l.jot(func(w *writer) error {
		if scope != 0 {
			if err := w.holds(lease); err != nil {
				return err
			}
			if err := w.records(lease, run, scope, entries); err != nil {
				return err
			}
			if err := w.offers(run, entries); err != nil {
				return err
			}
		}
		if err := w.moved(run, entries); err != nil {
			return err
		}
		return w.chunk(run, entries)
	})
}

// records makes the records of new rows, and brings others up to date.
func (w *writer) records(lease ledger.Lease, run, scope int64, entries []ledger.Entry) error {
	shapes := shaper{w: w, run: run}
	var fresh []*ledger.Entry
	var due, changing, wanted []any
	for i := range entries {
		e := &entries[i]
		if e.Verdict == ledger.Due && e.State == ledger.Ready && e.WantField != "" {
			// A lead that is wanted and not yet known stands in the table without
			// an id, so that a plan can count distinct look-ups.
			wanted = append(wanted, e.WantField, ledger.Hidden(e.WantValue))
		}
		switch {
		case e.Verdict == ledger.Changing:
			if _, err := w.exec("UPDATE records SET run = ?, row = ? WHERE id = ?", run, e.Number, e.Record); err != nil {
				return err
			}
			if !e.State.Open() {
				changing = append(changing, e.Record)
			}
		case e.Renew && e.Verdict == ledger.Already:
			mark := e.Mark()
			if _, err := w.exec("UPDATE records SET body = ? WHERE id = ?", mark[:], e.Record); err != nil {
				return err
			}
		case e.Verdict != ledger.Due:
		case e.Record == 0:
			fresh = append(fresh, e)
		case e.Replan:
			shape, err := shapes.of(e.Digest.Names)
			if err != nil {
				return err
			}
			mark := e.Mark()
			n, err := w.changes("UPDATE records SET run = ?, row = ?, body = ?, shape = ?, prints = ? WHERE id = ? AND fate = 1 AND NOT EXISTS (SELECT 1 FROM payloads p WHERE p.record = records.id)",
				run, e.Number, mark[:], shape, e.Digest.Prints, e.Record)
			if err != nil {
				return err
			}
			if n == 0 {
				return fmt.Errorf("%w: record %d", ledger.ErrPlanned, e.Record)
			}
			due = append(due, e.Record)
		default:
			if _, err := w.exec("UPDATE records SET run = ?, row = ? WHERE id = ?", run, e.Number, e.Record); err != nil {
				return err
			}
		}
	}
	for len(wanted) > 0 {
		n := sized(len(wanted) / 2)
		if _, err := w.exec(wantLeads[n], append([]any{lease.Account}, wanted[:2*n]...)...); err != nil {
			return err
		}
		wanted = wanted[2*n:]
	}
	// What an earlier call had to say of a row that is sent anew is old news.
	if err := w.each("DELETE FROM operations WHERE op = 0 AND record IN (", due); err != nil {
		return err
	}
	if err := w.each("DELETE FROM operations WHERE op = 1 AND record IN (", changing); err != nil {
		return err
	}
	if len(fresh) > 0 {
		if err := w.prove(); err != nil {
			return err
		}
		if err := w.insert(&shapes, run, scope, fresh); err != nil {
			return err
		}
	}
	for i := range entries {
		if e := &entries[i]; e.Record == 0 && e.SameAs > 0 {
			e.Record = entries[e.SameAs-1].Record
		}
	}
	return nil
}

// insert makes records. Their numbers follow one another, so that rows of a
// file lie side by side.
func (w *writer) insert(shapes *shaper, run, scope int64, fresh []*ledger.Entry) error {
	var last int64
	if err := w.row("SELECT coalesce(max(id), 0) FROM records").Scan(&last); err != nil {
		return err
	}
	for len(fresh) > 0 {
		n := 1
		if len(fresh) >= group {
			n = group
		}
		args := w.args[:0]
		for i, e := range fresh[:n] {
			shape, err := shapes.of(e.Digest.Names)
			if err != nil {
				return err
			}
			e.Record = last + int64(i) + 1
			mark := e.Mark()
			args = append(args, e.Record, scope, hashOf(scope, &e.Ident), e.Ident[8:], ledger.Absent, mark[:], shape, e.Digest.Prints, none, none, neverSent, run, e.Number, null(e.KeyText))
		}
		w.args = args
		made := int64(0)
		if n > 1 {
			var err error
			if made, err = w.changes(insertRecords, args...); err != nil {
				return err
			}
		}
		if made < int64(n) {
			// One of them has the hash of another record, or there is but one. What was
			// written of the group is taken back, to write its rows one by one.
			if made > 0 {
				if _, err := w.exec("DELETE FROM records WHERE id > ?", last); err != nil {
					return err
				}
			}
			for i, e := range fresh[:n] {
				if err := w.insertOne(scope, &e.Ident, args[i*14:i*14+14]); err != nil {
					return err
				}
			}
		}
		last += int64(n)
		fresh = fresh[n:]
	}
	return nil
}

// insertOne makes one record, at the first hash from its own that is free.
func (w *writer) insertOne(scope int64, ident *ledger.Ident, args []any) error {
	for hash := hashOf(scope, ident); ; hash++ {
		var in int64
		var tail []byte
		err := w.row("SELECT scope, tail FROM records WHERE hash = ?", hash).Scan(&in, &tail)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			args[2] = hash
			if hash != hashOf(scope, ident) {
				args[3] = ident[:]
			}
			_, err := w.exec(insertRecord, args...)
			return err
		case err != nil:
			return err
		case in == scope && names(tail, ident):
			return fmt.Errorf("%w: %x", ledger.ErrPlanned, ident[:])
		}
	}
}

// each runs a statement that ends in a list of values, a group at a time.
func (w *writer) each(text string, values []any) error {
	for len(values) > 0 {
		n := 1
		if len(values) >= group {
			n = group
		}
		if _, err := w.exec(text+places("?", n)+")", values[:n]...); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}
