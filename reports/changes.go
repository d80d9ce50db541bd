package reports

import (
	"context"
	"iter"
	"strings"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
)

const titleChanges = "Changes"

// changeColumns are the columns of the sheet Changes, with their widths in characters.
var changeColumns = []struct {
	name  string
	width float64
}{{"Row", 8}, {"Key", 22}, {"ID", 38}, {"Column", 24}, {"Field", 34}, {"Account had", 34}, {"File has", 34}, {"Result", 14}}

// keeper is a ledger that keeps the values that updates met in the account.
type keeper interface {
	Kept(ctx context.Context, run int64) iter.Seq2[ledger.Kept, error]
}

// changes is the sheet of fields that updates wrote or left alone. It is there
// only where it has a row.
type changes struct {
	table
	book    *book
	columns map[string]string // of the input, by a field's name
	next    func() (ledger.Kept, error, bool)
	stop    func()
	kept    ledger.Kept // the next one
	more    bool
}

func (j *job) newChanges(ctx context.Context, b *book) (*changes, error) {
	c := &changes{table: table{title: titleChanges, tab: "FF1F9AB0", frozen: 2}, book: b, columns: map[string]string{}, stop: func() {}}
	for _, col := range changeColumns {
		c.widths = append(c.widths, col.width)
	}
	for _, f := range j.Fields {
		if len(f.Names) > 0 {
			c.columns[f.Names[0]] = strings.Join(f.Columns, " + ")
		}
	}
	k, ok := j.rows.(keeper)
	if !ok || j.Run.ID == 0 {
		return c, nil
	}
	c.next, c.stop = iter.Pull2(k.Kept(ctx, j.Run.ID))
	return c, c.step()
}

// step reads the next value.
func (c *changes) step() (err error) {
	c.kept, err, c.more = c.next()
	return err
}

// add writes what is kept of a row, whose lines come in the order of the run.
func (c *changes) add(row *ledger.Row) error {
	for c.more && c.kept.Row <= row.Number {
		if c.kept.Row == row.Number && c.kept.Record == row.Record {
			if err := c.write(row); err != nil {
				return err
			}
		}
		if err := c.step(); err != nil {
			return err
		}
	}
	return nil
}

// write writes the lines of a field: what an update wrote or left alone, and what
// the account had of it afterwards.
func (c *changes) write(row *ledger.Row) error {
	k := &c.kept
	beside := k.Moved && k.Result == ledger.ResultChanged && k.Had == "" && k.Has == "" // no update was about the field
	if !beside {
		if err := c.line(row, k.Had, k.Result); err != nil {
			return err
		}
	}
	if !k.Moved {
		return nil
	}
	return c.line(row, k.Became, ledger.ResultChanged)
}

func (c *changes) line(row *ledger.Row, had string, result ledger.Result) error {
	if c.full() {
		if err := c.open(); err != nil {
			return err
		}
	}
	st, fit := c.book.styles, &c.book.trims
	text := func(v string) any {
		if v == "" {
			return nil
		}
		return excelize.Cell{StyleID: st.wrapped, Value: fit.fit(v)}
	}
	k := &c.kept
	values := []any{
		excelize.Cell{StyleID: st.number, Value: origin(row)}, text(row.Key), text(row.ID), text(c.columns[k.Field]), text(k.Field), text(had), text(k.Has),
		excelize.Cell{StyleID: st.results[result], Value: result.String()},
	}
	return c.put(values, excelize.RowOpts{StyleID: st.text})
}

// open starts the next sheet.
func (c *changes) open() error {
	if _, err := c.start(c.book.f); err != nil {
		return err
	}
	head := make([]any, len(changeColumns))
	for i, col := range changeColumns {
		head[i] = excelize.Cell{StyleID: c.book.styles.header, Value: col.name}
	}
	return c.head(head, c.book.styles.text)
}
