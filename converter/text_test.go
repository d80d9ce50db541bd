package converter

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	runRows(t, Spec{}, []row{
		{cell: text("00123"), want: "00123"},
		{cell: text("  Asha Rao "), want: "Asha Rao"},
		{cell: text("a\tb\nc"), want: "a\tb\nc"},
		{cell: text("=1+1"), want: "=1+1"},
		{cell: text("5E10"), want: "5E10"},
		{cell: text("12E+03"), want: "12E+03"},
		{cell: text("1E5"), want: "1E5"},
		{cell: text("12E3"), want: "12E3"},
		{cell: text("5E-10"), want: "5E-10"},
		{cell: text("1e5"), want: "1e5"},
		{cell: text("1E+5"), want: "1E+5"},
		{cell: text("E+12"), want: "E+12"},
		{cell: text("1.5E"), want: "1.5E"},
		{cell: text("1.5.2E3"), want: "1.5.2E3"},
		{cell: text("1.5E3x"), want: "1.5E3x"},
		{cell: text("#hashtag"), want: "#hashtag"},
		{cell: text("9.19877E+12"), code: "text.scientific"},
		{cell: text("-9.19877E+12"), code: "text.scientific"},
		{cell: text("9,19877E+12"), code: "text.scientific"},
		{cell: text("1E+12"), code: "text.scientific"},
		{cell: text("1e+12"), code: "text.scientific"},
		{cell: text("5e+15"), code: "text.scientific"},
		{cell: text("5.01001e+15"), code: "text.scientific"},
		{cell: text("5.010012345678901e+16"), code: "text.scientific"},
		{cell: text("50.1E+14"), code: "text.scientific"},
		{cell: text("5.01E15"), code: "text.scientific"},
		{cell: text("1.23456789E9"), code: "text.scientific"},
		{cell: text("1.5E-05"), code: "text.scientific"},
		{cell: text("1,5e-5"), code: "text.scientific"},
		{cell: text("5.E+15"), code: "text.scientific"},
		{cell: text(".5E15"), code: "text.scientific"},
		{cell: text("+1.5e7"), code: "text.scientific"},
		{cell: text("560001.0"), code: "text.float"},
		{cell: text("5010012345678901.0"), code: "text.float"},
		{cell: text("2.0"), want: "2.0"},
		{cell: text("1234.0"), want: "1234.0"},
		{cell: text("560001.00"), want: "560001.00"},
		{cell: text("560001.5"), want: "560001.5"},
		{cell: text("v560001.0"), want: "v560001.0"},
		{cell: text("NULL"), want: "NULL"},
		{cell: text("nan"), want: "nan"},
		{name: "sixteen digits, the last a zero", cell: numeric("4111111111111110"), code: "number.precision"},
		{name: "2^53", cell: numeric("9007199254740992"), code: "number.precision"},
		{name: "number cell", cell: numeric("919876543210"), want: "919876543210"},
		{name: "sixteen digits", cell: numeric("4111111111111111"), want: "4111111111111111"},
		{name: "nineteen digits", cell: numeric("4111111111111111111"), code: "number.precision"},
		{name: "noise", cell: numeric("0.30000000000000004"), want: "0.3"},
		{name: "boolean cell", cell: Cell{Kind: BoolCell, Text: "TRUE"}, want: "TRUE"},
		{name: "day", cell: serial("46000"), want: "2025-12-09"},
		{name: "day and time", cell: serial("46000.5"), want: "2025-12-09 12:00:00"},
		{name: "time", cell: serial("0.75"), want: "18:00:00"},
		{name: "duration", cell: Cell{Kind: DateCell, Text: "1.5", Format: "[h]:mm"}, want: "36:00:00"},
		{name: "longest duration", cell: Cell{Kind: DateCell, Text: "2958465.5", Format: "[h]:mm"}, want: "71003172:00:00"},
		{name: "duration beyond the last day", cell: Cell{Kind: DateCell, Text: "3000000", Format: "[h]:mm"}, code: "datetime.serial"},
		{name: "day that never was", cell: serial("60"), code: "datetime.serial"},
		{name: "negative serial", cell: serial("-1"), code: "datetime.serial"},
	})
	runRows(t, Spec{Identifies: true}, []row{
		{cell: text("5E10"), want: "5E10"},
		{cell: text("E12"), want: "E12"},
		{cell: text("12E"), want: "12E"},
		{cell: text("9.19877e12"), code: "text.scientific"},
		{cell: text("12E+03"), code: "text.scientific"},
		{cell: text("1e+12"), code: "text.scientific"},
		{cell: text("1E-7"), code: "text.scientific"},
		{cell: text("7.0"), code: "text.float"},
		{cell: text("560001.0"), code: "text.float"},
		{cell: text("7.5"), want: "7.5"},
		{cell: text("NULL"), code: "text.null"},
		{cell: text("nan"), code: "text.null"},
		{cell: text("NaN"), code: "text.null"},
		{cell: text("None"), code: "text.null"},
		{cell: text("\\N"), code: "text.null"},
		{cell: text("<NA>"), code: "text.null"},
		{cell: text("undefined"), code: "text.null"},
		{cell: text("Null"), want: "Null"}, // a surname
		{cell: text("Nan"), want: "Nan"},   // a name
		{cell: text("Nullarbor"), want: "Nullarbor"},
		{name: "sixteen digits, the last a zero", cell: numeric("4111111111111110"), code: "number.precision"},
	})
}

func TestValues(t *testing.T) {
	spec := Spec{Values: []Option{{"Closed Won", "Won"}, {"Closed Lost", "Lost"}, {"Straße", "Road"}, {"Café", "Cafe"}, {"1E+12", "big"}}}
	runRows(t, spec, []row{
		{cell: text("Closed Won"), want: "Won"},
		{cell: text("  closed   LOST "), want: "Lost"},
		{cell: text("ClosedWon"), want: "Won"},
		{name: "no-break space", cell: text("Closed\u00a0Won"), want: "Won"},
		{cell: text("STRAßE"), want: "Road"},
		{name: "accent written apart", cell: text("cafe\u0301"), want: "Cafe"},
		{name: "listed, though it looks scientific", cell: text("1E+12"), want: "big"},
		{cell: text("Won"), code: "value.unknown"},
		{name: "long text", cell: text(strings.Repeat("x", 100)), code: "value.unknown"},
	})
	c := mustNew(t, spec)
	_, err := c.Convert(text("Closd Won"), nil)
	if p, ok := err.(*Problem); !ok || !strings.HasPrefix(p.Hint, `did you mean "Closed Won"? known values: "Closed Won", "Closed Lost"`) {
		t.Errorf("got %+v", err)
	}
	var many []Option
	for i := range 20 {
		many = append(many, Option{From: strings.Repeat("a", i+1), To: "x"})
	}
	_, err = mustNew(t, Spec{Values: many}).Convert(text("zzzzzz"), nil)
	if p, ok := err.(*Problem); !ok || !strings.Contains(p.Hint, "and 12 more") || strings.Contains(p.Hint, "did you mean") {
		t.Errorf("got %+v", err)
	}
}

func TestValuesOfOtherCells(t *testing.T) {
	runRows(t, Spec{Values: []Option{{"1", "Won"}, {"TRUE", "Yes"}}, Case: "upper"}, []row{
		{name: "number", cell: numeric("1"), want: "WON"},
		{name: "boolean", cell: Cell{Kind: BoolCell, Text: "TRUE"}, want: "YES"},
	})
}

func TestCase(t *testing.T) {
	for _, tc := range []struct{ how, in, want string }{
		{"upper", "straße é", "STRASSE É"},
		{"lower", "ASHA Rao", "asha rao"},
		{"title", "asha RAO o'brien-smith 2nd", "Asha Rao O'brien-Smith 2nd"},
		{"title", "MARÍA josé", "María José"},
		{"title", "आशा राव", "आशा राव"},
	} {
		want := tc.want
		if tc.how == "upper" {
			// A letter without a capital keeps its form.
			want = strings.ToUpper(tc.in)
		}
		if got, err := mustNew(t, Spec{Case: tc.how}).Convert(text(tc.in), nil); got != want || err != nil {
			t.Errorf("%s %q: got %q, %v, want %q", tc.how, tc.in, got, err, want)
		}
	}
}

func TestMaxLengthCountsCharacters(t *testing.T) {
	runRows(t, Spec{MaxLength: 5}, []row{
		{cell: text("आशाआश"), want: "आशाआश"},
		{cell: text("abcde"), want: "abcde"},
		{cell: text("abcdef"), code: "text.long"},
		{cell: text("आशाआशा"), code: "text.long"},
	})
	runRows(t, Spec{MaxLength: 5, Truncate: true}, []row{
		{cell: text("abcdef"), want: "abcde"},
		{cell: text("आशाआशा"), want: "आशाआश"},
		{cell: text("abcd fgh"), want: "abcd"},
	})
	runRows(t, Spec{Type: Email, MaxLength: 5}, []row{{cell: text("asha@example.com"), code: "text.long"}})
	runRows(t, Spec{MaxLength: 3, Values: []Option{{"x", "Won"}, {"y", "Lost"}}}, []row{
		{cell: text("x"), want: "Won"},
		{cell: text("y"), code: "text.long"},
	})
}

func TestClean(t *testing.T) {
	for _, tc := range []struct{ name, in, want, code string }{
		{"plain", "abc", "abc", ""},
		{"spaces", "  a b  ", "a b", ""},
		{"tabs and line breaks at the ends", "\t\r\na\nb\n", "a\nb", ""},
		{"no-break spaces at the ends", "\u00a0a\u00a0", "a", ""},
		{"no-break space inside", "a\u00a0b\u202fc", "a b c", ""},
		{"zero width at the ends", "\ufeff\u200ba\u200b\u200d", "a", ""},
		{"zero width inside", "a\u200bb\ufeffc\u00add", "abcd", ""},
		{"marks around a number", "\u202a+91 98765\u202c", "+91 98765", ""},
		{"direction mark in Hebrew", "א\u200fב", "א\u200fב", ""},
		{"joiner between Latin letters", "a\u200db", "ab", ""},
		{"joiner in Devanagari", "क्\u200dष", "क्\u200dष", ""},
		{"joiner in an emoji", "👩\u200d💻", "👩\u200d💻", ""},
		{"non-joiner in Persian", "می\u200cخواهم", "می\u200cخواهم", ""},
		{"NUL at the end", "a\x00", "a", ""},
		{"NUL inside", "a\x00b", "", "text.control"},
		{"vertical tab inside", "a\vb", "", "text.control"},
		{"delete inside", "a\x7fb", "", "text.control"},
		{"Windows-1252 quote", "it\u0092s", "", "text.control"},
		{"replacement character", "Sh\ufffdrma", "", "text.lost"},
		{"not UTF-8", "Sh\xe4rma", "", "text.lost"},
		{"nothing but spaces", " \u00a0\u200b\t ", "", ""},
		{"empty", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cell, err := Clean(text(tc.in))
			if tc.code != "" {
				wantProblem(t, tc.name, err, tc.code)
				return
			}
			kind := TextCell
			if tc.want == "" {
				kind = EmptyCell
			}
			if err != nil || cell.Text != tc.want || cell.Kind != kind {
				t.Errorf("got %+v, %v, want %q of kind %d", cell, err, tc.want, kind)
			}
		})
	}
	for _, cell := range []Cell{{Kind: FaultCell, Text: " #N/A "}, {Kind: EmptyCell}, {Kind: DateCell, Text: "46000", Format: "dd/mm"}} {
		if got, err := Clean(cell); got != cell || err != nil {
			t.Errorf("got %+v, %v, want %+v unchanged", got, err, cell)
		}
	}
}

func TestEmail(t *testing.T) {
	long := strings.Repeat("a", 64)
	rows := []row{
		{cell: text("asha@example.com"), want: "asha@example.com"},
		{cell: text(" Asha.Rao+crm@Example.co.in "), want: "Asha.Rao+crm@Example.co.in"},
		{cell: text("o'brien_1@sub.example-site.org"), want: "o'brien_1@sub.example-site.org"},
		{cell: text("asha@münchen.de"), want: "asha@münchen.de"},
		{cell: text("asha@उदाहरण.भारत"), want: "asha@उदाहरण.भारत"},
		{cell: text(long + "@example.com"), want: long + "@example.com"},
		{cell: text("a, b"), code: "email.syntax"},
		{cell: text("asha@a.com, rao@b.com"), code: "email.several"},
		{cell: text("asha@a.com;rao@b.com"), code: "email.several"},
		{cell: text("asha@a.com/rao@b.com"), code: "email.several"},
		{cell: text("asha@a.com rao@b.com"), code: "email.several"},
		{name: "number cell", cell: numeric("12"), code: "email.syntax"},
	}
	for _, bad := range []string{"asha", "@example.com", "asha@", "asha@example", "asha@@example.com", "asha@exa mple.com", "asha @example.com",
		".asha@example.com", "asha.@example.com", "as..ha@example.com", "asha@example.com.", "asha@.com", "asha@example..com", "asha@-a.com",
		"asha@a-.com", "asha@exa_mple.com", "asha@example.com,", "Asha <asha@example.com>", "mailto:asha@example.com", "äsha@example.com",
		"\"as ha\"@example.com", "asha@[10.0.0.1]", "asha@10.0.0.1", "as(ha@example.com", "a" + long + "@example.com",
		"asha@" + strings.Repeat("a", 64) + ".com", "asha@" + strings.Repeat("abc.", 64) + "com"} {
		rows = append(rows, row{cell: text(bad), code: "email.syntax"})
	}
	runRows(t, Spec{Type: Email}, rows)
	runRows(t, Spec{Type: Email, Case: "lower"}, []row{{cell: text("Asha@Example.COM"), want: "asha@example.com"}})
	for in, hint := range map[string]string{"Asha <asha@example.com>": "alone: asha@example.com", "mailto:asha@example.com": "without mailto:"} {
		_, err := mustNew(t, Spec{Type: Email}).Convert(text(in), nil)
		if p, ok := err.(*Problem); !ok || !strings.Contains(p.Hint, hint) {
			t.Errorf("%q: got %+v, want the hint %q", in, err, hint)
		}
	}
}
