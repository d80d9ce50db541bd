package plan

import (
	"context"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/mapping"
)

// earlierMost is how many earlier mappings a row is read by, at most. A mapping
// that is older than so many others has named rows that a newer one names too.
const earlierMost = 20

// Earlier are the mappings by which earlier runs have loaded into a scope, as far
// as they can read the file of today: one whose columns are gone cannot. It serves
// one goroutine.
type Earlier struct{ list []*earlier }

type earlier struct {
	hash, name string
	ex         *Examiner
}

// NewEarlier reads the earlier mappings out of the ledger; nil: there are none.
func NewEarlier(ctx context.Context, s ledger.Store, scope int64, m *mapping.Mapping, f *source.File) (*Earlier, error) {
	if s == nil || scope == 0 {
		return nil, nil
	}
	texts, err := s.Mappings(ctx, scope, earlierMost)
	if err != nil {
		return nil, err
	}
	var out Earlier
	into := target.For(m.Target).Scope(m)
	for _, t := range texts {
		if t.Hash == m.Hash {
			continue
		}
		was, err := mapping.Parse(t.Name, []byte(t.Text))
		if err != nil || was.Set != m.Set || target.For(was.Target).Scope(was) != into {
			continue
		}
		if p, err := was.Compile(f.Header(), f.Positions()...); err == nil {
			out.list = append(out.list, &earlier{t.Hash, t.Name, NewExaminer(was, p.Runner())})
		}
	}
	if out.list == nil {
		return nil, nil
	}
	return &out, nil
}

// of returns what reads a row of these cells, when it is asked for; nil where
// there is no earlier mapping. The cells stay the caller's until then.
func (e *Earlier) of(cells []converter.Cell) func() []ledger.View {
	if e == nil {
		return nil
	}
	var views []ledger.View
	read := false
	return func() []ledger.View {
		if read {
			return views
		}
		read = true
		for _, was := range e.list {
			var row ledger.Entry
			if was.ex.examine(&row, cells); row.Verdict == 0 { // else it was never loaded so
				views = append(views, ledger.View{Hash: was.hash, Name: was.name, HasKey: row.HasKey, Identity: row.Identity, Spellings: row.Spellings, Digest: row.Digest})
			}
		}
		return views
	}
}

// Row lets an entry ask how the earlier mappings read its row. Nothing of the row
// is kept.
func (e *Earlier) Row(entry *ledger.Entry, row *source.Row) { entry.Earlier = e.of(row.Cells) }
