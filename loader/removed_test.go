package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
)

// withoutRosters is a ledger of an earlier version, which has kept none.
type withoutRosters struct{ ledger.Store }

func (withoutRosters) Roster(context.Context, ledger.WholeFile) (ledger.Set, bool, error) {
	return nil, false, nil
}

// TestRemoved tells which rows a file no longer has, with the roster of its runs and
// with the rows of its runs alone.
func TestRemoved(t *testing.T) {
	for _, c := range []struct {
		name   string
		second []string
		want   Removed
	}{
		{"all are there", []string{"D1", "D2", "D3", "D4", "D5"}, Removed{}},
		{"one is gone", []string{"D1", "D2", "D4", "D5"}, Removed{Rows: 1}},
		{"two are gone, and one is new", []string{"D1", "D9", "D4", "D5"}, Removed{Rows: 2}},
		{"most are gone", []string{"D5", "D9"}, Removed{Left: 4, Of: 5}},
		{"all are gone", []string{"D9"}, Removed{Left: 5, Of: 5}},
	} {
		for _, old := range []bool{false, true} {
			bubble(t, fmt.Sprintf("%s, rosters %v", c.name, !old), func(t *testing.T) {
				b := newBench(t, sandbox.Options{})
				defer b.close()
				rows := func(keys ...string) string {
					var lines []string
					for _, k := range keys {
						lines = append(lines, fmt.Sprintf("%s,%s@example.com,N", k, k))
					}
					return b.deals(lines...)
				}
				path := rows("D1", "D2", "D3", "D4", "D5")
				_, err := b.load(t.Context(), path)
				check(t, err)
				if old {
					b.led = withoutRosters{b.led}
				}
				var plan Plan
				b.confirm = func(p Plan) error { plan = p; return nil }
				if again := rows(c.second...); again != path {
					t.Fatalf("the file is %s, and was %s", again, path)
				}
				res, err := b.load(t.Context(), path)
				check(t, err)
				gone, err := b.led.Gone(t.Context(), res.Run.ID)
				check(t, err)
				if plan.Removed != c.want || int64(gone.Len()) != c.want.Rows {
					t.Errorf("%+v, %d written down; want %+v", plan.Removed, gone.Len(), c.want)
				}
				// The night after that knows them still, and what is new besides.
				_, err = b.load(t.Context(), rows(append(slices.Clone(c.second), "D1")...))
				check(t, err)
				if n := plan.Removed.Rows + plan.Removed.Left; n > c.want.Rows+c.want.Left {
					t.Errorf("the next night: %+v", plan.Removed)
				}
			})
		}
	}
}

// TestRemovedOfAnotherType counts no row as gone that the same file was loaded from as
// another type, or in another set.
func TestRemovedOfAnotherType(t *testing.T) {
	for name, change := range map[string][2]string{
		"type": {"OpportunityEventCode: 12000", "OpportunityEventCode: 12001"},
		"set":  {"version: 1", "version: 1\nset: again"},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			path := b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C")
			_, err := b.load(t.Context(), path)
			check(t, err)
			b.mapping = strings.Replace(b.mapping, change[0], change[1], 1)
			var plan Plan
			b.confirm = func(p Plan) error { plan = p; return nil }
			res, err := b.load(t.Context(), path)
			check(t, err)
			gone, err := b.led.Gone(t.Context(), res.Run.ID)
			check(t, err)
			if res.Totals[ledger.ResultLoaded] != 3 || plan.Removed != (Removed{}) || gone.Len() != 0 {
				t.Errorf("%s, %+v, %d written down as gone", res.Totals, plan.Removed, gone.Len())
			}
		})
	}
}
