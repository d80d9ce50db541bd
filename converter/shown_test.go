package converter

import "testing"

func TestShown(t *testing.T) {
	for _, c := range []struct{ number, format, want string }{
		// Zeros in front, and fixed text before or among digits.
		{"1", "00000", "00001"}, {"42", "00000", "00042"}, {"123456", "00000", "123456"}, {"0", "00000", "00000"}, {"560", "000000", "000560"},
		{"12345678", "0000-0000", "1234-5678"}, {"123", "0000-0000", "0000-0123"}, {"123456789", "0000-0000", "12345-6789"},
		{"42", `"INV-"0000`, "INV-0042"}, {"42", `"INV-"0`, "INV-42"}, {"42", `"INV-"#`, "INV-42"}, {"0", `"INV-"#`, "INV-"}, {"7", `"D"000`, "D007"}, {"7", `\D000`, "D007"},
		{"7", `[Red]000`, "007"}, {"7", `[$-409]000`, "007"}, {"7", `000;-000;"none"`, "007"}, {"1030", `00\:00`, "10:30"}, {"1030", "00:00", "10:30"},
		{"5551234", "###-####", "555-1234"}, {"919876543210", `+00"-"0000000000`, "+91-9876543210"}, {"123456789", "000-00-0000", "123-45-6789"},
		{"5", `000" units"`, "005 units"}, {"7", `"№"000`, "№007"}, {"12", `"Lot "0`, "Lot 12"}, {"42", `"A"00"B"00`, "A00B42"}, {"12345", `\é000`, "é12345"},
		// Amounts, units and what is no identifier.
		{"42", "0", ""}, {"42", "General", ""}, {"42", "@", ""}, {"42", "#,##0", ""}, {"42", "0.00", ""}, {"42", "#,##0.00", ""}, {"42", "0%", ""}, {"42", "0.00E+00", ""},
		{"42", "# ?/?", ""}, {"42", "00/00", ""}, {"42", `"Rs "0`, ""}, {"42", `"Rs. "0`, ""}, {"42", `"₹"0`, ""}, {"42", `"₹ "#`, ""}, {"42", `"INR "0`, ""}, {"42", `"US$"0`, ""}, {"42", "[$₹-4009]0", ""}, {"42", "$0", ""},
		{"42", `0" days"`, ""}, {"42", `0\d`, ""}, {"42", `0" pcs"`, ""}, {"42", "_(0_)", ""}, {"42", "*0000", ""}, {"42", "???", ""}, {"42", "[>9]000;0", ""}, {"42", "yyyy", ""}, {"42", "[h]", ""},
		{"42", `"unclosed 000`, ""}, {"42", `000\`, ""}, {"42", "", ""}, {"42", `"text"`, ""}, {"42", "[unclosed", ""}, {"42", ";000", ""},
		// A value that the format rounds or signs is an amount.
		{"-42", "00000", ""}, {"1.5", "00000", ""},
	} {
		got, ok := shown(c.number, c.format)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s as %s is %q, %v; want %q", c.number, c.format, got, ok, c.want)
		}
	}
}

// TestNumberFormats: a text and a key take what the format shows, an amount
// and a phone the number itself.
func TestNumberFormats(t *testing.T) {
	cell := Cell{Kind: NumberCell, Text: "42", Format: "00000"}
	for _, c := range []struct {
		spec Spec
		cell Cell
		want string
	}{
		{Spec{Type: Text}, cell, "00042"},
		{Spec{Type: Text}, Cell{Kind: NumberCell, Text: "42"}, "42"},
		{Spec{Type: Text}, Cell{Kind: TextCell, Text: "42", Format: "00000"}, "42"},
		{Spec{Type: Text, Values: []Option{{"00042", "a"}, {"42", "b"}}}, cell, "a"},
		{Spec{Type: Text, Values: []Option{{"42", "b"}}}, cell, "b"},
		{Spec{Type: Number}, cell, "42"},
		{Spec{Type: Integer}, cell, "42"},
		{Spec{Type: Phone, Region: "IN"}, Cell{Kind: NumberCell, Text: "919876543210", Format: `+00"-"0000000000`}, "+91-9876543210"},
		{Spec{Type: Boolean}, Cell{Kind: NumberCell, Text: "1", Format: "00"}, "true"},
	} {
		conv, err := New(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := conv.Convert(c.cell, nil); err != nil || got != c.want {
			t.Errorf("%+v of %+v is %q, %v; want %q", c.spec.Type, c.cell, got, err, c.want)
		}
	}
}
