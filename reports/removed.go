package reports

import (
	"context"
	"slices"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
)

const titleRemoved = "Removed"

// removedColumns are the columns of the sheet Removed, with their widths in characters.
var removedColumns = []struct {
	name  string
	width float64
}{{"Row", 8}, {"Key", 22}, {"ID", 38}}

// RemovedColumns returns the columns of the sheet Removed, which the results of a
// command that reads the account have as well.
func RemovedColumns() (names []string) {
	for _, c := range removedColumns {
		names = append(names, c.name)
	}
	return names
}

// misser is a ledger that knows which rows a run's file no longer had.
type misser interface {
	Gone(ctx context.Context, run int64) (ledger.Set, error)
	Named(ctx context.Context, records []int64) ([]ledger.Row, error)
}

// eachRemoved calls do for the rows that the run's file no longer had and that are
// in the account still.
func (j *job) eachRemoved(ctx context.Context, do func(*ledger.Row) error) error {
	m, ok := j.rows.(misser)
	if !ok || j.Run.ID == 0 {
		return nil
	}
	gone, err := m.Gone(ctx, j.Run.ID)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(slices.Collect(gone.All()), 1000) {
		rows, err := m.Named(ctx, part)
		if err != nil {
			return err
		}
		for i := range rows {
			if err := do(&rows[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// addRemoved writes the sheet Removed, where there are such rows.
func (j *job) addRemoved(ctx context.Context, b *book) (*table, error) {
	t := &table{title: titleRemoved, tab: "FF" + looks[ledger.ResultInvalid].bar, frozen: 2}
	var head []any
	for _, c := range removedColumns {
		t.widths = append(t.widths, c.width)
		head = append(head, excelize.Cell{StyleID: b.styles.header, Value: c.name})
	}
	return t, j.eachRemoved(ctx, func(r *ledger.Row) error {
		if t.full() {
			if _, err := t.start(b.f); err != nil {
				return err
			}
			if err := t.head(head, b.styles.text); err != nil {
				return err
			}
		}
		text := func(v string) any {
			if v == "" {
				return nil
			}
			return excelize.Cell{StyleID: b.styles.text, Value: b.trims.fit(v)}
		}
		return t.put([]any{excelize.Cell{StyleID: b.styles.number, Value: origin(r)}, text(r.Key), text(r.ID)}, excelize.RowOpts{StyleID: b.styles.text})
	})
}
