package postgres

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// Runs returns the runs that the query names, the newest first.
func (l *Ledger) Runs(ctx context.Context, q ledger.RunQuery) ([]ledger.Run, error) {
	where, arg := "WHERE r.id = $1", q.ID
	if q.ID == 0 {
		where, arg = "ORDER BY r.id DESC LIMIT $1", int64(q.Newest)
	}
	var out []ledger.Run
	err := l.query(ctx, `SELECT r.id, r.account, a.name, r.command, r.input, r.input_path, r.sheet, r.mapping, r.mapping_path, r.mapping_hash, r.target, r.timezone, r.who, r.version, r.pace,
		r.started, coalesce(r.ended, 0), r.calls, r.throttled, r.stop, r.exit, r.out, r.did, r.bulk FROM leadload.runs r LEFT JOIN leadload.accounts a ON a.id = r.account `+where, []any{arg}, func(rows pgx.Rows) error {
		out = out[:0]
		for rows.Next() {
			var r ledger.Run
			var started, ended, exit int64
			var texts [15][]byte
			var did string
			if err := rows.Scan(&r.ID, &r.Account, &texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5], &texts[6], &texts[7], &texts[8], &texts[9], &texts[10], &texts[11], &texts[12],
				&started, &ended, &r.Calls, &r.Throttled, &texts[13], &exit, &texts[14], &did, &r.Bulk); err != nil {
				return err
			}
			for i, to := range []*string{&r.AccountName, &r.Command, &r.Input, &r.InputPath, &r.Sheet, &r.Mapping, &r.MappingPath, &r.MappingHash, &r.Target, &r.Timezone, &r.Who, &r.Version, &r.Limit, &r.Stop, &r.Out} {
				*to = string(texts[i])
			}
			r.Started, r.Exit, r.Did = time.UnixMilli(started).UTC(), int(exit), ledger.ParseCounts(did)
			if ended != 0 {
				r.Ended = time.UnixMilli(ended).UTC()
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

// standings reads what is known now of records.
func (l *Ledger) standings(ctx context.Context, ids []int64) (map[int64]*ledger.Standing, error) {
	out := make(map[int64]*ledger.Standing, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	err := l.query(ctx, `SELECT r.id, r.fate, r.remote, CASE WHEN o.lead <> '' THEN o.lead ELSE r.lead END, r.key, r.attempts + coalesce(o.attempts, 0), coalesce(o.sent, r.sent),
		coalesce(o.state, 0), o.request, o.code, o.msg, o.hint, o.candidates, coalesce(u.state, 0), coalesce(u.sent, 0), coalesce(u.attempts, 0), u.code, u.msg, u.hint
		FROM leadload.records r LEFT JOIN leadload.operations o ON o.record = r.id AND o.op = 0 LEFT JOIN leadload.operations u ON u.record = r.id AND u.op = 1 WHERE r.id = ANY($1)`, []any{ids}, func(rows pgx.Rows) error {
		clear(out)
		for rows.Next() {
			var fate, creation, change int16
			var t [11][]byte
			s, c := &ledger.Standing{}, ledger.Change{}
			if err := rows.Scan(&s.ID, &fate, &t[0], &t[1], &t[2], &s.Attempts, &s.Sent, &creation, &t[3], &t[4], &t[5], &t[6], &t[7], &change, &c.Sent, &c.Attempts, &t[8], &t[9], &t[10]); err != nil {
				return err
			}
			s.Fate, s.Creation = ledger.Fate(fate), ledger.State(creation)
			for i, to := range []*string{&s.Remote, &s.Lead, &s.Key, &s.Request, &s.Code, &s.Msg, &s.Hint, &s.Among, &c.Code, &c.Msg, &c.Hint} {
				*to = string(t[i])
			}
			if change != 0 {
				c.State = ledger.State(change)
				s.Change = &c
			}
			out[s.ID] = s
		}
		return nil
	})
	return out, err
}

// pageChunks is how many chunks of a run are read together.
const pageChunks = 16

// page reads the rows of the chunks of a run that begin at from or later, as many as
// are read together. last says that there are no more of them.
func (l *Ledger) page(ctx context.Context, run int64, from int) (rows []ledger.PlannedRow, last bool, err error) {
	rows, n, err := l.chunks(ctx, "SELECT first, rows, words FROM leadload.chunks WHERE run = $1 AND first >= $2 ORDER BY first LIMIT $3", run, int64(from), int64(pageChunks))
	return rows, n < pageChunks, err
}

// around reads the rows of the last chunk of a run that begins at a row or earlier.
func (l *Ledger) around(ctx context.Context, run int64, row int) ([]ledger.PlannedRow, error) {
	rows, _, err := l.chunks(ctx, "SELECT first, rows, words FROM leadload.chunks WHERE run = $1 AND first <= $2 ORDER BY first DESC LIMIT 1", run, int64(row))
	return rows, err
}

// chunks reads the rows of the chunks that a query returns, and counts these.
func (l *Ledger) chunks(ctx context.Context, text string, args ...any) (out []ledger.PlannedRow, n int, err error) {
	err = l.query(ctx, text, args, func(rows pgx.Rows) error {
		var first int64
		var packed, words []byte
		out, n = nil, 0
		_, err := pgx.ForEachRow(rows, []any{&first, &packed, &words}, func() error {
			part, err := ledger.Unpack(nil, int(first), packed, words)
			if err != nil {
				return &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.name), Msg: err.Error(), Hint: corruptHint}
			}
			out, n = append(out, part...), n+1
			return nil
		})
		return err
	})
	return out, n, err
}

// changed marks operations whose rows the file has with other values by now.
func (l *Ledger) changed(ctx context.Context, list []ledger.Operation) error {
	var rows []ledger.PlannedRow
	of := int64(0)
	for i := range list {
		o := &list[i]
		if of != o.Run || len(rows) == 0 || o.Number < rows[0].Number || o.Number > rows[len(rows)-1].Number {
			var err error
			if rows, err = l.around(ctx, o.Run, o.Number); err != nil {
				return err
			}
			of = o.Run
		}
		at, found := slices.BinarySearchFunc(rows, o.Number, func(r ledger.PlannedRow, n int) int { return r.Number - n })
		o.Changed = found && rows[at].Record == o.Record && rows[at].Code == "row.changed"
	}
	return nil
}

// each calls do for every row of a run with what is known of its record now, or
// nil. needed says which rows' records are looked up.
func (l *Ledger) each(ctx context.Context, run int64, needed func(*ledger.PlannedRow) bool, do func(*ledger.PlannedRow, *ledger.Standing) bool) error {
	for from, last := 0, false; !last; {
		var rows []ledger.PlannedRow
		var err error
		if rows, last, err = l.page(ctx, run, from); err != nil {
			return err
		}
		var ids []int64
		for i := range rows {
			if r := &rows[i]; r.Record != 0 && needed(r) {
				ids = append(ids, r.Record)
			}
		}
		known, err := l.standings(ctx, ids)
		if err != nil {
			return err
		}
		for i := range rows {
			from = rows[i].Number + 1
			if !do(&rows[i], known[rows[i].Record]) {
				return nil
			}
		}
	}
	return nil
}

// Rows returns the rows of a run in the order of the file.
func (l *Ledger) Rows(ctx context.Context, run int64) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		some := false
		var command []byte
		_, err := l.one(ctx, "SELECT command FROM leadload.runs WHERE id = $1", []any{run}, &command)
		if err == nil {
			checked := string(command) == "check"
			err = l.each(ctx, run, func(*ledger.PlannedRow) bool { return true }, func(c *ledger.PlannedRow, s *ledger.Standing) bool {
				some = true
				return yield(c.Row(s, checked), nil)
			})
		}
		if err == nil && !some {
			err = l.pruned(ctx, run)
		}
		if err != nil {
			yield(ledger.Row{}, err)
		}
	}
}

// taken returns the records of which nothing is known since others proved to have theirs.
func (l *Ledger) taken(ctx context.Context) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := l.query(ctx, "SELECT record FROM leadload.operations WHERE op = $1 AND state = $2 AND code = $3", []any{int64(ledger.Create), int64(ledger.InDoubt), []byte(ledger.BorrowedCode)}, func(rows pgx.Rows) error {
		clear(out)
		for rows.Next() {
			var r int64
			if err := rows.Scan(&r); err != nil {
				return err
			}
			out[r] = true
		}
		return nil
	})
	return out, err
}

// Tally counts the rows of a run as they stand now.
func (l *Ledger) Tally(ctx context.Context, run int64) (ledger.Tally, error) {
	t := ledger.Tally{}
	taken, err := l.taken(ctx)
	if err != nil {
		return t, err
	}
	err = l.each(ctx, run, func(c *ledger.PlannedRow) bool { return c.Stands(taken) }, func(c *ledger.PlannedRow, s *ledger.Standing) bool {
		t.Count(c, s)
		return true
	})
	if err != nil || len(t) > 0 {
		return t, err
	}
	return l.tallied(ctx, run)
}

// Traces returns where records are in the account.
func (l *Ledger) Traces(ctx context.Context, records []int64) (map[int64]ledger.Trace, error) {
	out := make(map[int64]ledger.Trace, len(records))
	err := l.query(ctx, `SELECT r.id, r.remote, r.lead, greatest(r.sent, (SELECT max(o.sent) FROM leadload.operations o WHERE o.record = r.id)), s.target
		FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope WHERE r.id = ANY($1)`, []any{records}, func(rows pgx.Rows) error {
		clear(out)
		for rows.Next() {
			var id, sent int64
			var remote, lead []byte
			var t ledger.Trace
			if err := rows.Scan(&id, &remote, &lead, &sent, &t.Target); err != nil {
				return err
			}
			t.ID, t.Lead, t.Sent = string(remote), string(lead), ledger.Moment(sent)
			out[id] = t
		}
		return nil
	})
	return out, err
}

// Errors returns the most common errors of a run's rows.
func (l *Ledger) Errors(ctx context.Context, run int64, n int) ([]ledger.ErrorCount, error) {
	var errs ledger.ErrorCounter
	taken, err := l.taken(ctx)
	if err != nil {
		return nil, err
	}
	err = l.each(ctx, run, func(c *ledger.PlannedRow) bool { return c.Stands(taken) }, func(c *ledger.PlannedRow, s *ledger.Standing) bool {
		errs.Add(c.Row(s, false))
		return true
	})
	return errs.Most(n), err
}

// Twice returns the number of ids that stand on a row that a run has loaded
// and on another record, and names one of them.
func (l *Ledger) Twice(ctx context.Context, run int64) (first string, n int64, err error) {
	found := map[string]bool{}
	for from, last := 0, false; !last; {
		var rows []ledger.PlannedRow
		if rows, last, err = l.page(ctx, run, from); err != nil {
			return "", 0, err
		}
		var ids []int64
		for i := range rows {
			from = rows[i].Number + 1
			if rows[i].Verdict == ledger.Due {
				ids = append(ids, rows[i].Record)
			}
		}
		if len(ids) == 0 {
			continue
		}
		err = l.query(ctx, `SELECT DISTINCT r.remote FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope CROSS JOIN LATERAL (
			SELECT 1 FROM leadload.records o JOIN leadload.scopes z ON z.id = o.scope
			WHERE o.remote = r.remote AND o.fate = 2 AND o.remote <> '' AND o.id <> r.id AND z.account = s.account LIMIT 1) AS another
			WHERE r.id = ANY($1) AND r.fate = 2 AND r.remote <> ''`, []any{ids}, func(rows pgx.Rows) error {
			for rows.Next() {
				var remote []byte
				if err := rows.Scan(&remote); err != nil {
					return err
				}
				if id := string(remote); !found[id] {
					found[id] = true
					if first == "" || id < first {
						first = id
					}
				}
			}
			return nil
		})
		if err != nil {
			return "", 0, err
		}
	}
	return first, int64(len(found)), nil
}

// tallied returns the counts of a run whose rows were dropped.
func (l *Ledger) tallied(ctx context.Context, run int64) (ledger.Tally, error) {
	t := ledger.Tally{}
	err := l.query(ctx, "SELECT verdict, state, n FROM leadload.tallies WHERE run = $1", []any{run}, func(rows pgx.Rows) error {
		clear(t)
		for rows.Next() {
			var verdict, state int16
			var n int64
			if err := rows.Scan(&verdict, &state, &n); err != nil {
				return err
			}
			t.Add(ledger.Verdict(verdict), ledger.State(state), n)
		}
		return nil
	})
	return t, err
}

// pruned returns an error when the rows of a run were dropped.
func (l *Ledger) pruned(ctx context.Context, run int64) error {
	t, err := l.tallied(ctx, run)
	if err != nil || len(t) == 0 {
		return err
	}
	return &ledger.Error{Code: "ledger.pruned", Place: ledger.At(l.name), Msg: fmt.Sprintf("the rows of run %d were dropped by leadload ledger prune", run),
		Hint: "its results file still has them; leadload runs shows its totals"}
}

// Prune drops the rows of runs that ended before a moment, and keeps their
// counts. The server gives the space back in its own time.
func (l *Ledger) Prune(ctx context.Context, before time.Time) (ledger.Pruned, error) {
	var out ledger.Pruned
	var runs []int64
	if err := l.query(ctx, "SELECT r.id FROM leadload.runs r WHERE coalesce(r.ended, r.started) < $1 AND EXISTS (SELECT 1 FROM leadload.chunks c WHERE c.run = r.id) ORDER BY r.id", []any{before.UnixMilli()}, func(rows pgx.Rows) (err error) {
		runs, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	}); err != nil {
		return out, err
	}
	for _, run := range runs {
		t, err := l.Tally(ctx, run)
		if err != nil {
			return out, err
		}
		var verdicts, states, counts []int64
		for v, of := range t {
			for s, n := range of {
				verdicts, states, counts = append(verdicts, int64(v)), append(states, int64(s)), append(counts, n)
			}
		}
		var freed int64
		if err := l.write(work{do: func(u *unit) error {
			u.add("SELECT coalesce(sum(length(rows) + coalesce(length(words), 0)), 0)::bigint FROM leadload.chunks WHERE run = $1", run).into(nil, &freed)
			u.add("INSERT INTO leadload.tallies (run, verdict, state, n) SELECT $1, v, s, n FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS t(v, s, n) ON CONFLICT DO NOTHING", run, verdicts, states, counts)
			u.add("DELETE FROM leadload.operations WHERE state IN (6, 7) AND record IN (SELECT id FROM leadload.records WHERE run = $1)", run)
			u.add("DELETE FROM leadload.chunks WHERE run = $1", run)
			u.add("DELETE FROM leadload.gone WHERE run = $1", run)
			return nil
		}}); err != nil {
			return out, err
		}
		out.Runs++
		out.Rows += t.Counts().Sum()
		out.Freed += freed
	}
	return out, nil
}

// Used reports whether the ledger knows anything of an account.
func (l *Ledger) Used(ctx context.Context, account int64) (yes bool, err error) {
	_, err = l.one(ctx, `SELECT EXISTS (SELECT 1 FROM leadload.runs WHERE account = $1 AND command = 'import' AND calls > 0)
		OR EXISTS (SELECT 1 FROM leadload.operations WHERE account = $1)
		OR EXISTS (SELECT 1 FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope WHERE s.account = $1 AND r.fate IN (2, 3))`, []any{account}, &yes)
	return yes, err
}

// Trusted reports whether a run with a mapping has loaded a record into the account.
func (l *Ledger) Trusted(ctx context.Context, account int64, mapping string) (yes bool, err error) {
	_, err = l.one(ctx, "SELECT EXISTS (SELECT 1 FROM leadload.runs r WHERE r.account = $1 AND r.mapping_hash = $2 AND EXISTS (SELECT 1 FROM leadload.records c WHERE c.run = r.id AND c.fate IN (2, 3) OFFSET 0))", []any{account, []byte(mapping)}, &yes)
	return yes, err
}

// Mappings returns the texts of the mappings by which runs have loaded into the
// account of a scope, those of the newest runs first, at most n of them.
func (l *Ledger) Mappings(ctx context.Context, scope int64, n int) ([]ledger.MappingText, error) {
	var out []ledger.MappingText
	err := l.query(ctx, `SELECT m.hash, m.name, m.text FROM leadload.mappings m
		JOIN (SELECT r.mapping_hash, max(r.id) AS newest FROM leadload.runs r JOIN leadload.scopes s ON s.account = r.account WHERE s.id = $1 AND r.command = 'import' GROUP BY 1) AS t ON t.mapping_hash = m.hash
		ORDER BY t.newest DESC LIMIT $2`, []any{scope, int64(n)}, func(rows pgx.Rows) error {
		out = out[:0]
		for rows.Next() {
			var hash, name, text []byte
			if err := rows.Scan(&hash, &name, &text); err != nil {
				return err
			}
			out = append(out, ledger.MappingText{Hash: string(hash), Name: string(name), Text: string(text)})
		}
		return nil
	})
	return out, err
}

// Planned returns the rows of a run that it planned to send and that have a record.
func (l *Ledger) Planned(ctx context.Context, run int64) iter.Seq2[ledger.Planned, error] {
	return func(yield func(ledger.Planned, error) bool) {
		some := false
		for from, last := 0, false; !last; {
			var rows []ledger.PlannedRow
			var known map[int64]ledger.Planned
			var err error
			rows, last, err = l.page(ctx, run, from)
			if err == nil && rows == nil && !some {
				err = l.pruned(ctx, run)
			}
			if err == nil && rows != nil {
				known, err = l.plannedRecords(ctx, rows)
			}
			if err != nil {
				yield(ledger.Planned{}, err)
				return
			}
			for i := range rows {
				row := &rows[i]
				from, some = row.Number+1, true
				m, ok := known[row.Record]
				if !ok || !row.HasState() {
					continue
				}
				m.Number, m.Line, m.Origin, m.Verdict = row.Number, row.Line, row.Origin, row.Verdict
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

// plannedRecords reads what an undo must know of the records of rows.
func (l *Ledger) plannedRecords(ctx context.Context, rows []ledger.PlannedRow) (map[int64]ledger.Planned, error) {
	var ids []int64
	for i := range rows {
		if rows[i].Record != 0 && rows[i].HasState() {
			ids = append(ids, rows[i].Record)
		}
	}
	out := map[int64]ledger.Planned{}
	err := l.query(ctx, `SELECT r.id, r.fate, r.remote, r.lead, r.key, r.sent, r.run, s.target, coalesce(c.state, 0), coalesce(u.state, 0), coalesce(d.state, 0), coalesce(d.sent, -1), d.candidates
		FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope LEFT JOIN leadload.operations c ON c.record = r.id AND c.op = 0
		LEFT JOIN leadload.operations u ON u.record = r.id AND u.op = 1 LEFT JOIN leadload.operations d ON d.record = r.id AND d.op = 2 WHERE r.id = ANY($1)`, []any{ids}, func(rows pgx.Rows) error {
		clear(out)
		for rows.Next() {
			var m ledger.Planned
			var fate, creation, change, undo int16
			var remote, lead, key, had []byte
			var sent, undone int64
			if err := rows.Scan(&m.Record, &fate, &remote, &lead, &key, &sent, &m.Run, &m.Target, &creation, &change, &undo, &undone, &had); err != nil {
				return err
			}
			m.Fate, m.Creation, m.Change, m.Undo = ledger.Fate(fate), ledger.State(creation), ledger.State(change), ledger.State(undo)
			m.ID, m.LeadID, m.Key, m.UndoID = string(remote), string(lead), string(key), string(had)
			m.Sent, m.UndoSent = ledger.Moment(sent), ledger.Moment(undone)
			out[m.Record] = m
		}
		return nil
	})
	return out, err
}
