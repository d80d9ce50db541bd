package mapping

import (
	"fmt"
	"strings"
	"testing"
)

// shown writes a tree on one line, each text in quotes.
func shown(n *node) string {
	if n == nil {
		return "?"
	}
	var parts []string
	switch n.kind {
	case mapNode:
		for _, e := range n.entries {
			parts = append(parts, fmt.Sprintf("%q: %s", e.key.text, shown(e.value)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case listNode:
		for _, v := range n.items {
			parts = append(parts, shown(v))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case nullNode:
		return "null"
	}
	return fmt.Sprintf("%q", n.text)
}

func parsed(text string) (string, Problems) {
	c := newCollector("m.yaml", text)
	root := parseYAML(c, "mapping", text)
	return shown(root), c.found
}

// TestColonsMeanTheSameInBraces writes the same entries in both styles of
// YAML; PyYAML reads them alike.
func TestColonsMeanTheSameInBraces(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"10:30", "morning", "morning"}, {"A:B", "both", "both"}, {"10:30:00", "x", "x"}, {"Mon 10:30 AM", "x", "x"}, {"a::b", "x", "x"}, {"z:", "x", "x"},
		{"http://example.com", "x", "x"}, {"1:30-2:30", "x", "x"}, {"é:ü", "x", "x"}, {"1:-2", "x", "x"}, {"a:b c:d", "x", "x"},
		{"10:30", "11:45", "11:45"}, {"10:30", `"a: b"`, "a: b"}, {"10:30", "'it''s'", "it's"}, {"10:30", "two words", "two words"}, {"10:30", "007", "007"},
		{`"10:30"`, "x", "x"}, {`'A:B'`, "x:y", "x:y"}, {"plain", "x", "x"}, {"plain", "x:y:z", "x:y:z"},
	} {
		block, faults := parsed(c.key + ": " + c.value + "\nlast: 1\n")
		if len(faults) > 0 {
			t.Fatalf("%s: %s: %v", c.key, c.value, faults)
		}
		key := strings.Trim(c.key, `"'`)
		if want := fmt.Sprintf(`{%q: %q, "last": "1"}`, key, c.want); block != want {
			t.Fatalf("in block style %s, want %s", block, want)
		}
		forms := []string{"{" + c.key + ": " + c.value + ", last: 1}", "{ " + c.key + ": " + c.value + " , last: 1 }", "{" + c.key + ": " + c.value + ",\n last: 1}"}
		if !strings.HasSuffix(c.key, ":") {
			forms = append(forms, "{"+c.key+" : "+c.value+", last: 1}")
		}
		for _, text := range forms {
			if got, faults := parsed(text + "\n"); got != block || len(faults) > 0 {
				t.Errorf("%s is %s %v, want %s", text, got, faults, block)
			}
		}
		if got, faults := parsed("a: {first: [1, {" + c.key + ": " + c.value + ", last: 1}]}\n"); got != `{"a": {"first": ["1", `+block+`]}}` || len(faults) > 0 {
			t.Errorf("nested: %s %v", got, faults)
		}
	}
}

func TestColonsThatMayMeanTwoThings(t *testing.T) {
	for _, text := range []string{"{a:b}", "{column:Name, type: text}", "{10:30: 11:45: c}", "{x: [10:30: a]}", "{a:b, c: d}"} {
		if got, faults := parsed(text + "\n"); len(faults) != 1 || faults[0].Code != "yaml.syntax" || faults[0].Line != 1 {
			t.Errorf("%s is %s %v, want a refusal", text, got, faults)
		}
	}
	for text, want := range map[string]string{
		`{"a":b, 'c':d}`: `{"a": "b", "c": "d"}`, "{format: [dd/MM/yyyy HH:mm, HH:mm:ss], x: y}": `{"format": ["dd/MM/yyyy HH:mm", "HH:mm:ss"], "x": "y"}`,
		"{10:30: {a: 1}, 11:30: [1, 2]}": `{"10:30": {"a": "1"}, "11:30": ["1", "2"]}`, "{:x: y}": `{":x": "y"}`, "{10:30:\n  morning}": `{"10:30": "morning"}`,
		"a: [10:30, b]": `{"a": ["10:30", "b"]}`,
	} {
		if got, faults := parsed(text + "\n"); got != want || len(faults) > 0 {
			t.Errorf("%s is %s %v, want %s", text, got, faults, want)
		}
	}
}
