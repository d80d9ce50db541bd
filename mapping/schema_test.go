package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// schemaChecker checks values against as much of JSON Schema as Schema uses.
// It fails on a word that it does not know, so that nothing goes unchecked.
type schemaChecker struct {
	root map[string]any
}

func (c schemaChecker) check(path string, schema, v any) error {
	if allowed, ok := schema.(bool); ok {
		if !allowed {
			return fmt.Errorf("%s is not allowed", path)
		}
		return nil
	}
	s := schema.(map[string]any)
	m, isMap := v.(map[string]any)
	list, isList := v.([]any)
	words := make([]string, 0, len(s))
	for w := range s {
		words = append(words, w)
	}
	slices.Sort(words)
	for _, word := range words {
		want := s[word]
		switch word {
		case "$schema", "title", "description", "definitions", "then", "else":
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/definitions/")
			if err := c.check(path, c.root["definitions"].(map[string]any)[name], v); err != nil {
				return err
			}
		case "type":
			types, ok := want.([]any)
			if !ok {
				types = []any{want}
			}
			if !slices.ContainsFunc(types, func(t any) bool { return hasType(v, t.(string)) }) {
				return fmt.Errorf("%s is %T, not %v", path, v, want)
			}
		case "const":
			if fmt.Sprint(v) != fmt.Sprint(want) {
				return fmt.Errorf("%s is %v, not %v", path, v, want)
			}
		case "enum":
			if !slices.ContainsFunc(want.([]any), func(e any) bool { return e == v }) {
				return fmt.Errorf("%s is %v, not one of %v", path, v, want)
			}
		case "minimum":
			if f, ok := v.(float64); ok && f < want.(float64) {
				return fmt.Errorf("%s is below %v", path, want)
			}
		case "minItems":
			if isList && float64(len(list)) < want.(float64) {
				return fmt.Errorf("%s is too short", path)
			}
		case "minProperties":
			if isMap && float64(len(m)) < want.(float64) {
				return fmt.Errorf("%s is empty", path)
			}
		case "items":
			for i, item := range list {
				if err := c.check(fmt.Sprintf("%s[%d]", path, i), want, item); err != nil {
					return err
				}
			}
		case "required":
			for _, name := range want.([]any) {
				if _, ok := m[name.(string)]; isMap && !ok {
					return fmt.Errorf("%s lacks %v", path, name)
				}
			}
		case "properties", "patternProperties", "additionalProperties":
			if word != "properties" && s["properties"] != nil {
				continue // looked at with the properties
			}
			for name, value := range m {
				if err := c.member(path+"."+name, s, name, value); err != nil {
					return err
				}
			}
		case "anyOf", "oneOf", "allOf":
			fits := 0
			var last error
			for _, sub := range want.([]any) {
				if err := c.check(path, sub, v); err != nil {
					last = err
				} else {
					fits++
				}
			}
			all := len(want.([]any))
			if word == "anyOf" && fits == 0 || word == "oneOf" && fits != 1 || word == "allOf" && fits != all {
				return fmt.Errorf("%s fits %d of %s: %v", path, fits, word, last)
			}
		case "if":
			branch := "then"
			if c.check(path, want, v) != nil {
				branch = "else"
			}
			if s[branch] == nil {
				continue // nothing is asked for
			}
			if err := c.check(path, s[branch], v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the checker does not know the word %q", word)
		}
	}
	return nil
}

func (c schemaChecker) member(path string, s map[string]any, name string, v any) error {
	if p, ok := s["properties"].(map[string]any); ok {
		if sub, ok := p[name]; ok {
			return c.check(path, sub, v)
		}
	}
	if p, ok := s["patternProperties"].(map[string]any); ok {
		for pattern, sub := range p {
			if regexp.MustCompile(pattern).MatchString(name) {
				return c.check(path, sub, v)
			}
		}
	}
	if a, ok := s["additionalProperties"]; ok {
		return c.check(path, a, v)
	}
	return nil
}

func hasType(v any, t string) bool {
	switch x := v.(type) {
	case string:
		return t == "string"
	case bool:
		return t == "boolean"
	case float64:
		return t == "number" || t == "integer" && x == math.Trunc(x)
	case map[string]any:
		return t == "object"
	case []any:
		return t == "array"
	case nil:
		return t == "null"
	}
	return false
}

// asJSON reads a YAML text as an editor's checker does, which takes plain
// numbers and booleans for such.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	c := newCollector("m.yaml", text)
	root := parseYAML(c, "mapping", text)
	if err := c.err(); err != nil {
		t.Fatal(err)
	}
	var convert func(n *node) any
	convert = func(n *node) any {
		switch n.kind {
		case mapNode:
			out := map[string]any{}
			for _, e := range n.entries {
				out[e.key.text] = convert(e.value)
			}
			return out
		case listNode:
			out := []any{}
			for _, i := range n.items {
				out = append(out, convert(i))
			}
			return out
		case nullNode:
			return nil
		}
		if f, err := strconv.ParseFloat(n.text, 64); err == nil && !n.quoted {
			return f
		}
		if !n.quoted && (n.text == "true" || n.text == "false") {
			return n.text == "true"
		}
		return n.text
	}
	return convert(root)
}

func TestSchema(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	c := schemaChecker{root}
	for _, k := range []struct{ name, text string }{
		{"the first example", dealsMapping}, {"the second example", salesMapping}, {"the benchmark's", benchMapping},
		{"a lead by its id", "version: 1\ntarget: sales-activity\nSalesActivity: {Status: S, ProspectId: L, mx_Custom_12: A}\n"},
		{"all settings", fields + "    mx_Custom_1: {column: A, type: datetime, format: [a, b], timezone: {column: Z}, dst: later}\n    mx_Custom_2: {column: A, values: {a: b, 1: 2}, default: 5}\n    mx_Custom_3: {join: [A, B], separator: ', ', max_length: 3, truncate: true, case: upper, empty: send}\n"},
		{"everything about the input", "input: {sheet: 2026, header_row: 2, delimiter: ';', encoding: utf-8, decimal: ','}\nignore: [a]\nlead_must_exist: true\n" + top + details + code},
	} {
		if err := c.check("mapping", root, asJSON(t, k.text)); err != nil {
			t.Errorf("%s is refused: %v", k.name, err)
		}
	}
	for _, k := range []struct{ name, text string }{
		{"an unknown key", top + "x: 1\n" + details + code}, {"no version", "target: opportunity\n" + details + code}, {"another version", "version: 2\ntarget: opportunity\n" + details + code},
		{"an unknown target", "version: 1\ntarget: x\n" + details + code}, {"no lead", top + code}, {"a list as a field", fields + "    mx_Custom_1: [A]\n"},
		{"an unknown setting", fields + "    mx_Custom_1: {column: A, requird: true}\n"}, {"two origins", fields + "    mx_Custom_1: {column: A, value: b}\n"},
		{"no origin", fields + "    mx_Custom_1: {type: text}\n"}, {"an unknown type", fields + "    mx_Custom_1: {column: A, type: x}\n"}, {"a switch that is a word", top + details + "Opportunity: {OpportunityEventCode: 1, DoNotChangeOwner: maybe}\n"},
		{"a capture's body in a sales activity", salesMapping + "LeadDetails: {EmailAddress: A}\n"}, {"a rule for sales in a capture", top + "lead: {find_by: A, column: B}\n" + details + code},
		{"a field of the account's own", salesUp + "SalesActivity: {Status: A, mx_Custom_2: B}\n"}, {"no status", salesUp + "SalesActivity: {Revenue: A}\n"}, {"an event code that is a word", top + details + "Opportunity: {OpportunityEventCode: x}\n"},
		{"an empty join", fields + "    mx_Custom_1: {join: []}\n"}, {"row zero", "input: {header_row: 0}\n" + top + details + code},
	} {
		if err := c.check("mapping", root, asJSON(t, k.text)); err == nil {
			t.Errorf("%s is accepted", k.name)
		}
	}
}

// TestSchemaAndParserHaveTheSameKeys asks the parser about every name that the
// schema has: a key that is only in one of them would be a trap.
func TestSchemaAndParserHaveTheSameKeys(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	properties := func(v any) []string {
		var out []string
		for name := range v.(map[string]any)["properties"].(map[string]any) {
			out = append(out, name)
		}
		slices.Sort(out)
		return out
	}
	sorted := func(keys []key) []string { return slices.Sorted(slices.Values(names(keys, nil))) }
	of := func(path ...string) any {
		var v any = root
		for _, p := range path {
			v = v.(map[string]any)[p]
		}
		return v
	}
	field := of("definitions", "field", "anyOf").([]any)[1]
	for _, c := range []struct {
		name   string
		schema any
		keys   []key
	}{
		{"top", root, topKeys}, {"input", of("properties", "input"), inputKeys}, {"lead", of("properties", "lead"), leadKeys},
		{"Opportunity", of("properties", "Opportunity"), opportunityKeys}, {"SalesActivity", of("properties", "SalesActivity"), salesKeys}, {"field", field, fieldKeys},
	} {
		if got, want := properties(c.schema), sorted(c.keys); !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %q, the parser %q", c.name, got, want)
		}
	}
}

func TestReferenceNamesEveryKey(t *testing.T) {
	text := Reference()
	for _, table := range [][]key{topKeys, inputKeys, leadKeys, opportunityKeys, salesKeys, fieldKeys} {
		for _, k := range table {
			if !strings.Contains(text, "| `"+k.name+"` |") {
				t.Errorf("the reference lacks %s", k.name)
			}
			if k.doc == "" || k.example == "" {
				t.Errorf("%s has no description or no example", k.name)
			}
		}
	}
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 6 {
			t.Errorf("line %d has not five cells: %s", i+1, line)
		}
	}
}

// TestExamplesOfTheReferenceParse puts every example of the tables where it belongs.
func TestExamplesOfTheReferenceParse(t *testing.T) {
	check := func(name, text string) {
		if _, err := Parse(name, []byte(text)); err != nil {
			t.Errorf("the example of %s is refused: %v\n%s", name, err, text)
		}
	}
	base := map[string]string{"version": "1", "timezone": "UTC", "LeadDetails": "{EmailAddress: Email, Phone: {column: P, type: phone, region: IN}}", "search_by": "EmailAddress"}
	write := func(target, name, value string, also map[string]string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "target: %s\n%s: %s\n", target, name, value)
		for k, v := range also {
			if k != name {
				fmt.Fprintf(&b, "%s: %s\n", k, v)
			}
		}
		return b.String()
	}
	capture := map[string]string{"Opportunity": "{OpportunityEventCode: 1}"}
	maps.Copy(capture, base)
	others := map[Target]map[string]string{ // the least that a target asks for
		Opportunity: capture, OpportunityAsync: capture,
		SalesActivity: {"version": "1", "lead": "{find_by: EmailAddress, column: E}", "SalesActivity": "{Status: S}"},
	}
	for _, k := range topKeys {
		for _, s := range specs {
			if others[s.name] == nil {
				t.Fatalf("target %s: this test has no mapping for it", s.name)
			}
			if k.name != "target" && s.has(&k) {
				check(k.name, write(string(s.name), k.name, k.example, others[s.name]))
			}
		}
	}
	for _, k := range inputKeys {
		check("input."+k.name, "input: {"+k.name+": "+k.example+"}\n"+top+details+code)
	}
	for _, k := range opportunityKeys {
		text := k.name + ": " + k.example
		if k.name != "OpportunityEventCode" {
			text += ", OpportunityEventCode: 1"
		}
		check("Opportunity."+k.name, top+details+"Opportunity: {"+text+"}\n")
	}
	for _, k := range salesKeys {
		name := strings.Replace(k.name, "_N", "_5", 1)
		text := salesUp + "SalesActivity: {" + name + ": " + k.example
		if name != "Status" {
			text += ", Status: S"
		}
		if name == "ProspectId" {
			text = strings.Replace(text, "lead: {find_by: EmailAddress, column: Email}\n", "", 1)
		}
		check("SalesActivity."+name, text+"}\n")
	}
	with := map[string]string{"separator": "join: [A, B]", "format": "column: A, type: datetime", "timezone": "column: A, type: datetime", "dst": "column: A, type: datetime",
		"truncate": "column: A, max_length: 5", "region": "column: A, type: phone", "decimal": "column: A, type: number", "percent": "column: A, type: number", "words": "column: A, type: number", "column": "", "value": "", "expr": "", "join": ""}
	for _, k := range fieldKeys {
		other, ok := with[k.name]
		if !ok {
			other = "column: A"
		}
		if other != "" {
			other += ", "
		}
		check("field."+k.name, fields+"    mx_Custom_1: {"+other+k.name+": "+k.example+"}\n")
	}
}
