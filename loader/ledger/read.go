package ledger

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"strings"
	"time"
)

const runColumns = `r.id, r.account, a.name, r.command, r.input, r.input_path, r.sheet, r.mapping, r.mapping_path, r.mapping_hash,
	r.target, r.timezone, r.who, r.version, r.pace, r.started, r.ended, r.calls, r.throttled, r.stop, r.exit, r.out`

func scanRun(s rowScanner) (Run, error) {
	var r Run
	var started int64
	var ended sql.NullInt64
	err := s.Scan(&r.ID, &r.Account, &r.AccountName, &r.Command, &r.Input, &r.InputPath, &r.Sheet, &r.Mapping, &r.MappingPath, &r.MappingHash,
		&r.Target, &r.Timezone, &r.Who, &r.Version, &r.Limit, &started, &ended, &r.Calls, &r.Throttled, &r.Stop, &r.Exit, &r.Out)
	r.Started = time.UnixMilli(started).UTC()
	if ended.Valid {
		r.Ended = time.UnixMilli(ended.Int64).UTC()
	}
	return r, err
}

// ErrNoRun says that a run's number is unknown.
var ErrNoRun = errors.New("the ledger knows no such run")

// RunByID gives one run; the error is ErrNoRun when there is none.
func (l *Ledger) RunByID(ctx context.Context, id int64) (Run, error) {
	r, err := scanRun(l.db.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs r JOIN accounts a ON a.id = r.account WHERE r.id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNoRun
	}
	return r, l.fault(err)
}

// Runs gives the newest runs first, at most n of them.
func (l *Ledger) Runs(ctx context.Context, n int) ([]Run, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT "+runColumns+" FROM runs r JOIN accounts a ON a.id = r.account ORDER BY r.id DESC LIMIT ?", n)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []Run
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, l.fault(err)
		}
		out = append(out, r)
	}
	return out, l.fault(rows.Err())
}

// Rows gives the rows of a run in the order of the file, each with what is
// known of its record now. Run 0 has no rows.
func (l *Ledger) Rows(ctx context.Context, run int64) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		checked, err := l.checked(ctx, run)
		if err != nil {
			yield(Row{}, err)
			return
		}
		rows, err := l.db.QueryContext(ctx, `
SELECT x.n, x.line, x.origin, x.print, x.verdict, x.key, x.code, x.msg, x.hint,
	c.state, c.remote, c.lead, c.request, c.attempts, c.sent, c.code, c.msg, c.hint, c.candidates
FROM run_rows x LEFT JOIN records c ON c.id = x.record WHERE x.run = ? ORDER BY x.n`, run)
		if err != nil {
			yield(Row{}, l.fault(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanRow(rows, checked)
			if err != nil {
				yield(Row{}, l.fault(err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Row{}, l.fault(err))
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

func scanRow(s rowScanner, checked bool) (Row, error) {
	var (
		r                                              Row
		print                                          int64
		verdict                                        Verdict
		key, code, msg, hint                           sql.NullString
		state, attempts, sent                          sql.NullInt64
		remote, lead, request, rcode, rmsg, rhint, can sql.NullString
	)
	err := s.Scan(&r.Number, &r.Line, &r.Origin, &print, &verdict, &key, &code, &msg, &hint,
		&state, &remote, &lead, &request, &attempts, &sent, &rcode, &rmsg, &rhint, &can)
	if err != nil {
		return r, err
	}
	r.Fingerprint = uint64(print)
	r.Key = key.String
	r.Result = ResultOf(verdict, State(state.Int64), checked)
	r.Code, r.Error, r.Hint = code.String, msg.String, hint.String
	r.ID, r.LeadID, r.RequestID = remote.String, lead.String, request.String
	if verdict == Due {
		// What the first pass had to say of an open row is old news once the record has something to say.
		if rmsg.String != "" || rcode.String != "" {
			r.Code, r.Error, r.Hint = rcode.String, rmsg.String, rhint.String
		}
		r.Attempts = int(attempts.Int64)
		if sent.Valid {
			r.SentAt = time.UnixMilli(sent.Int64).UTC()
		}
		if can.String != "" {
			r.Candidates = strings.Split(can.String, " ")
		}
	}
	return r, nil
}

// Totals counts the rows of a run by result, as they stand now.
func (l *Ledger) Totals(ctx context.Context, run int64) (Counts, error) {
	var c Counts
	err := l.tally(ctx, run, func(v Verdict, s State, n int64) { c.Add(ResultOf(v, s, false), n) })
	return c, err
}

// tally counts the rows of a run by the first pass's verdict and by what has
// become of their records; 0 is no record.
func (l *Ledger) tally(ctx context.Context, run int64, add func(v Verdict, s State, n int64)) error {
	rows, err := l.db.QueryContext(ctx, `
SELECT x.verdict, coalesce(c.state, 0), count(*) FROM run_rows x LEFT JOIN records c ON c.id = x.record
WHERE x.run = ? GROUP BY 1, 2`, run)
	if err != nil {
		return l.fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v Verdict
		var s State
		var n int64
		if err := rows.Scan(&v, &s, &n); err != nil {
			return l.fault(err)
		}
		add(v, s, n)
	}
	return l.fault(rows.Err())
}

// Errors gives the most common errors of a run's rows, at most n of them, the
// most common first.
func (l *Ledger) Errors(ctx context.Context, run int64, n int) ([]ErrorCount, error) {
	if l == nil || run == 0 {
		return nil, nil // a command that never began a run has no rows
	}
	rows, err := l.db.QueryContext(ctx, `
SELECT code, msg, hint, count(*), min(n), origin FROM ( -- with min, the other columns are those of its row
	SELECT x.n, x.origin, CASE WHEN x.verdict = 1 AND coalesce(c.code, '') <> '' THEN c.code ELSE x.code END AS code,
	       CASE WHEN x.verdict = 1 AND coalesce(c.code, '') <> '' THEN c.msg  ELSE x.msg  END AS msg,
	       CASE WHEN x.verdict = 1 AND coalesce(c.code, '') <> '' THEN c.hint ELSE x.hint END AS hint
	FROM run_rows x LEFT JOIN records c ON c.id = x.record
	WHERE x.run = ? AND NOT (x.verdict = 1 AND c.state IN (5, 6, 7)) AND x.verdict NOT IN (3, 4)
) WHERE coalesce(code, '') <> '' GROUP BY code ORDER BY count(*) DESC, code LIMIT ?`, run, n)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []ErrorCount
	for rows.Next() {
		var e ErrorCount
		var msg, hint sql.NullString
		var origin int
		if err := rows.Scan(&e.Code, &msg, &hint, &e.Count, &e.Row, &origin); err != nil {
			return nil, l.fault(err)
		}
		if origin > 0 {
			e.Row = origin
		}
		e.Example, e.Hint = msg.String, hint.String
		out = append(out, e)
	}
	return out, l.fault(rows.Err())
}

// TwiceOwned counts the ids of the account that stand on more than one loaded
// row of a run, and names one of them.
func (l *Ledger) TwiceOwned(ctx context.Context, run int64) (id string, n int64, err error) {
	var some sql.NullString
	err = l.db.QueryRowContext(ctx, `
SELECT min(remote), count(*) FROM (
	SELECT c.remote FROM run_rows x JOIN records c ON c.id = x.record
	WHERE x.run = ? AND x.verdict IN (1, 3) AND c.state = 6 AND c.remote IS NOT NULL
	GROUP BY c.remote HAVING count(*) > 1)`, run).Scan(&some, &n)
	return some.String, n, l.fault(err)
}
