package loader

import (
	"bytes"
	"context"
	"slices"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/mapping"
)

// resentMost is how many rows may look like rows that are loaded before a run is
// held: so many, or a fifth of what earlier runs loaded from the file, where that
// is more.
const resentMost = 20

// resent holds a run that would send rows again which an earlier run loaded from
// this file, as after a key that was altered: new rows that resemble one that is
// gone.
func (r *run) resent(ctx context.Context, ready int64, planner *ledger.Planner) error {
	if r.job.SendAgain || r.job.InputPath == "" || ready <= resentMost {
		return nil
	}
	path := ledger.RecordQuery{Scope: r.scope, Path: r.job.InputPath}
	before := false
	for _, err := range r.led.Records(ctx, path) {
		if err != nil {
			return err
		}
		before = true
		break
	}
	if !before {
		return nil
	}
	lead, names := leadField(r.job.Mapping), varying(r.job.Mapping)
	fresh := map[uint32][]ledger.Record{}
	for rec, err := range r.led.Records(ctx, ledger.RecordQuery{Scope: r.scope, Run: r.id}) {
		if err != nil {
			return err
		}
		rec.Prints = bytes.Clone(rec.Prints)
		at := rec.Print(lead)
		fresh[at] = append(fresh[at], rec)
	}
	loaded, again := int64(0), int64(0)
	for rec, err := range r.led.Records(ctx, path) {
		if err != nil {
			return err
		}
		loaded++
		if planner.Saw(rec.ID) {
			continue
		}
		at := rec.Print(lead)
		list := fresh[at]
		// A row stands for one that is gone, not for all that were like it.
		if i := slices.IndexFunc(list, func(f ledger.Record) bool { return resembles(names, &f, &rec) }); i >= 0 {
			again++
			fresh[at] = slices.Delete(list, i, i+1)
		}
	}
	if again <= resentMost || again*5 <= loaded {
		return nil
	}
	return fault.New("run.send-again", "put the key back, or map the columns that the rows were loaded with; where they are to be loaded once more, add --send-again",
		"%d of the %d rows that earlier runs loaded from this file would be sent again: they are gone from it, and new rows of the same leads have at least half of their values. Nothing was sent", again, loaded)
}

// leadField is the field, as the ledger names it, that says whose record a row is.
func leadField(m *mapping.Mapping) string {
	switch {
	case m.Lead.FindBy != "":
		return "lead"
	case m.SearchBy != "":
		return "LeadDetails." + m.SearchBy
	}
	return "SalesActivity.ProspectId"
}

// varying returns the fields that have values of the rows.
func varying(m *mapping.Mapping) (names []string) {
	for _, f := range m.Fields() {
		if !f.HasConstant {
			names = append(names, f.Name)
		}
	}
	return names
}

// resembles reports whether at least half of the fields that a record has have the
// values of another.
func resembles(names []string, a, b *ledger.Record) bool {
	same, all := 0, 0
	for _, n := range names {
		p := a.Print(n)
		if p == 0 {
			continue
		}
		if all++; p == b.Print(n) {
			same++
		}
	}
	return all > 0 && 2*same >= all
}
