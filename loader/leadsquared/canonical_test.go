package leadsquared

import (
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, group := range [][]string{
		{"", " ", "\t\n"},
		{"Asha Rao", " asha  rao ", "ASHA\u00a0RAO", "Asha\r\nRao"},
		{"R&D", "R&amp;D"},
		{"3", "3.0", "3.00", "3.000000"},
		{"0", "-0", "0.00"},
		{"1234.5", "1,234.50", "1.2345E3", "1.2345e+3"},
		{"10000000", "1,00,00,000", "1E7"},
		{"-0.5", "-0.50"},
		{"2026-01-31 10:30:00", "2026-01-31 10:30:00.000", "2026-01-31T10:30:00Z", "2026-01-31T10:30:00.123Z", "1/31/2026 10:30:00 AM", "/Date(1769855400000+0000)/", "2026-01-31 10:30"},
		{"2026-01-31", "2026-01-31 00:00:00", "2026-01-31 00:00:00.000", "1/31/2026 12:00:00 AM"},
		{"true", "True", "1", "yes"},
		{"false", "0", "No"},
		{"+91-9876543210", "919876543210"},
		{"Gold;Silver", "gold ; silver", "Gold; Silver;"},
		{`{"mx_1":"3.00","mx_2":"2026-01-31T10:30:00Z"}`, `{"mx_2":"2026-01-31 10:30:00","MX_1":3}`, `[{"SchemaName":"mx_1","Value":"3"},{"SchemaName":"mx_2","Value":"1/31/2026 10:30:00 AM"}]`, `{"mx_1":"3","mx_2":"2026-01-31 10:30:00","mx_3":null}`},
	} {
		for _, v := range group {
			if got, want := Canonical(v), Canonical(group[0]); got != want {
				t.Errorf("%q becomes %q, and %q becomes %q", v, got, group[0], want)
			}
		}
	}
}

func TestCanonicalKeepsApart(t *testing.T) {
	different := []string{
		"", "3", "30", "-3", "03", "0.3", "3.01", "003", "three", "2026-01-31", "2026-01-31 10:30:00", "2026-01-31 10:30:01", "31/01/2026",
		"Asha Rao", "Asharao", "1,2", "9876543210", "+91-9876543210", "Gold;Silver", "Silver;Gold", "yes, please", "1.", "{", `{"a":1}`, `{"a":2}`, `{"b":1}`, `[1,2]`, `[2,1]`, "- 3", "1e400",
	}
	seen := map[string]string{}
	for _, v := range different {
		c := Canonical(v)
		if other, had := seen[c]; had {
			t.Errorf("%q and %q both become %q", other, v, c)
		}
		seen[c] = v
	}
}

// What is canonically the same is the same for the comparison that sees both
// values, and a canonical form is its own canonical form.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"3.00", "1,234.50", "2026-01-31T10:30:00Z", "+91-9876543210", "true", "a;b", `{"a":"1"}`, "R&amp;D", "&amp;lt;", "  x  y ", "0123", "1e5", "/Date(0)/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Canonical(s)
		if len(s) < 2000 && !strings.ContainsAny(s, "&{[") {
			if again := Canonical(c); again != c {
				t.Errorf("%q becomes %q, which becomes %q", s, c, again)
			}
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	values := []string{"Asha Rao", "asha.rao@example.com", "2026-01-31 10:30:00", "12500.50", "+91-9876543210", "Closed Won", "Pune", "560001", "called back, wants a demo next week", "migrated"}
	b.ReportAllocs()
	for b.Loop() {
		for _, v := range values {
			Canonical(v)
		}
	}
}

func TestAsSent(t *testing.T) {
	const sent = "2025-05-05 04:30:00"
	for _, c := range []struct{ name, shown, sent, want string }{
		{"milliseconds", "2025-02-01 19:31:00.000", sent, "2025-02-01 19:31:00"},
		{"ISO", "2025-02-01T19:31:00.000Z", sent, "2025-02-01 19:31:00"},
		{"month first", "2/1/2025 7:31:00 PM", sent, "2025-02-01 19:31:00"},
		{"WCF", "/Date(1738438260000+0000)/", sent, "2025-02-01 19:31:00"},
		{"as it is sent", "2025-02-01 19:31:00", sent, "2025-02-01 19:31:00"},
		{"nothing was sent in its place", "2025-02-01 19:31:00.000", "", "2025-02-01 19:31:00"},
		{"a date", "2025-02-01 00:00:00.000", "2025-05-05", "2025-02-01"},
		{"a moment in the place of a date", "2025-02-01 19:31:00.000", "2025-05-05", "2025-02-01 19:31:00"},
		{"a text that reads like a moment", "2/1/2025 7:31:00 PM", "call back", "2/1/2025 7:31:00 PM"},
		{"digits in groups", "3,00,000.50", "999", "300000.5"},
		{"a power of ten", "1e-01", "999", "0.1"},
		{"a plain number", "45000.00", "999", "45000.00"},
		{"a text that reads like a number", "3,000", "three", "3,000"},
		{"leading zeros", "007", "8", "007"},
		{"entities", "fifty &amp; more &lt;b&gt;", "new", "fifty & more <b>"},
		{"a text", "  two  blanks", "new", "  two  blanks"},
		{"nothing", "", sent, ""},
	} {
		if got := AsSent(c.shown, c.sent); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
