package loader

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/loader/words"
	"leadload/mapping"
)

// found keeps what a verify tells.
type found struct {
	rows    []VerifiedRow
	differs []Difference
	removed []ledger.Row
}

func (f *found) Row(r VerifiedRow) error       { f.rows = append(f.rows, r); return nil }
func (f *found) Difference(d Difference) error { f.differs = append(f.differs, d); return nil }
func (f *found) Removed(r ledger.Row) error    { f.removed = append(f.removed, r); return nil }

// verify compares a file as a process of its own would.
func (b *bench) verify(path string) (VerifyResult, *found, error) {
	b.t.Helper()
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	m, err := mapping.Parse("deals.yaml", []byte(b.mapping))
	check(b.t, err)
	f, err := source.Open(path, source.Options{})
	check(b.t, err)
	defer f.Close()
	var all found
	res, err := s.Verify(b.t.Context(), VerifyJob{Job: Job{Input: filepath.Base(path), InputPath: path, File: f, Mapping: m}, Sink: &all})
	return res, &all, err
}

// TestVerifyEveryTarget compares what was loaded, then what somebody changed.
func TestVerifyEveryTarget(t *testing.T) {
	for _, target := range mapping.Targets() {
		bubble(t, string(target), func(t *testing.T) {
			form := targetForms[target]
			b := newBench(t, sandbox.Options{AsyncDelay: 5 * time.Second})
			defer b.close()
			b.mapping = form.mapping
			for _, email := range []string{"a@example.com", "b@example.com"} {
				_, err := b.account.AddLead(map[string]string{"EmailAddress": email})
				check(t, err)
			}
			path := b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,a@example.com,C")
			res, err := b.load(t.Context(), path)
			check(t, err)
			got, all, err := b.verify(path)
			if err != nil || got.Totals.N[words.Same] != 3 || got.End != fault.Done || len(all.differs) > 0 {
				t.Errorf("untouched: %v, %s, %+v", err, got.Totals, all.differs)
			}
			id := b.rows(res)[1].ID
			if form.leads {
				err = b.account.EditSalesActivity(id, "Asha", map[string]string{"mx_Custom_5": "other"})
			} else {
				err = b.account.EditOpportunity(id, "Asha", map[string]string{"mx_Custom_1": "other"})
			}
			check(t, err)
			got, all, err = b.verify(path)
			if err != nil || got.Totals.N[words.Same] != 2 || got.Totals.N[words.Differs] != 1 || got.End != fault.Person {
				t.Fatalf("changed: %v, %s", err, got.Totals)
			}
			d := all.differs[0]
			if d.Row != 3 || d.Key != "D2" || d.ID != id || d.File != "B" || d.Account != "other" || d.SentLast != "B" || d.By != "account" {
				t.Errorf("%+v", d)
			}
		})
	}
}

// TestVerifyReads counts the calls of every way to read an account, and looks for late values.
func TestVerifyReads(t *testing.T) {
	const opportunities = "/v2/OpportunityManagement.svc/"
	for _, c := range []struct {
		name    string
		rows    int
		options sandbox.Options
		calls   int64 // at most
		wait    time.Duration
	}{
		{"2,000 a call", 4100, sandbox.Options{}, 3, 0},
		{"pages where the account has no such call", 4100, sandbox.Options{Without: []string{opportunities + "GetOpportunitiesById"}}, 25, 0},
		{"new records are shown late", 40, sandbox.Options{IndexLag: 80 * time.Second}, 90, 80 * time.Second},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, c.options)
			defer b.close()
			b.o.Account.Limit.Calls, b.o.SettleAfter = 1000, 90*time.Second
			check(t, b.account.SetLimit(1000, 5*time.Second))
			path := b.many(c.rows)
			if res, err := b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultLoaded] != int64(c.rows) {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			began := time.Now()
			got, _, err := b.verify(path)
			if err != nil || got.Totals.N[words.Same] != int64(c.rows) || got.Calls > c.calls {
				t.Errorf("%v, %s, %d calls", err, got.Totals, got.Calls)
			}
			if took := time.Since(began); c.wait > 0 && (took < c.wait || took > 2*c.wait) {
				t.Errorf("it took %s of the account's %s", took, c.wait)
			}
		})
	}
}

// TestVerifyWords has a row for every reason why there is nothing to compare.
func TestVerifyWords(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping += "skip_when: 'Name == \"Test\"'\n"
		path := b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C", "D4,d@example.com,D")
		_, err := b.load(t.Context(), path)
		check(t, err)
		path = b.deals("D1,a@example.com,A", "D2,nobody,B", "D3,c@example.com,Test", "D9,e@example.com,E", "D1,a@example.com,A")
		got, all, err := b.verify(path)
		check(t, err)
		var is []string
		for _, r := range all.rows {
			is = append(is, words.Verify[r.Result].Word)
		}
		if s := strings.Join(is, ", "); s != "same, not loaded, skipped, not loaded, skipped" {
			t.Errorf("the rows are: %s", s)
		}
		// The invalid and the skipped row are still in the file.
		if len(all.removed) != 1 || all.removed[0].Key != "D4" || got.Removed.Rows != 1 {
			t.Errorf("removed: %+v", all.removed)
		}
	})
}

// TestVerifyChangers tells who changed a field, also one that the mapping gained.
func TestVerifyChangers(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		path := b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C", "D4,d@example.com,D")
		res, err := b.load(t.Context(), path)
		check(t, err)
		rows := b.rows(res)
		for _, i := range []int{1, 2} {
			check(t, b.account.EditOpportunity(rows[i].ID, "Asha", map[string]string{"mx_Custom_1": "hers"}))
		}
		path = b.deals("D1,a@example.com,new", "D2,b@example.com,B", "D3,c@example.com,new", "D4,d@example.com,D")
		b.mapping = strings.Replace(b.mapping, "    mx_Custom_1: Name\n", "    mx_Custom_1: Name\n    mx_Custom_12: Deal\n", 1)
		_, all, err := b.verify(path)
		check(t, err)
		by := map[string]string{}
		for _, d := range all.differs {
			by[d.Key+" "+d.Field] = d.By + " " + d.SentLast
		}
		want := map[string]string{"D1 mx_Custom_1": "file A", "D2 mx_Custom_1": "account B", "D3 mx_Custom_1": "both ",
			"D1 mx_Custom_12": "mapping ", "D2 mx_Custom_12": "mapping ", "D3 mx_Custom_12": "mapping ", "D4 mx_Custom_12": "mapping "}
		if fmt.Sprint(by) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", by, want)
		}
	})
}

// BenchmarkVerifyCompare compares rows of twelve fields, two of them dates that the account writes otherwise.
func BenchmarkVerifyCompare(b *testing.B) {
	v, c, rows := comparison(2000)
	for b.Loop() {
		for i := range rows {
			v.differences(c, &rows[i], func(Difference) { b.Error("a difference") })
		}
	}
	b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
}

// comparison is n rows and what an account has of them.
func comparison(n int) (*verifier, *verifyChunk, []verifyRow) {
	v := &verifier{reader: target.For(mapping.Opportunity).(target.Reader), compare: map[string]bool{}, shown: map[string]bool{}}
	c := &verifyChunk{back: map[string]target.Back{}}
	var rows []verifyRow
	for i := range n {
		r := verifyRow{VerifiedRow: VerifiedRow{ID: fmt.Sprint("id-", i)}}
		back := target.Back{Presence: target.Present, Values: map[string]string{}}
		for k := range 12 {
			f := mapping.Field{Name: fmt.Sprint("Fields.mx_Custom_", k), Value: fmt.Sprint("value ", i, " ", k)}
			back.Values[f.Name] = f.Value
			switch k {
			case 3, 4:
				f.Value, back.Values[f.Name] = "2026-04-06 15:23:45", "4/6/2026 3:23:45 PM"
			case 5:
				f.Value, back.Values[f.Name] = "3", "3.00"
			}
			v.compare[f.Name] = true
			r.values = append(r.values, f)
		}
		c.back[r.ID] = back
		rows = append(rows, r)
	}
	return v, c, rows
}
