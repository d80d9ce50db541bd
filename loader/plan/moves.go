package plan

import (
	"context"
	"strings"

	"leadload/converter"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/mapping"
)

// moves tells of the rows of a batch what changed in them.
type moves struct {
	ledger.Moves
	ex      *Examiner
	learned bool
}

func newMoves(m *mapping.Mapping, r *mapping.Runner) *moves {
	columns := map[string]string{}
	t := &moves{ex: NewExaminer(m, r)}
	t.ex.Brief = true // the rows have their hashes
	t.Print = func(value string) uint32 { return ledger.Print(leadsquared.Canonical(value)) }
	t.Column = func(field string) string { return columns[field] }
	for _, f := range m.Fields() {
		columns[f.Name] = strings.Join(f.Columns, " + ")
		for _, v := range f.Outcomes {
			t.Learn(f.Name, v)
		}
	}
	return t
}

// sampled is how many rows of the first batch are looked through for values.
const sampled = 64

// learn takes the values of some rows among those at hand.
func (t *moves) learn(b *rowBatch) {
	if t.learned {
		return
	}
	t.learned = true
	for i := range b.rows[:min(len(b.rows), sampled)] {
		if row := &b.rows[i]; row.read && row.Verdict != ledger.Invalid {
			for _, f := range t.mapped(b.of(row)) {
				t.Learn(f.Name, f.Value)
			}
		}
	}
}

// mapped returns a row's fields, until the next call.
func (t *moves) mapped(cells []converter.Cell) []mapping.Field {
	var e ledger.Entry
	t.ex.examine(&e, cells)
	return t.ex.Record.Fields
}

// tell finds the rows of a batch that are only reported as changed.
func (t *moves) tell(ctx context.Context, store ledger.Store, b *rowBatch, entries func(i int) *ledger.Entry) error {
	var places []int
	var records []int64
	for i := range b.rows {
		if e := entries(i); e.Verdict == ledger.Changed && len(e.Differs) > 0 {
			places, records = append(places, i), append(records, e.Record)
		}
	}
	if len(places) == 0 {
		return nil
	}
	t.learn(b)
	known := make([]ledger.Record, len(records))
	if err := store.Recall(ctx, records, known); err != nil {
		return err
	}
	wrote, err := store.Wrote(ctx, records)
	if err != nil {
		return err
	}
	for k, i := range places {
		var values []string
		for _, f := range t.mapped(b.of(&b.rows[i])) {
			values = append(values, f.Value)
		}
		t.Tell(entries(i), &known[k], values, wrote[records[k]])
	}
	return nil
}
