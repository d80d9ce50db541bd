package mapping

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"leadload/converter"
)

var parseSeeds = []string{
	dealsMapping, salesMapping, benchMapping, "", "a: b", "\t", "version: 1\ntarget: opportunity\n",
	top + "key: [A, B]\nskip_when: 'A == \"\" or row[\"B\"] in [\"x\"]'\nignore: [C]\n" + details + code,
	top + "search_by: ProspectId\nLeadDetails: {ProspectID: L}\nOpportunity: {OpportunityEventCode: {column: C}, OverwriteFields: true}\n",
	fields + "    mx_Custom_1: {join: [A, B], separator: '', case: title, max_length: 5, truncate: true}\n    mx_Custom_2: {column: D, type: datetime, timezone: {column: Z}, dst: later, format: [dd/MM/yyyy HH:mm, iso]}\n    mx_Custom_3: {expr: 'let a = upper(A); a + string(len(B))'}\n",
	fields + "    mx_Custom_1: &a {column: A}\n    mx_Custom_2: {<<: *a, empty: send}\n    mx_Custom_3: *a\n",
	fields + "    Status: {column: S, values: {x: Won}, default: Open}\n    Owner: O\n    mx_Custom_1: {value: \"\\u0007\"}\n",
	"{version: 1, target: sales-activity, lead: {find_by: Phone, column: P, type: phone, region: IN, if_missing: create}, SalesActivity: {Status: {value: won}, Revenue: A}}",
	"? a\n: b\n", "a: !!str\n", "a: |\n x\n", "a: {b: [c:d, e: f]}", "--- \n...\n---\n", "%YAML 1.2\n---\na: 1", "a: &a [*a]", "\xff", "a: \"\\x\"", "- - - -\n", "'", "[", "}", "<<: *x\n", "<<: {a: b}\n",
}

// FuzzParse asserts that no text makes the parser fail in another way than by
// problems that can be shown, and that whatever it accepts maps rows into
// valid bodies.
func FuzzParse(f *testing.F) {
	for _, s := range parseSeeds {
		f.Add(s)
	}
	if len(parseSeeds) < 25 {
		f.Fatal("the seeds are gone")
	}
	odd := []string{"", "x", "a@b.com", "9876543210", "31/12/2025 23:30", "5", "Won", "Asia/Kolkata"}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("fuzz.yaml", []byte(text))
		if err != nil {
			checkProblems(t, err)
			return
		}
		header := m.Columns()
		p, err := m.Compile(header)
		if err != nil {
			checkProblems(t, err)
			return
		}
		m.Fields()
		r, judge, sampler := p.Runner(), p.Judge(), p.Sampler()
		var rec Record
		for i := range 2 * len(odd) {
			cells := make([]converter.Cell, len(header))
			for j := range cells {
				cells[j] = converter.Cell{Kind: converter.TextCell, Text: odd[(i+j*i)%len(odd)]}
			}
			r.Map(cells, &rec)
			sampler.Take(cells)
			checkJudge(t, judge, cells, &rec)
			if rec.Skipped || len(rec.Problems) > 0 {
				continue
			}
			if !json.Valid(rec.Body) {
				t.Fatalf("the body is no JSON: %s", rec.Body)
			}
			if rec.Lead == "" {
				t.Fatalf("no lead: %+v", rec)
			}
		}
	})
}

// checkJudge demands of a runner without bodies what the other one said of a row.
func checkJudge(t *testing.T, judge *Runner, cells []converter.Cell, want *Record) {
	t.Helper()
	var got Record
	judge.Map(cells, &got)
	if got.Skipped != want.Skipped || got.Key != want.Key || got.KeyText != want.KeyText || !slices.Equal(got.Problems, want.Problems) {
		t.Fatalf("%+v\nwithout a body: %+v\nwith it:        %+v", cells, got, *want)
	}
	m := judge.p.mapping
	if looked := m.Lead.FindBy != "" || m.LeadMustExist; looked && (got.Lead != want.Lead || got.LeadField != want.LeadField || got.LeadValue != want.LeadValue || got.LeadText != want.LeadText) {
		t.Fatalf("%+v: the lead %q %q, with a body %q %q", cells, got.Lead, got.LeadValue, want.Lead, want.LeadValue)
	}
	if len(got.Body) > 0 || len(got.Fields) > 0 {
		t.Fatalf("a body was made: %s", got.Body)
	}
}

func checkProblems(t *testing.T, err error) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("the error is %T: %v", err, err)
	}
	for _, p := range problems {
		if !slices.Contains(Codes, p.Code) || p.Msg == "" || p.Line < 1 || p.Column < 1 || strings.Contains(p.Msg, "\n") {
			t.Fatalf("a problem that cannot be shown: %+v", p)
		}
		if p.Excerpt != "" && strings.Count(p.Excerpt, "\n") != 1 {
			t.Fatalf("an excerpt of other than two lines: %q", p.Excerpt)
		}
	}
}

// FuzzRunCases asserts the same of test files.
func FuzzRunCases(f *testing.F) {
	seeds := []string{dealCases, "", "cases: []", "- row: {Email: a}\n  body: {a: [b, {c: d}]}", "- row: {Email: {number: 1}}\n  fields: {a: b}", "- row: {}\n  problems: x", "cases:\n- &a {row: {Email: x}, skipped: true}\n- *a\n"}
	for _, s := range seeds {
		f.Add(s)
	}
	if len(seeds) < 6 {
		f.Fatal("the seeds are gone")
	}
	m, err := Parse("deals.yaml", []byte(dealsMapping))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := RunCases(m, "cases.yaml", []byte(text)); err != nil {
			checkProblems(t, err)
		}
	})
}
