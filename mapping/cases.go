package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"leadload/converter"
)

// CaseResult is how one case of a mapping's test file came out.
type CaseResult struct {
	Name     string
	Line     int      // where the case stands in its file
	Failures []string // empty when it passed
}

// RunCases maps the rows of a test file and compares what comes out with what
// the file expects:
//
//	cases:
//	  - name: a won deal
//	    row: {Deal ID: D-1, Email: asha@example.com, Stage: Closed Won}
//	    body: {LeadDetails: […], Opportunity: {…}}   # the whole request body
//	  - name: only what matters
//	    row: {Deal ID: D-2, Email: asha@example.com, Amount: "1,20,000.50"}
//	    fields: {Fields.mx_Custom_6: "120000.50"}    # parts of it by name
//	  - row: {Stage: Test}
//	    skipped: true
//	  - row: {Email: nobody}
//	    problems: [Email]                            # columns, fields or codes
//
// Columns that a row does not name are empty. A cell is a text; a
// spreadsheet's own are {number: 12.5}, {date: 46022.5, format: dd/mm/yyyy},
// {boolean: TRUE} and {error: "#N/A"}. A number in body matches a text of the
// same digits unless it stands in quotes. The error is Problems, of the test
// file or, where a case brings them to light, of the mapping.
func RunCases(m *Mapping, name string, text []byte) ([]CaseResult, error) {
	clean := normalise(text)
	c := newCollector(name, clean)
	root := parseYAML(c, casesFile, clean)
	var cases []testCase
	if root != nil {
		cases = readCases(c, root)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	header := m.Columns()
	for i := range cases {
		for _, e := range cases[i].row.entries {
			column := strings.TrimSpace(e.key.text)
			if slices.Contains(header, column) {
				continue
			}
			if len(header) > 0 {
				c.at(e.key, "cases.column", didYouMean(column, header), "the mapping does not use a column %q", column)
			}
		}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	p, err := m.Compile(header)
	if err != nil {
		return nil, err
	}
	r := p.Runner()
	out := make([]CaseResult, len(cases))
	for i := range cases {
		out[i] = cases[i].run(r, header)
	}
	return out, nil
}

// Columns lists all columns that the mapping names.
func (m *Mapping) Columns() []string {
	var out []string
	add := func(name string) {
		if name = strings.TrimSpace(name); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, n := range m.keyNodes {
		add(n.text)
	}
	expressions := []*expression{m.skipWhen}
	for _, f := range m.allFields() {
		for _, n := range f.columns() {
			add(n.text)
		}
		expressions = append(expressions, f.expr)
	}
	for _, e := range expressions {
		if e != nil {
			for _, u := range e.uses {
				add(u.name)
			}
		}
	}
	for _, n := range m.ignore {
		add(n.text)
	}
	return out
}

type testCase struct {
	name     string
	line     int
	row      *node
	cells    map[string]converter.Cell
	body     *node
	fields   *node
	problems []*node
	skipped  bool
	lead     *node
	key      *node
}

var caseKeys = []key{
	{name: "name", shape: shapeText},
	{name: "row", shape: shapeFields, need: "yes"},
	{name: "body", shape: shapeFields},
	{name: "fields", shape: shapeFields},
	{name: "problems", shape: shapeTexts},
	{name: "skipped", shape: shapeBool},
	{name: "lead", shape: shapeText},
	{name: "key", shape: shapeText},
}

func readCases(c *collector, root *node) []testCase {
	list := root
	if root.kind == mapNode {
		list = root.get("cases")
		for _, e := range root.entries {
			if e.key.text != "cases" {
				c.at(e.key, "mapping.unknown-key", didYouMean(e.key.text, []string{"cases"}), "unknown key %q in the test file", e.key.text)
			}
		}
	}
	if list == nil || list.kind != listNode || len(list.items) == 0 {
		c.at(root, "cases.shape", "write cases: and below it - row: {…}", "the test file has no cases")
		return nil
	}
	p := &parsing{collector: c, m: &Mapping{}}
	var out []testCase
	for i, item := range list.items {
		s := p.group(item, "a case", caseKeys, nil)
		t := testCase{
			name: s.text("name"), line: item.line, row: s.values["row"], body: s.values["body"], fields: s.values["fields"],
			problems: items(s.values["problems"]), skipped: s.isTrue("skipped"), lead: s.values["lead"], key: s.values["key"],
		}
		if t.name == "" {
			t.name = "case " + strconv.Itoa(i+1)
		}
		if t.row == nil {
			if !s.written("row") && item.kind == mapNode {
				c.at(item, "cases.shape", "add row: {Column: text}", "the case has no row")
			}
			continue
		}
		if t.body == nil && t.fields == nil && len(t.problems) == 0 && !t.skipped && t.lead == nil && t.key == nil && len(s.values) == len(s.keys) && s.unknown == nil {
			c.at(item, "cases.shape", "add body:, fields:, problems: or skipped: true", "the case does not say what it expects")
		}
		t.cells = readCells(c, t.row)
		out = append(out, t)
	}
	return out
}

var cellKinds = map[string]converter.Kind{"text": converter.TextCell, "number": converter.NumberCell, "date": converter.DateCell, "boolean": converter.BoolCell, "error": converter.FaultCell}

func readCells(c *collector, row *node) map[string]converter.Cell {
	out := map[string]converter.Cell{}
	for _, e := range row.entries {
		var cell converter.Cell
		switch v := e.value; v.kind {
		case nullNode:
		case scalarNode:
			if v.text != "" {
				cell = converter.Cell{Kind: converter.TextCell, Text: v.text}
			}
		case mapNode:
			kinds := 0
			for _, part := range v.entries {
				kind, known := cellKinds[part.key.text]
				switch {
				case part.value.kind != scalarNode, !known && part.key.text != "format":
					c.at(part.key, "cases.shape", "", "a cell is a text, {number: …}, {date: …, format: …}, {boolean: …} or {error: …}")
				case known:
					kinds++
					cell.Kind, cell.Text = kind, part.value.text
				default:
					cell.Format = part.value.text
				}
			}
			if kinds != 1 {
				c.at(v, "cases.shape", "", "a cell is a text, {number: …}, {date: …, format: …}, {boolean: …} or {error: …}")
			}
		default:
			c.at(v, "cases.shape", "", "a cell is a text, not %s", v.describe())
		}
		out[strings.TrimSpace(e.key.text)] = cell
	}
	return out
}

func (t *testCase) run(r *Runner, header []string) CaseResult {
	out := CaseResult{Name: t.name, Line: t.line}
	fail := func(format string, args ...any) { out.Failures = append(out.Failures, fmt.Sprintf(format, args...)) }
	cells := make([]converter.Cell, len(header))
	for i, name := range header {
		cells[i] = t.cells[name]
	}
	var rec Record
	r.Map(cells, &rec)
	switch {
	case rec.Skipped && !t.skipped:
		fail("the row is skipped")
		return out
	case t.skipped:
		if !rec.Skipped {
			fail("the row is not skipped")
		}
		return out
	}
	expected := map[string]bool{}
	for _, n := range t.problems {
		found := false
		for _, p := range rec.Problems {
			if n.text == p.Column || n.text == p.Field || n.text == p.Code {
				found = true
			}
		}
		expected[n.text] = true
		if !found {
			fail("no problem with %s", n.text)
		}
	}
	for _, p := range rec.Problems {
		if !expected[p.Column] && !expected[p.Field] && !expected[p.Code] {
			fail("problem with %s: %s", orElse(p.Column, "the row"), p.Msg)
		}
	}
	if t.body != nil && len(rec.Problems) == 0 {
		for _, d := range compareBody(t.body, rec.Body) {
			fail("%s", d)
		}
	}
	if t.fields != nil {
		t.compareFields(&rec, fail)
	}
	if t.lead != nil && t.lead.text != rec.Lead {
		fail("lead: got %q, want %q", rec.Lead, t.lead.text)
	}
	if t.key != nil && t.key.text != rec.Key && t.key.text != rec.KeyText {
		fail("key: got %q, want %q", rec.KeyText, t.key.text)
	}
	return out
}

func (t *testCase) compareFields(rec *Record, fail func(string, ...any)) {
	names := make([]string, len(rec.Fields))
	for i, f := range rec.Fields {
		names[i] = f.Name
	}
	for _, e := range t.fields.entries {
		i := slices.Index(names, e.key.text)
		switch {
		case e.value.kind == nullNode && i >= 0:
			fail("%s: got %q, want nothing", e.key.text, rec.Fields[i].Value)
		case e.value.kind == nullNode:
		case e.value.kind != scalarNode:
			fail("%s: the expected value must be a text, not %s", e.key.text, e.value.describe())
		case i < 0:
			fail("%s: got nothing, want %q", e.key.text, e.value.text)
		case rec.Fields[i].Value != e.value.text:
			fail("%s: got %q, want %q", e.key.text, rec.Fields[i].Value, e.value.text)
		}
	}
}

// compareBody lists the differences between an expected body and the one made.
func compareBody(want *node, body []byte) []string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var got any
	if err := d.Decode(&got); err != nil {
		return []string{"the body is no JSON: " + err.Error()}
	}
	var out []string
	compare("", want, got, &out)
	return out
}

func compare(path string, want *node, got any, out *[]string) {
	if len(*out) >= 50 {
		return
	}
	differ := func() {
		*out = append(*out, fmt.Sprintf("%s: got %s, want %s", orElse(path, "the body"), showJSON(got), want.describe()))
	}
	switch g := got.(type) {
	case map[string]any:
		if want.kind != mapNode {
			differ()
			return
		}
		compareMaps(path, want, g, out)
	case []any:
		if want.kind != listNode {
			differ()
			return
		}
		compareLists(path, want.items, g, out)
	case string:
		if want.kind != scalarNode || want.text != g {
			differ()
		}
	case json.Number:
		if want.kind != scalarNode || want.quoted || want.text != g.String() {
			differ()
		}
	case bool:
		if want.kind != scalarNode || want.quoted || want.text != strconv.FormatBool(g) {
			differ()
		}
	}
}

func compareMaps(path string, want *node, got map[string]any, out *[]string) {
	seen := map[string]bool{}
	for _, e := range want.entries {
		name := e.key.text
		seen[name] = true
		v, ok := got[name]
		if !ok {
			*out = append(*out, fmt.Sprintf("%s: got nothing, want %s", under(path, name), e.value.describe()))
			continue
		}
		compare(under(path, name), e.value, v, out)
	}
	rest := make([]string, 0, len(got))
	for name := range got {
		if !seen[name] {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	for _, name := range rest {
		*out = append(*out, fmt.Sprintf("%s: got %s, want nothing", under(path, name), showJSON(got[name])))
	}
}

// compareLists pairs the entries of attribute lists by their names: their
// order means nothing to the account.
func compareLists(path string, want []*node, got []any, out *[]string) {
	for _, by := range []string{"Attribute", "SchemaName"} {
		wantNamed, ok1 := namedNodes(want, by)
		gotNamed, ok2 := namedValues(got, by)
		if !ok1 || !ok2 {
			continue
		}
		for i, w := range want {
			name := wantNamed[i]
			if g := slices.Index(gotNamed, name); g >= 0 {
				compare(under(path, name), w, got[g], out)
			} else {
				*out = append(*out, fmt.Sprintf("%s: got nothing, want %s", under(path, name), valueOf(w)))
			}
		}
		for i, name := range gotNamed {
			if !slices.Contains(wantNamed, name) {
				m := got[i].(map[string]any)
				*out = append(*out, fmt.Sprintf("%s: got %s, want nothing", under(path, name), showJSON(m["Value"])))
			}
		}
		return
	}
	if len(want) != len(got) {
		*out = append(*out, fmt.Sprintf("%s: got %d entries, want %d", path, len(got), len(want)))
		return
	}
	for i := range want {
		compare(fmt.Sprintf("%s[%d]", path, i), want[i], got[i], out)
	}
}

func valueOf(n *node) string {
	if v := n.get("Value"); v != nil {
		return v.describe()
	}
	return n.describe()
}

func namedNodes(list []*node, by string) ([]string, bool) {
	out := make([]string, len(list))
	for i, n := range list {
		v := n.get(by)
		if v == nil || v.kind != scalarNode {
			return nil, false
		}
		out[i] = v.text
	}
	return out, len(list) > 0
}

func namedValues(list []any, by string) ([]string, bool) {
	out := make([]string, len(list))
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		name, ok := m[by].(string)
		if !ok {
			return nil, false
		}
		out[i] = name
	}
	return out, len(list) > 0
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// showJSON shows a value of a body in a failure.
func showJSON(v any) string {
	if s, ok := v.(string); ok {
		return string(appendJSON(nil, s))
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "something else"
	}
	return string(b)
}
