package ledger

import (
	"context"
	"time"
)

// Restored is a record as a results file tells of it.
type Restored struct {
	Entry   Entry // HasKey, Identity and Digest name the record
	State   State // Loaded, Duplicate or InDoubt
	ID      string
	LeadID  string
	Sent    time.Time
	Payload []byte // JSON of a Payload; for InDoubt
}

// RestoreCounts says what became of restored records.
type RestoreCounts struct {
	Added int64 // new to the ledger
	Known int64 // the ledger knew them
}

// Restore writes records into the ledger that a results file tells of. What the ledger
// knows already is left as it is. rows counts, over the calls of one restoration,
// how often a body without a key came up; it begins empty.
func (l *Ledger) Restore(ctx context.Context, run, scope int64, list []Restored, rows map[[16]byte]int) (RestoreCounts, error) {
	var n RestoreCounts
	err := l.write(func(w *writer) error {
		n = RestoreCounts{}
		p := planner{w: w, run: run, scope: scope}
		for i := range list {
			r := &list[i]
			occurrence := 1
			if !r.Entry.HasKey {
				rows[r.Entry.Identity]++
				occurrence = rows[r.Entry.Identity]
			}
			ident := r.Entry.ident(occurrence)
			old, err := p.find(ident)
			if err != nil {
				return err
			}
			// A row that the ledger merely planned is not known to be anywhere.
			if old != nil && old.state != Ready && old.state != Rejected {
				n.Known++
				continue
			}
			shape, err := p.shape(r.Entry.Digest.Names)
			if err != nil {
				return err
			}
			var sent any
			if !r.Sent.IsZero() {
				sent = r.Sent.UnixMilli()
			}
			q := `INSERT INTO records (scope, ident, state, body, shape, prints, remote, lead, attempts, sent, payload, code, msg, hint, run, row)
				VALUES (?,?,?,?,?,?,?,?,1,?,?,?,?,?,?,?)
				ON CONFLICT (scope, ident) DO UPDATE SET state = excluded.state, body = excluded.body, shape = excluded.shape, prints = excluded.prints,
					remote = excluded.remote, lead = excluded.lead, sent = excluded.sent, payload = excluded.payload, code = excluded.code, msg = excluded.msg, hint = excluded.hint`
			var payload, code, msg, hint any
			if r.State == InDoubt {
				payload, code, msg, hint = r.Payload, "doubt.cut-off", "it was in doubt in the results file that the ledger was rebuilt from", DoubtHint
			}
			if _, err := w.exec(q, scope, ident, r.State, r.Entry.Digest.Body[:], shape, r.Entry.Digest.Prints, null(r.ID), null(r.LeadID), sent, payload, code, msg, hint, run, r.Entry.Number); err != nil {
				return err
			}
			n.Added++
		}
		return nil
	})
	return n, err
}

// StateCounts counts the records of the ledger by state.
func (l *Ledger) StateCounts(ctx context.Context) (map[State]int64, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT state, count(*) FROM records GROUP BY state")
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	out := map[State]int64{}
	for rows.Next() {
		var s State
		var n int64
		if err := rows.Scan(&s, &n); err != nil {
			return nil, l.fault(err)
		}
		out[s] = n
	}
	return out, l.fault(rows.Err())
}
