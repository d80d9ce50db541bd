package reports

import (
	"context"
	"fmt"
	"iter"
	"strconv"
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
	book    *book
	columns map[string]string // of the input, by a field's name
	next    func() (ledger.Kept, error, bool)
	stop    func()
	kept    ledger.Kept // the next one
	more    bool
	parts   []*excelize.StreamWriter
	names   []string
	rows    []int
}

func (j *job) newChanges(ctx context.Context, b *book) (*changes, error) {
	c := &changes{book: b, columns: map[string]string{}, stop: func() {}}
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

func (c *changes) write(row *ledger.Row) error {
	last := len(c.parts) - 1
	if last < 0 || c.rows[last] == sheetRows {
		if err := c.open(); err != nil {
			return err
		}
		last++
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
		excelize.Cell{StyleID: st.number, Value: origin(row)}, text(row.Key), text(row.ID), text(c.columns[k.Field]), text(k.Field), text(k.Had), text(k.Has),
		excelize.Cell{StyleID: st.results[k.Result], Value: k.Result.String()},
	}
	c.rows[last]++
	return c.parts[last].SetRow("A"+strconv.Itoa(c.rows[last]+1), values, excelize.RowOpts{StyleID: st.text})
}

// open starts the next sheet.
func (c *changes) open() error {
	name := titleChanges
	if n := len(c.parts); n > 0 {
		name = fmt.Sprintf("%s (%d)", titleChanges, n+1)
	}
	f, tab, fit := c.book.f, "FF1F9AB0", true
	if _, err := f.NewSheet(name); err != nil {
		return err
	}
	if err := f.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit, TabColorRGB: &tab}); err != nil {
		return err
	}
	if err := f.SetSheetDimension(name, ""); err != nil { // as for the other streams
		return err
	}
	sw, err := f.NewStreamWriter(name)
	if err != nil {
		return err
	}
	head := make([]any, len(changeColumns))
	for i, col := range changeColumns {
		if err := sw.SetColWidth(i+1, i+1, col.width); err != nil {
			return err
		}
		head[i] = excelize.Cell{StyleID: c.book.styles.header, Value: col.name}
	}
	if err := sw.SetPanes(&excelize.Panes{Freeze: true, XSplit: 2, YSplit: 1, TopLeftCell: "C2", ActivePane: "bottomRight"}); err != nil {
		return err
	}
	if err := sw.SetRow("A1", head, excelize.RowOpts{Height: 21, StyleID: c.book.styles.text}); err != nil {
		return err
	}
	c.parts, c.names, c.rows = append(c.parts, sw), append(c.names, name), append(c.rows, 0)
	return nil
}

// total is the number of rows on all parts.
func (c *changes) total() (n int) {
	for _, r := range c.rows {
		n += r
	}
	return n
}

// close writes what stands behind the rows.
func (c *changes) close() error {
	right, err := excelize.ColumnNumberToName(len(changeColumns))
	if err != nil {
		return err
	}
	for i, name := range c.names {
		area := fmt.Sprintf("A1:%s%d", right, c.rows[i]+1)
		if err := c.book.f.AutoFilter(name, area, nil); err != nil {
			return err
		}
		if err := c.book.f.AddIgnoredErrors(name, area, excelize.IgnoredErrorsNumberStoredAsText); err != nil {
			return err
		}
		if err := setMargins(c.book.f, name); err != nil {
			return err
		}
		if err := c.parts[i].Flush(); err != nil {
			return err
		}
	}
	return nil
}
