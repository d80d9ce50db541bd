package reports

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
)

// goneLedger is a fake whose run missed rows, of which the odd ones are in the
// account still.
type goneLedger struct {
	fakeLedger
	gone int64
}

func (l goneLedger) Gone(context.Context, int64) (s ledger.Set, err error) {
	for n := range l.gone {
		s.Add(n + 1)
	}
	return s, nil
}

func (l goneLedger) Named(_ context.Context, records []int64) (out []ledger.Row, err error) {
	for _, n := range records {
		if n%2 == 1 {
			out = append(out, ledger.Row{Record: n, Number: int(n) + 1, Key: fmt.Sprint("K", n), ID: fmt.Sprint("id-", n)})
		}
	}
	return out, nil
}

func TestRemovedSheet(t *testing.T) {
	defer func(n int) { sheetRows = n }(sheetRows)
	sheetRows = 1000
	for _, c := range []struct {
		gone int64
		want []string // sheets
		rows int      // on the last of them
	}{
		{0, nil, 0},
		{1, []string{"Removed"}, 1},
		{2001, []string{"Removed", "Removed (2)"}, 1},
	} {
		t.Run(fmt.Sprint(c.gone, " gone"), func(t *testing.T) {
			l := ledgerOf(ledger.Row{Number: 2, Result: ledger.ResultAlready})
			j := jobOf(l, nil)
			j.rows = goneLedger{l, c.gone}
			f, err := excelize.OpenFile(save(t, j))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got := f.GetSheetList(); !slices.Equal(got[3:], c.want) && len(got[3:])+len(c.want) > 0 {
				t.Errorf("sheets %v", got)
			}
			for _, name := range c.want[max(len(c.want)-1, 0):] {
				rows, err := f.GetRows(name)
				if err != nil || len(rows) != c.rows+1 || !slices.Equal(rows[0], []string{"Row", "Key", "ID"}) {
					t.Errorf("%v, %v", rows, err)
				}
				n := c.gone
				if want := []string{fmt.Sprint(n + 1), fmt.Sprint("K", n), fmt.Sprint("id-", n)}; !slices.Equal(rows[c.rows], want) {
					t.Errorf("%v, want %v", rows[c.rows], want)
				}
			}
			s, err := j.summarize(t.Context(), "")
			if err != nil || s.Totals.Removed != (c.gone+1)/2 {
				t.Errorf("%d removed, %v", s.Totals.Removed, err)
			}
		})
	}
}
