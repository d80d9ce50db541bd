package update

import (
	"context"
	"strings"

	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/target"
	"leadload/mapping"
)

// Moved is a field that an update has written, and that the account has with
// another value afterwards.
type Moved struct {
	Row           int
	ID, Field     string
	Wrote, Become string
}

// LookAgain reads once more what the updates of a run have written, many records a
// call, and passes on the fields that have a third value: neither the one that
// was written nor the one before it, which reads may still show. Somebody works
// on these records, or the account makes something else of the value.
func (u *Updater) LookAgain(ctx context.Context, name mapping.Target, code int, run int64, tell func(Moved)) error {
	if code == 0 || !u.Together(string(name)) {
		return nil
	}
	var kept []ledger.Kept
	for k, err := range u.Ledger.Kept(ctx, run) {
		if err != nil {
			return err
		}
		if k.Result != ledger.ResultUpdated || strings.HasPrefix(k.Field, "LeadDetails.") {
			continue
		}
		if n := len(kept); n >= leadsquared.MaxIDs && kept[n-1].Record != k.Record {
			if err := u.lookAgain(ctx, name, code, kept, tell); err != nil {
				return err
			}
			kept = kept[:0]
		}
		kept = append(kept, k)
	}
	return u.lookAgain(ctx, name, code, kept, tell)
}

func (u *Updater) lookAgain(ctx context.Context, name mapping.Target, code int, kept []ledger.Kept, tell func(Moved)) error {
	if len(kept) == 0 {
		return nil
	}
	q := target.ReadQuestion{Code: code, Memory: u.Memory}
	ids := map[int64]string{}
	for _, k := range kept {
		q.Fields = addNew(q.Fields, k.Field)
		if ids[k.Record] != "" {
			continue
		}
		known := make([]ledger.Record, 1)
		if err := u.Ledger.Recall(ctx, []int64{k.Record}, known); err != nil {
			return err
		}
		ids[k.Record] = known[0].Remote
		q.Wanted = append(q.Wanted, target.Wanted{ID: known[0].Remote, Lead: known[0].Lead})
	}
	if len(q.Wanted) < 2 {
		return nil // not worth a call of its own
	}
	back, err := target.For(name).(target.Reader).Read(ctx, u.Line, q)
	if err != nil {
		return err
	}
	for _, k := range kept {
		b := back[strings.ToLower(ids[k.Record])]
		if b.Presence != target.Present {
			continue
		}
		now, _ := b.Value(k.Field)
		if p := compare.Print(now); p != compare.Print(k.Has) && p != compare.Print(k.Had) {
			tell(Moved{Row: k.Row, ID: ids[k.Record], Field: k.Field, Wrote: k.Has, Become: now})
		}
	}
	return nil
}
