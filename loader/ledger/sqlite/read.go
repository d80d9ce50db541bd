package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"time"

	"leadload/loader/ledger"
)

const runColumns = `r.id, r.account, a.name, r.command, r.input, r.input_path, r.sheet, r.mapping, r.mapping_path, r.mapping_hash,
	r.target, r.timezone, r.who, r.version, r.pace, r.started, r.ended, r.calls, r.throttled, r.stop, r.exit, r.out, r.did, r.bulk`

func scanRun(s rowScanner) (ledger.Run, error) {
	var r ledger.Run
	var started int64
	var ended sql.NullInt64
	var did string
	err := s.Scan(&r.ID, &r.Account, &r.AccountName, &r.Command, &r.Input, &r.InputPath, &r.Sheet, &r.Mapping, &r.MappingPath, &r.MappingHash,
		&r.Target, &r.Timezone, &r.Who, &r.Version, &r.Limit, &started, &ended, &r.Calls, &r.Throttled, &r.Stop, &r.Exit, &r.Out, &did, &r.Bulk)
	r.Started, r.Did = time.UnixMilli(started).UTC(), ledger.ParseCounts(did)
	if ended.Valid {
		r.Ended = time.UnixMilli(ended.Int64).UTC()
	}
	return r, err
}

// Runs returns the runs that the query names, the newest first.
func (l *Ledger) Runs(ctx context.Context, q ledger.RunQuery) ([]ledger.Run, error) {
	where, args := " WHERE r.id = ?", []any{q.ID}
	if q.ID == 0 {
		where, args = " ORDER BY r.id DESC LIMIT ?", []any{q.Newest}
	}
	rows, err := l.db.QueryContext(ctx, "SELECT "+runColumns+" FROM runs r LEFT JOIN accounts a ON a.id = r.account"+where, args...)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []ledger.Run
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, l.fault(err)
		}
		out = append(out, r)
	}
	return out, l.fault(rows.Err())
}

// changing looks up how the update of a record stands; nil: there is none.
func (l *Ledger) changing(ctx context.Context, record int64) (*ledger.Change, error) {
	stmt, err := l.prepared(ctx, "SELECT state, sent, attempts, code, msg, hint FROM operations WHERE record = ? AND op = 1")
	if err != nil {
		return nil, l.fault(err)
	}
	var c ledger.Change
	var code, msg, hint sql.NullString
	switch err := stmt.QueryRowContext(ctx, record).Scan(&c.State, &c.Sent, &c.Attempts, &code, &msg, &hint); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, l.fault(err)
	}
	c.Code, c.Msg, c.Hint = code.String, msg.String, hint.String
	return &c, nil
}

const standingColumns = `SELECT r.id, r.fate, r.remote, coalesce(o.lead, r.lead), r.key, r.attempts + coalesce(o.attempts, 0), coalesce(o.sent, r.sent),
	o.state, o.request, o.code, o.msg, o.hint, o.candidates FROM records r LEFT JOIN operations o ON o.record = r.id AND o.op = 0 WHERE r.id `

const (
	quietRange = "SELECT r.id, r.fate, r.remote, r.lead, r.key, r.attempts, r.sent FROM records r WHERE r.id BETWEEN ? AND ? ORDER BY r.id"
	loudRange  = "SELECT EXISTS (SELECT 1 FROM operations WHERE record BETWEEN ? AND ?)"
	// What a count of records needs of them.
	fatesOfRange = "SELECT count(*), coalesce(sum(fate = 2), 0), coalesce(sum(fate = 3), 0) FROM records WHERE id BETWEEN ? AND ?"
)

var (
	standingRange = standingColumns + "BETWEEN ? AND ? ORDER BY r.id"
	standingOne   = standingColumns + "= ?"
	standingMany  = standingColumns + "IN (" + places("?", group) + ")"
)

// standings looks up records by their numbers, which come in ascending order.
// Records of rows that follow one another mostly do so too, and are read as a range.
func (l *Ledger) standings(ctx context.Context, dst []ledger.Standing, ids []int64) ([]ledger.Standing, error) {
	dst = dst[:0]
	for len(ids) > 0 {
		// As many as lie close together; then those that lie apart.
		n := 1
		for n < len(ids) && ids[n]-ids[n-1] <= 4 {
			n++
		}
		var err error
		if n >= 4 {
			dst, err = l.standRange(ctx, dst, ids[:n])
		} else if n = min(group, len(ids)); n == group {
			args := make([]any, group)
			for i := range args {
				args[i] = ids[i]
			}
			dst, err = l.stand(ctx, dst, standingMany, nil, args...)
		} else {
			n = 1
			dst, err = l.stand(ctx, dst, standingOne, nil, ids[0])
		}
		if err != nil {
			return dst, err
		}
		ids = ids[n:]
	}
	slices.SortFunc(dst, func(a, b ledger.Standing) int { return cmp.Compare(a.ID, b.ID) })
	return dst, nil
}

// standRange appends the records of numbers that lie close together. Mostly no
// call has anything to say of them, which one question tells for all.
func (l *Ledger) standRange(ctx context.Context, dst []ledger.Standing, ids []int64) ([]ledger.Standing, error) {
	first, last := ids[0], ids[len(ids)-1]
	loud, err := l.loud(ctx, first, last)
	if err != nil {
		return dst, err
	}
	if loud {
		return l.stand(ctx, dst, standingRange, ids, first, last)
	}
	stmt, err := l.prepared(ctx, quietRange)
	if err != nil {
		return dst, l.fault(err)
	}
	rows, err := stmt.QueryContext(ctx, first, last)
	if err != nil {
		return dst, l.fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s ledger.Standing
		var remote, lead any
		var key sql.NullString
		if err := rows.Scan(&s.ID, &s.Fate, &remote, &lead, &key, &s.Attempts, &s.Sent); err != nil {
			return dst, l.fault(err)
		}
		if ids = wanted(ids, s.ID); len(ids) > 0 && ids[0] == s.ID {
			s.Remote, s.Lead, s.Key = idText(remote), idText(lead), key.String
			dst = append(dst, s)
		}
	}
	return dst, l.fault(rows.Err())
}

// loud reports whether a call has anything to say of the records of a range.
func (l *Ledger) loud(ctx context.Context, first, last int64) (yes bool, err error) {
	stmt, err := l.prepared(ctx, loudRange)
	if err == nil {
		err = stmt.QueryRowContext(ctx, first, last).Scan(&yes)
	}
	return yes, l.fault(err)
}

// wanted drops the numbers below id.
func wanted(ids []int64, id int64) []int64 {
	for len(ids) > 0 && ids[0] < id {
		ids = ids[1:]
	}
	return ids
}

// stand appends the rows of a query; with only, those of the numbers in it.
func (l *Ledger) stand(ctx context.Context, dst []ledger.Standing, text string, only []int64, args ...any) ([]ledger.Standing, error) {
	stmt, err := l.prepared(ctx, text)
	if err != nil {
		return dst, l.fault(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return dst, l.fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s ledger.Standing
		var remote, lead any
		var key, request, code, msg, hint, among sql.NullString
		var state sql.NullInt64
		if err := rows.Scan(&s.ID, &s.Fate, &remote, &lead, &key, &s.Attempts, &s.Sent, &state, &request, &code, &msg, &hint, &among); err != nil {
			return dst, l.fault(err)
		}
		if only != nil {
			if only = wanted(only, s.ID); len(only) == 0 || only[0] != s.ID {
				continue
			}
		}
		s.Remote, s.Lead, s.Key, s.Request = idText(remote), idText(lead), key.String, request.String
		s.Creation, s.Code, s.Msg, s.Hint, s.Among = ledger.State(state.Int64), code.String, msg.String, hint.String, among.String
		dst = append(dst, s)
	}
	return dst, l.fault(rows.Err())
}

// rowReader walks through the rows of a run, a chunk at a time.
type rowReader struct {
	l      *Ledger
	counts ledger.Tally // not nil: rows that can be counted without a look at each go into it, and not to do
	wordy  bool         // records are looked up only where the plan or a call has something to say of them
	chunk  chunkReader
	ids    []int64
	known  []ledger.Standing
}

// each calls do for every row of a run with what is known of its record now,
// or nil. needed says which rows' records are looked up.
func (r *rowReader) each(ctx context.Context, run int64, needed func(*ledger.PlannedRow) bool, do func(*ledger.PlannedRow, *ledger.Standing) bool) error {
	for from := 0; ; {
		ok, err := r.chunk.next(ctx, r.l, run, from, false)
		if !ok || err != nil {
			return err
		}
		if r.counts != nil {
			counted, err := r.count(ctx, needed)
			if err != nil {
				return err
			}
			if counted {
				from = r.chunk.rows[len(r.chunk.rows)-1].Number + 1
				continue
			}
		}
		r.ids = r.ids[:0]
		for i := range r.chunk.rows {
			if row := &r.chunk.rows[i]; row.Record != 0 && needed(row) {
				r.ids = append(r.ids, row.Record)
			}
		}
		slices.Sort(r.ids)
		r.ids = slices.Compact(r.ids)
		if r.wordy {
			if err := r.onlyTold(ctx); err != nil {
				return err
			}
		}
		if r.known, err = r.l.standings(ctx, r.known, r.ids); err != nil {
			return err
		}
		at := 0
		for i := range r.chunk.rows {
			row := &r.chunk.rows[i]
			from = row.Number + 1
			var s *ledger.Standing
			if row.Record != 0 && len(r.known) > 0 {
				// Mostly the next one.
				if at >= len(r.known) || r.known[at].ID != row.Record {
					at, _ = slices.BinarySearchFunc(r.known, row.Record, func(s ledger.Standing, id int64) int { return cmp.Compare(s.ID, id) })
				}
				if at < len(r.known) && r.known[at].ID == row.Record {
					s = &r.known[at]
					at++
				}
			}
			if s != nil && row.Verdict == ledger.Changing {
				if s.Change, err = r.l.changing(ctx, row.Record); err != nil {
					return err
				}
			}
			if !do(row, s) {
				return nil
			}
		}
	}
}

// onlyTold leaves of the chunk's records those of which the plan or a call has something to say.
func (r *rowReader) onlyTold(ctx context.Context) error {
	if len(r.ids) == 0 {
		return nil
	}
	told := map[int64]bool{}
	for i := range r.chunk.rows {
		if row := &r.chunk.rows[i]; row.Code != "" {
			told[row.Record] = true
		}
	}
	records, err := r.l.numbers(ctx, "SELECT DISTINCT record FROM operations WHERE record BETWEEN ? AND ?", r.ids[0], r.ids[len(r.ids)-1])
	if err != nil {
		return err
	}
	for _, record := range records {
		told[record] = true
	}
	r.ids = slices.DeleteFunc(r.ids, func(record int64) bool { return !told[record] })
	return nil
}

// Rows returns the rows of a run in the order of the file.
func (l *Ledger) Rows(ctx context.Context, run int64) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		any := false
		checked, err := l.checked(ctx, run)
		if err == nil {
			r := rowReader{l: l}
			err = r.each(ctx, run, func(*ledger.PlannedRow) bool { return true }, func(c *ledger.PlannedRow, s *ledger.Standing) bool {
				any = true
				return yield(c.Row(s, checked), nil)
			})
		}
		if err == nil && !any {
			err = l.pruned(ctx, run)
		}
		if err != nil {
			yield(ledger.Row{}, err)
		}
	}
}

func (l *Ledger) checked(ctx context.Context, run int64) (bool, error) {
	var command string
	err := l.db.QueryRowContext(ctx, "SELECT command FROM runs WHERE id = ?", run).Scan(&command)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return command == "check", l.fault(err)
}

// taken returns the records of which nothing is known since others proved to have theirs.
func (l *Ledger) taken(ctx context.Context) (map[int64]bool, error) {
	records, err := l.numbers(ctx, "SELECT record FROM operations WHERE op = ? AND state = ? AND code = ?", ledger.Create, ledger.InDoubt, ledger.BorrowedCode)
	out := make(map[int64]bool, len(records))
	for _, r := range records {
		out[r] = true
	}
	return out, err
}

// Tally counts the rows of a run as they stand now. Where those of a chunk that are due
// are records which follow one another, and no call has anything to say of them, they are
// counted where they lie.
func (l *Ledger) Tally(ctx context.Context, run int64) (ledger.Tally, error) {
	t := ledger.Tally{}
	taken, err := l.taken(ctx)
	if err != nil {
		return t, err
	}
	r := rowReader{l: l, counts: t}
	err = r.each(ctx, run, func(c *ledger.PlannedRow) bool { return c.Stands(taken) }, func(c *ledger.PlannedRow, s *ledger.Standing) bool {
		t.Count(c, s)
		return true
	})
	if err != nil {
		return t, err
	}
	if len(t) == 0 {
		return l.tallied(ctx, run)
	}
	return t, nil
}

// count adds the rows of the chunk to the counts where that needs none of their records
// one by one. It reports whether it did.
func (r *rowReader) count(ctx context.Context, needed func(*ledger.PlannedRow) bool) (bool, error) {
	first, n := int64(0), int64(0)
	for i := range r.chunk.rows {
		row := &r.chunk.rows[i]
		if row.Record == 0 || !needed(row) {
			continue
		}
		if first == 0 {
			first = row.Record
		}
		if row.Verdict != ledger.Due || row.Record != first+n {
			return false, nil
		}
		n++
	}
	if n == 0 {
		return false, nil
	}
	loud, err := r.l.loud(ctx, first, first+n-1)
	if loud || err != nil {
		return false, err
	}
	stmt, err := r.l.prepared(ctx, fatesOfRange)
	if err != nil {
		return false, r.l.fault(err)
	}
	var all, present, matched int64
	if err := stmt.QueryRowContext(ctx, first, first+n-1).Scan(&all, &present, &matched); err != nil {
		return false, r.l.fault(err)
	}
	if all != n {
		return false, nil
	}
	for i := range r.chunk.rows {
		if row := &r.chunk.rows[i]; row.Record == 0 || !needed(row) {
			r.counts.Count(row, nil)
		}
	}
	for fate, n := range map[ledger.Fate]int64{ledger.Absent: all - present - matched, ledger.Present: present, ledger.Matched: matched} {
		if n > 0 {
			r.counts.Add(ledger.Due, ledger.StateOf(fate, 0), n)
		}
	}
	return true, nil
}

// Twice returns the number of ids that stand on a row that a run has loaded
// and on another record, and names one of them.
func (l *Ledger) Twice(ctx context.Context, run int64) (first string, n int64, err error) {
	const text = `SELECT r.remote FROM records r JOIN scopes s ON s.id = r.scope WHERE r.id BETWEEN ? AND ? AND r.fate = 2 AND EXISTS (
		SELECT 1 FROM records o JOIN scopes z ON z.id = o.scope
		WHERE substr(o.remote, 1, 6) = substr(r.remote, 1, 6) AND o.fate = 2 AND o.remote = r.remote AND o.id <> r.id AND z.account = s.account)`
	var records []int64
	r := rowReader{l: l}
	err = r.each(ctx, run, func(*ledger.PlannedRow) bool { return false }, func(c *ledger.PlannedRow, _ *ledger.Standing) bool {
		if c.Verdict == ledger.Due {
			records = append(records, c.Record)
		}
		return true
	})
	if err != nil {
		return "", 0, err
	}
	slices.Sort(records)
	found := map[string]bool{}
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n]-records[n-1] <= 1 {
			n++
		}
		rows, err := l.db.QueryContext(ctx, text, records[0], records[n-1])
		if err != nil {
			return "", 0, l.fault(err)
		}
		for rows.Next() {
			var remote any
			if err := rows.Scan(&remote); err != nil {
				rows.Close()
				return "", 0, l.fault(err)
			}
			if id := idText(remote); id != "" {
				found[id] = true
				if first == "" || id < first {
					first = id
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return "", 0, l.fault(err)
		}
		records = records[n:]
	}
	return first, int64(len(found)), nil
}

const traceColumns = `SELECT r.id, r.remote, r.lead, max(r.sent, coalesce((SELECT max(o.sent) FROM operations o WHERE o.record = r.id), r.sent)), s.target
	FROM records r JOIN scopes s ON s.id = r.scope WHERE r.id IN (`

var (
	traceOne  = traceColumns + "?)"
	traceMany = traceColumns + places("?", group) + ")"
)

// Traces returns where records are in the account.
func (l *Ledger) Traces(ctx context.Context, records []int64) (map[int64]ledger.Trace, error) {
	all := make(map[int64]ledger.Trace, len(records))
	for len(records) > 0 {
		n, text := 1, traceOne
		if len(records) >= group {
			n, text = group, traceMany
		}
		args := make([]any, n)
		for i := range args {
			args[i] = records[i]
		}
		stmt, err := l.prepared(ctx, text)
		if err != nil {
			return nil, l.fault(err)
		}
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return nil, l.fault(err)
		}
		for rows.Next() {
			var id, sent int64
			var remote, lead any
			var t ledger.Trace
			if err := rows.Scan(&id, &remote, &lead, &sent, &t.Target); err != nil {
				return nil, l.fault(errors.Join(err, rows.Close()))
			}
			t.ID, t.Lead, t.Sent = idText(remote), idText(lead), ledger.Moment(sent)
			all[id] = t
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, l.fault(err)
		}
		records = records[n:]
	}
	return all, nil
}

// Errors returns the most common errors of a run's rows.
func (l *Ledger) Errors(ctx context.Context, run int64, n int) ([]ledger.ErrorCount, error) {
	var errs ledger.ErrorCounter
	taken, err := l.taken(ctx)
	if err != nil {
		return nil, err
	}
	r := rowReader{l: l, wordy: true} // a row without words has no error
	err = r.each(ctx, run, func(c *ledger.PlannedRow) bool { return c.Stands(taken) }, func(c *ledger.PlannedRow, s *ledger.Standing) bool {
		errs.Add(c.Row(s, false))
		return true
	})
	return errs.Most(n), err
}

// Mappings returns the texts of the mappings by which runs have loaded into the
// account of a scope.
func (l *Ledger) Mappings(ctx context.Context, scope int64, n int) (out []ledger.MappingText, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT m.hash, m.name, m.text FROM mappings m JOIN runs r ON r.mapping_hash = m.hash
		WHERE r.account = (SELECT account FROM scopes WHERE id = ?) AND r.command = 'import' GROUP BY m.hash ORDER BY max(r.id) DESC LIMIT ?`, scope, n)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		var m ledger.MappingText
		if err := rows.Scan(&m.Hash, &m.Name, &m.Text); err != nil {
			return nil, l.fault(err)
		}
		out = append(out, m)
	}
	return out, l.fault(rows.Err())
}

// Used reports whether the ledger knows anything of an account.
func (l *Ledger) Used(ctx context.Context, account int64) (bool, error) {
	var yes bool
	err := l.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM runs WHERE account = ?1 AND command = 'import' AND calls > 0)
		OR EXISTS (SELECT 1 FROM operations WHERE account = ?1)
		OR EXISTS (SELECT 1 FROM records r JOIN scopes s ON s.id = r.scope WHERE s.account = ?1 AND r.fate IN (2, 3))`, account).Scan(&yes)
	return yes, l.fault(err)
}

// Trusted reports whether a run with a mapping has loaded a record into the account.
func (l *Ledger) Trusted(ctx context.Context, account int64, mapping string) (bool, error) {
	var yes bool
	err := l.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM records c JOIN runs r ON r.id = c.run WHERE c.fate IN (2, 3) AND r.account = ? AND r.mapping_hash = ?)", account, mapping).Scan(&yes)
	return yes, l.fault(err)
}

// Records yields the records of a scope that the query names, a page at a time.
func (l *Ledger) Records(ctx context.Context, q ledger.RecordQuery) iter.Seq2[ledger.Record, error] {
	const page = 1024
	text, of := "c.fate IN (2, 3) AND c.run IN (SELECT id FROM runs WHERE command = 'import' AND input_path = ?)", any(q.Path)
	if q.Run != 0 {
		text, of = "c.fate = 1 AND c.run = ? AND NOT EXISTS (SELECT 1 FROM operations x WHERE x.record = c.id AND x.op = 0)", q.Run
	}
	text = knownColumns + "c.scope = ? AND c.id > ? AND " + text + " ORDER BY c.id LIMIT ?"
	return func(yield func(ledger.Record, error) bool) {
		out := make([]ledger.Record, page)
		for last := int64(0); ; {
			n, err := l.recordsAfter(ctx, out, text, q.Scope, last, of, page)
			if err != nil {
				yield(ledger.Record{}, l.fault(err))
				return
			}
			for i := range out[:n] {
				if !yield(out[i], nil) {
					return
				}
			}
			if n < page {
				return
			}
			last = out[n-1].ID
		}
	}
}

func (l *Ledger) recordsAfter(ctx context.Context, out []ledger.Record, text string, args ...any) (n int, err error) {
	rows, err := l.db.QueryContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for r := (knownRow{}); rows.Next(); n++ {
		if err := r.scan(rows); err != nil {
			return n, err
		}
		out[n] = ledger.Record{Prints: out[n].Prints[:0]}
		if err := r.fill(ctx, l, &out[n]); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

// numbers returns the numbers that a query of one column has.
func (l *Ledger) numbers(ctx context.Context, text string, args ...any) ([]int64, error) {
	rows, err := l.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, l.fault(err)
		}
		out = append(out, n)
	}
	return out, l.fault(rows.Err())
}
