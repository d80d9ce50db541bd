package update

import (
	"context"
	"strings"
	"time"

	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/target"
	"leadload/mapping"
)

// Moved is a field that the account has with another value after the updates of a
// run: it changed while its record was looked at and written, or right afterwards.
type Moved struct {
	ledger.Kept // Became is what the account has
	ID          string
}

// seen is what the last look showed of a record.
type seen struct {
	names  []string
	prints []uint32 // 0: the field was not shown
}

// mostSeen bounds the records whose looks are remembered until the run ends.
const mostSeen = 20_000

// remember keeps what a look has shown of a record, as prints.
func (u *Updater) remember(e *ledger.Edit, back target.Back) {
	u.mu.Lock()
	defer u.mu.Unlock()
	id := strings.ToLower(e.ID)
	if _, known := u.seen[id]; !known && len(u.seen) >= mostSeen {
		return
	}
	if u.seen == nil {
		u.seen = map[string]seen{}
	}
	s := seen{names: e.Names, prints: make([]uint32, len(e.Names))}
	for i, name := range e.Names {
		if value, shown := back.Value(name); shown {
			s.prints[i] = compare.Print(value)
		}
	}
	u.seen[id] = s
}

// LookAgain reads once more what the updates of runs have written, many records a
// call. It passes on the fields that have a third value: neither the one that was
// written nor the one before it, which reads may still show; and the others of
// these records that are not as the look before the update showed them. Somebody
// works on these records, or the account changes them itself. A person's value in a
// field that was written afterwards is gone by then, and no call shows it.
// The newest run comes first.
func (u *Updater) LookAgain(ctx context.Context, name mapping.Target, code int, runs []int64, tell func(Moved) error) error {
	if code == 0 || !u.Together(string(name)) {
		return nil
	}
	done := map[int64]bool{} // records of newer runs, where there are several
	for n, run := range runs {
		var kept []ledger.Kept
		var records []int64
		for k, err := range u.Ledger.Kept(ctx, run) {
			if err != nil {
				return err
			}
			if k.Result != ledger.ResultUpdated || strings.HasPrefix(k.Field, "LeadDetails.") || n > 0 && done[k.Record] {
				continue
			}
			if m := len(records); m == 0 || records[m-1] != k.Record {
				if m == leadsquared.MaxIDs {
					if err := u.lookAgain(ctx, name, code, records, kept, tell); err != nil {
						return err
					}
					kept, records = kept[:0], records[:0]
				}
				records = append(records, k.Record)
			}
			kept = append(kept, k)
		}
		if err := u.lookAgain(ctx, name, code, records, kept, tell); err != nil {
			return err
		}
		if n < len(runs)-1 {
			for k, err := range u.Ledger.Kept(ctx, run) {
				if err != nil {
					return err
				}
				done[k.Record] = true
			}
		}
	}
	return nil
}

func (u *Updater) lookAgain(ctx context.Context, name mapping.Target, code int, records []int64, kept []ledger.Kept, tell func(Moved) error) error {
	if len(records) == 0 {
		return nil
	}
	known := make([]ledger.Record, len(records))
	if err := u.Ledger.Recall(ctx, records, known); err != nil {
		return err
	}
	reader := target.For(name).(target.Reader)
	q := target.ReadQuestion{Code: code, Memory: u.Memory}
	for _, k := range kept {
		q.Fields = addNew(q.Fields, k.Field)
	}
	for i := range known {
		q.Wanted = append(q.Wanted, target.Wanted{ID: known[i].Remote, Lead: known[i].Lead})
		for _, f := range u.seen[strings.ToLower(known[i].Remote)].names {
			if reader.Shows(f) {
				q.Fields = addNew(q.Fields, f)
			}
		}
	}
	all, err := reader.Read(ctx, u.Line, q)
	if err != nil {
		return err
	}
	for i := range known {
		n := 1 // how many of kept are this record's
		for n < len(kept) && kept[n].Record == kept[0].Record {
			n++
		}
		own := kept[:n]
		kept = kept[n:]
		if back := all[strings.ToLower(known[i].Remote)]; back.Presence == target.Present {
			for _, m := range u.moved(known[i].Remote, back, own) {
				if err := tell(m); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// moved returns the fields of one record that changed beside its update.
func (u *Updater) moved(id string, back target.Back, kept []ledger.Kept) (out []Moved) {
	wrote := map[string]bool{}
	for _, k := range kept {
		wrote[k.Field] = true
		now, _ := back.Value(k.Field)
		if p := compare.Print(now); p != compare.Print(k.Has) && p != compare.Print(k.Had) {
			k.Moved, k.Became = true, now
			out = append(out, Moved{k, id})
		}
	}
	s := u.seen[strings.ToLower(id)]
	for i, name := range s.names {
		now, shown := back.Value(name)
		if shown && s.prints[i] != 0 && !wrote[name] && compare.Print(now) != s.prints[i] {
			out = append(out, Moved{ledger.Kept{Record: kept[0].Record, Run: kept[0].Run, Row: kept[0].Row, Field: name, Result: ledger.ResultChanged, At: time.Now(), Moved: true, Became: now}, id})
		}
	}
	return out
}
