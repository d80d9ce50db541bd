package mapping

import (
	"runtime"
	"strings"
	"testing"

	"leadload/converter"
)

// exprOf evaluates an expression over the columns A and B and returns the
// text of the field, or the message of its problem.
func exprOf(t *testing.T, source, a, b string) (text, problem string) {
	t.Helper()
	p := mustCompile(t, fields+"    mx_Custom_1: {expr: "+forceQuotes(source)+"}\n", "Email", "A", "B")
	rec := mapOne(p, cellsOf("x@example.com", a, b))
	if len(rec.Problems) > 0 {
		return "", rec.Problems[0].Msg
	}
	for _, f := range rec.Fields {
		if f.Name == "Fields.mx_Custom_1" {
			return f.Value, ""
		}
	}
	return "", ""
}

func TestExpressionsComputeExactly(t *testing.T) {
	for _, c := range []struct{ source, a, b, want string }{
		// Noise of binary fractions.
		{"float(A) * 1.1", "12", "", "13.2"},
		{"string(float(A) * 1.1)", "12", "", "13.2"},
		{`string(float(A) * 1.1) + "%"`, "12", "", "13.2%"},
		{`"Total: " + string(float(A) + float(B))`, "0.1", "0.2", "Total: 0.3"},
		{"string([float(A) * 1.1])", "12", "", "[13.2]"},
		{"toJSON({\"v\": float(A) * 1.1})", "12", "", "{\n  \"v\": 13.2\n}"},
		{"int(float(A) * 100)", "0.29", "", "29"},
		{"ceil(float(A) * 3 * 10)", "0.1", "", "3"},
		{"floor(float(A) * 100)", "0.29", "", "29"},
		{"string(float(A) + float(B) == 0.3)", "0.1", "0.2", "true"},
		{"sum([float(A), float(B)])", "0.1", "0.2", "0.3"},
		{"string(sum([float(A), float(B)], # * 10))", "0.1", "0.2", "3"},
		{"mean([0.1, 0.2, 0.3])", "", "", "0.2"},
		{"reduce([1.1, 2.2, 3.3], #acc + #)", "", "", "6.6"},
		{"join(map([1.1, 2.2], string(# * 3)), \" \")", "", "", "3.3 6.6"},
		{"round(float(A) / 3 * 100) / 100", "10", "", "3.33"},
		{"-float(A) * 1.1", "12", "", "-13.2"},
		{"abs(float(A) * -1.1)", "12", "", "13.2"},
		{"float(A) - float(B)", "0.3", "0.1", "0.2"},
		{"let x = float(A) * 1.1; string(x)", "12", "", "13.2"},
		{"A | float() | string()", "12.50", "", "12.5"},
		{"float(A) ** 2", "1.1", "", "1.21"},
		{"float(A) > 5 ? string(float(A) * 1.1) : B", "12", "", "13.2"},
		// Whole numbers, up to the last.
		{"int(A) + 1", "9223372036854775806", "", "9223372036854775807"},
		{"int(A) - 1", "-9223372036854775807", "", "-9223372036854775808"},
		{"int(A) * -1", "9223372036854775807", "", "-9223372036854775807"},
		{"int(A) * int(B)", "0", "-9223372036854775808", "0"},
		{"-int(A)", "5", "", "-5"},
		{"int(A) / 2", "5", "", "2.5"},
		{"int(A) % 3", "5", "", "2"},
		{"sum([1, 2, 3])", "", "", "6"},
		{"sum(map(split(A, \",\"), int(#)))", "1,2,3", "", "6"},
		{"string(int(A) * 1000)", "007", "", "7000"},
		// Texts stay what they were.
		{"A + B", "x", "y", "xy"},
		{"upper(A) + lower(B)", "x", "Y", "Xy"},
		{"replace(A, \"-\", \" \")", "a-b-c", "", "a b c"},
		{"replace(A, \"-\", \" \", 1)", "a-b-c", "", "a b-c"},
		{"replace(A, \"a\", \"\")", "aaa", "", ""},
		{"repeat(A, 3)", "ab", "", "ababab"},
		{"repeat(A, 0)", "ab", "", ""},
		{"join(split(A, \" \"), \"-\")", "a b c", "", "a-b-c"},
		{"join(split(A, \" \", 2))", "a b c", "", "ab c"},
		{"split(A, \"\")[1]", "abc", "", "b"},
		{"toBase64(A)", "abc", "", "YWJj"},
		{"string(date(A).Year() + 1)", "2025-12-31", "", "2026"},
		{"string(len(A) + 1)", "abc", "", "4"},
		{"A contains \"b\" ? A + \"!\" : A", "abc", "", "abc!"},
		{`fromJSON(A).n + 1`, `{"n": 2}`, "", "3"},
	} {
		if got, problem := exprOf(t, c.source, c.a, c.b); got != c.want || problem != "" {
			t.Errorf("%s with A %q and B %q is %q (%s), want %q", c.source, c.a, c.b, got, problem, c.want)
		}
	}
}

func TestExpressionsThatGiveNoNumber(t *testing.T) {
	const big = "9223372036854775807"
	for _, c := range []struct{ source, a, want string }{
		{`string(float(A) / float(B)) + "%"`, "5", "divides by zero"},
		{`string(float(A) / float(B))`, "0", "divides by zero"},
		{"float(A) / 0", "5", "divides by zero"},
		{`toJSON([float(A) / float(B)])`, "5", "divides by zero"},
		{`float(A) / float(B) > 1 ? "high" : "low"`, "5", "divides by zero"},
		{`int(float(A) / float(B))`, "5", "divides by zero"},
		{`string(1 / 0)`, "5", "divides by zero"},
		{"mean([float(A) / float(B)])", "5", "divides by zero"},
		{"float(A) ** 400", "10", "overflows"},
		{"string(float(A) ** 400)", "10", "overflows"},
		{"float(A)", "NaN", "invalid operation"},
		{"string(float(A))", "inf", "invalid operation"},
		{"float(A) + 1", "-Infinity", "invalid operation"},
		{"float(A)", "0x1p4", "invalid operation"},
		{"float(A)", "1_000", "invalid operation"},
		{"int(A) + 1", big, "too large"},
		{"string(int(A) + 1)", big, "too large"},
		{"int(A) * 2", big, "too large"},
		{"int(A) - 1", "-9223372036854775808", "too large"},
		{"-int(A)", "-9223372036854775808", "too large"},
		{"abs(int(A))", "-9223372036854775808", "too large"},
		{"int(A) * -1", "-9223372036854775808", "too large"},
		{"sum([int(A), 1])", big, "too large"},
		{"sum([1, 2], # * int(A))", big, "too large"},
		{"reduce([int(A), 1], #acc + #)", big, "too large"},
		{"int(A) + 1", big + "0", "invalid operation"},
		{"int(float(A))", "1e300", "too large"},
		{"int(float(A) * 10)", "123456789012345678", "too large"},
		{"string(float(A))", "1234567890123456", "too large"},
		{"fromJSON(A).n * 1e300 * 1e300", `{"n": 5}`, "overflows"},
	} {
		if got, problem := exprOf(t, c.source, c.a, "0"); got != "" || !strings.Contains(problem, c.want) {
			t.Errorf("%s with A %q is %q (%s), want a problem with %q", c.source, c.a, got, problem, c.want)
		}
	}
}

func TestExpressionsMakeBoundedTexts(t *testing.T) {
	long := strings.Repeat("x", 32<<10)
	var before, after runtime.MemStats
	for _, source := range []string{
		"replace(A, \"\", A)", "replace(replace(A, \"x\", \"yyyyyyyyyyyyyyyyyyyy\"), \"y\", A)", "repeat(A, 1000000)", "repeat(repeat(A, 30), 30)",
		"join(map(1..100000, A))", "join(map(1..100000, A), A)", "reduce(1..10000, #acc + A, \"\")", "string(map(1..40000, A))", "toJSON(map(1..40000, A))",
		"len(map(1..40000, upper(A)))", "len(map(1..40000, A + A))", "len(map(1..40000, split(A, \"\")))", "len(map(1..40000, toBase64(A)))", "len(map(1..40000, replace(A, \"x\", \"y\")))",
		"A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A + A",
	} {
		runtime.ReadMemStats(&before)
		got, problem := exprOf(t, source, long, "")
		runtime.ReadMemStats(&after)
		if got != "" || !strings.Contains(problem, "too much text") && !strings.Contains(problem, "memory budget") {
			t.Errorf("%s made %d bytes (%s)", source, len(got), problem)
		}
		if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 200 {
			t.Errorf("%s took %d MB", source, made)
		}
	}
	// The next row starts afresh.
	p := mustCompile(t, fields+"    mx_Custom_1: {expr: 'repeat(A, 20) + \"!\"'}\n", "Email", "A")
	r := p.Runner()
	for range 100 {
		var rec Record
		r.Map([]converter.Cell{{Kind: converter.TextCell, Text: "x@example.com"}, {Kind: converter.TextCell, Text: long}}, &rec)
		if len(rec.Problems) > 0 {
			t.Fatal(rec.Problems)
		}
	}
}
