package converter

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func mustNew(t testing.TB, s Spec) *Converter {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantProblem demands a *Problem with a code, a message and a hint that read
// as they should.
func wantProblem(t testing.TB, what string, err error, code string) {
	t.Helper()
	p, ok := err.(*Problem)
	if !ok {
		t.Errorf("%s: got the error %v, want the problem %s", what, err, code)
		return
	}
	switch {
	case p.Code != code:
		t.Errorf("%s: got the problem %s (%s), want %s", what, p.Code, p.Msg, code)
	case !slices.Contains(Codes, p.Code):
		t.Errorf("%s: the code %s is not in Codes", what, p.Code)
	case p.Msg == "" || p.Hint == "" || p.Error() != p.Msg:
		t.Errorf("%s: the problem %+v lacks a part", what, p)
	case strings.HasSuffix(p.Msg, ".") || strings.HasSuffix(p.Hint, ".") || strings.Contains(p.Msg+p.Hint, "%!"):
		t.Errorf("%s: %q and %q are not written as errors are", what, p.Msg, p.Hint)
	}
}

// row is one case: a cell, and its value or the code of its problem.
type row struct {
	name string
	cell Cell
	want string
	code string
}

func text(s string) Cell    { return Cell{Kind: TextCell, Text: s} }
func numeric(s string) Cell { return Cell{Kind: NumberCell, Text: s} }
func serial(s string) Cell  { return Cell{Kind: DateCell, Text: s, Format: "dd/mm/yyyy hh:mm"} }

func runRows(t *testing.T, s Spec, rows []row) {
	t.Helper()
	c := mustNew(t, s)
	for _, r := range rows {
		name := r.name
		if name == "" {
			name = r.cell.Text
		}
		t.Run(name, func(t *testing.T) {
			cell, err := Clean(r.cell)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Convert(cell, nil)
			if r.code != "" {
				wantProblem(t, r.cell.Text, err, r.code)
				if got != "" {
					t.Errorf("a problem came with the value %q", got)
				}
				return
			}
			if err != nil || got != r.want {
				t.Errorf("%q: got %q, %v, want %q", r.cell.Text, got, err, r.want)
			}
		})
	}
}

func TestNewRefusesWhatCannotBe(t *testing.T) {
	utc := mustZone(t, "UTC")
	for _, tc := range []struct {
		name string
		spec Spec
		want string
	}{
		{"unknown type", Spec{Type: 99}, "unknown type 99"},
		{"decimal sign", Spec{Type: Number, Decimal: ';'}, `the decimal sign ";"`},
		{"dst", Spec{Type: DateTime, Location: utc, DST: 7}, "unknown choice 7"},
		{"datetime without a zone", Spec{Type: DateTime}, "a datetime needs a time zone"},
		{"format of a number", Spec{Type: Number, Formats: []string{"0.00"}}, "a format is for datetime and date, not for number"},
		{"region", Spec{Type: Phone, Region: "XX"}, `unknown region "XX"`},
		{"region by name", Spec{Type: Phone, Region: "India"}, `did you mean "IN"?`},
		{"region by calling code", Spec{Type: Phone, Region: "+91"}, `did you mean "IN"?`},
		{"United Kingdom", Spec{Type: Phone, Region: "UK"}, `did you mean "GB"?`},
		{"case", Spec{Case: "camel"}, `unknown case "camel"`},
		{"case of a number", Spec{Type: Number, Case: "upper"}, `case "upper" is for text`},
		{"negative length", Spec{MaxLength: -1}, "maximum length of -1"},
		{"truncated e-mail", Spec{Type: Email, MaxLength: 5, Truncate: true}, "truncate is for text"},
		{"truncate without a length", Spec{Truncate: true}, "truncate needs a maximum length"},
		{"values of a date", Spec{Type: Date, Values: []Option{{"a", "b"}}}, "a list of values is for text, not for date"},
		{"contradicting values", Spec{Values: []Option{{"Closed Won", "Won"}, {"closedwon", "Lost"}}}, `"Closed Won" and "closedwon" differ only in case and spaces`},
		{"empty value", Spec{Values: []Option{{" ", "Won"}}}, "an entry without a text"},
		{"epoch for a date", Spec{Type: Date, Formats: []string{"epoch"}}, "its day depends on a zone"},
		{"day-month and month-day", Spec{Type: Date, Formats: []string{"dd/MM/yyyy", "MM/dd/yyyy"}}, `read "02/01/2003" as different times`},
		{"day-month and month-day of one digit", Spec{Type: Date, Formats: []string{"d-M-yyyy", "iso", "M-d-yyyy"}}, "as different times"},
		{"seconds and milliseconds", Spec{Type: DateTime, Location: utc, Formats: []string{"yyyyMMdd", "yyyyddMM"}}, "as different times"},
		{"a number that is a date and a count", Spec{Type: DateTime, Location: utc, Formats: []string{"yyyyMMddHH", "epoch"}}, "as different times"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := New(tc.spec)
			if err == nil || c != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, %v, want an error with %q", c, err, tc.want)
			}
		})
	}
}

func TestNewTakesWhatCanBe(t *testing.T) {
	utc := mustZone(t, "UTC")
	for name, s := range map[string]Spec{
		"zero":                     {},
		"same value twice":         {Values: []Option{{"Won", "Won"}, {" won", "Won"}}},
		"a date without a zone":    {Type: Date},
		"phone without a region":   {Type: Phone},
		"region in small letters":  {Type: Phone, Region: " in "},
		"several formats":          {Type: DateTime, Location: utc, Formats: []string{"dd/MM/yyyy HH:mm", "dd/MM/yyyy", "iso", "excel", "d MMM yyyy h:mm a"}},
		"counts of both units":     {Type: DateTime, Location: utc, Formats: []string{"epoch", "epoch-ms"}},
		"dates of both directions": {Type: Date, Formats: []string{"dd/MM/yyyy", "yyyy-MM-dd", "MMM d, yyyy"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(s); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFaultsAndEmptyCellsOfEveryType(t *testing.T) {
	utc := mustZone(t, "UTC")
	for typ := Text; typ <= Boolean; typ++ {
		c := mustNew(t, Spec{Type: typ, Location: utc})
		for _, cell := range []Cell{{Kind: FaultCell, Text: "#REF!"}, {Kind: FaultCell}, text("#N/A"), text("#div/0!"), text("########")} {
			_, err := c.Convert(cell, nil)
			wantProblem(t, typ.String()+" "+cell.Text, err, "cell.fault")
		}
		for _, cell := range []Cell{{}, text(""), {Kind: EmptyCell, Text: "x"}} {
			_, err := c.Convert(cell, nil)
			wantProblem(t, typ.String()+" empty", err, "cell.empty")
		}
		// No cell, however odd, makes a converter panic.
		for kind := EmptyCell; kind <= FaultCell+3; kind++ {
			for _, s := range []string{"-", ".", "+", "(", ")", "%", "E", "1E", "@", "\x00", "\xff", "0.", "-1", "60", "1e400", "'", "#"} {
				c.Convert(Cell{Kind: kind, Text: s, Format: "[h"}, utc)
				c.Local(Cell{Kind: kind, Text: s}, nil)
				c.AmbiguousDayMonth(s)
				Clean(Cell{Kind: kind, Text: s})
			}
		}
	}
}

func TestTypeNames(t *testing.T) {
	for typ, want := range map[Type]string{Text: "text", DateTime: "datetime", Boolean: "boolean", 77: "type 77"} {
		if typ.String() != want {
			t.Errorf("got %q, want %q", typ, want)
		}
	}
}

func TestBoolean(t *testing.T) {
	runRows(t, Spec{Type: Boolean}, []row{
		{cell: text("TRUE"), want: "true"}, {cell: text(" yes "), want: "true"}, {cell: text("y"), want: "true"}, {cell: text("1"), want: "true"},
		{cell: text("False"), want: "false"}, {cell: text("NO"), want: "false"}, {cell: text("N"), want: "false"}, {cell: text("0"), want: "false"},
		{cell: Cell{Kind: BoolCell, Text: "TRUE"}, want: "true"}, {cell: numeric("0"), want: "false"},
		{cell: text("perhaps"), code: "boolean.format"}, {cell: text("2"), code: "boolean.format"}, {cell: serial("1"), code: "boolean.format"},
	})
}

func TestLongTextsAreCutInMessages(t *testing.T) {
	c := mustNew(t, Spec{Type: Number})
	_, err := c.Convert(text(strings.Repeat("ü", 5000)), nil)
	if n := len(err.Error()); n > 300 {
		t.Errorf("the message has %d bytes", n)
	}
}

// TestEveryCodeCanBeMet has one cell for each code, and so shows that Codes
// holds none that has gone.
func TestEveryCodeCanBeMet(t *testing.T) {
	newYork := mustZone(t, "America/New_York")
	iso := Spec{Type: DateTime, Location: newYork}
	slashes := Spec{Type: DateTime, Location: newYork, Formats: []string{"EEE dd/MM/yyyy"}}
	in := Spec{Type: Phone, Region: "IN"}
	cases := map[string]struct {
		spec Spec
		cell Cell
	}{
		"cell.empty":         {Spec{}, Cell{}},
		"cell.fault":         {Spec{}, text("#N/A")},
		"cell.kind":          {Spec{Type: Number}, serial("46000")},
		"text.control":       {Spec{}, text("a\x01b")},
		"text.lost":          {Spec{}, text("a\ufffdb")},
		"text.scientific":    {Spec{}, text("9.19877E+12")},
		"text.long":          {Spec{MaxLength: 1}, text("ab")},
		"value.unknown":      {Spec{Values: []Option{{"a", "b"}}}, text("c")},
		"number.format":      {Spec{Type: Number}, text("x")},
		"number.scientific":  {Spec{Type: Number}, text("1E5")},
		"number.grouping":    {Spec{Type: Number}, text("1,2,3")},
		"number.long":        {Spec{Type: Number}, text(strings.Repeat("1", 31))},
		"number.precision":   {Spec{Type: Number}, numeric("12345678901234567")},
		"integer.fraction":   {Spec{Type: Integer}, text("3.5")},
		"datetime.format":    {iso, text("x")},
		"datetime.calendar":  {iso, text("2026-02-31")},
		"datetime.weekday":   {slashes, text("Fri 09/12/2025")},
		"datetime.year":      {iso, text("0026-02-03")},
		"datetime.gap":       {iso, text("2026-03-08 02:30")},
		"datetime.overlap":   {iso, text("2026-11-01 01:30")},
		"datetime.serial":    {iso, serial("60")},
		"datetime.time_only": {iso, serial("0.5")},
		"datetime.number":    {iso, numeric("46000")},
		"datetime.epoch":     {Spec{Type: DateTime, Location: newYork, Formats: []string{"epoch"}}, text("0")},
		"date.time":          {Spec{Type: Date}, serial("46000.5")},
		"date.offset":        {Spec{Type: Date}, text("2026-02-03T10:00Z")},
		"text.float":         {Spec{}, text("560001.0")},
		"text.null":          {Spec{Identifies: true}, text("NULL")},
		"number.percent":     {Spec{Type: Number}, text("12%")},
		"email.syntax":       {Spec{Type: Email}, text("x")},
		"email.several":      {Spec{Type: Email}, text("a@b.co, c@d.co")},
		"phone.invalid":      {in, text("12345")},
		"phone.format":       {in, text("none")},
		"phone.scientific":   {in, text("9.2E+11")},
		"phone.several":      {in, text("9876543210, 9876543211")},
		"phone.extension":    {in, text("9876543210 x12")},
		"phone.region":       {Spec{Type: Phone}, text("9876543210")},
		"boolean.format":     {Spec{Type: Boolean}, text("x")},
	}
	form := regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)
	seen := map[string]bool{}
	for _, code := range Codes {
		if !form.MatchString(code) || seen[code] {
			t.Errorf("the code %q is malformed or there twice", code)
		}
		seen[code] = true
		tc, ok := cases[code]
		if !ok {
			t.Errorf("no case for the code %s", code)
			continue
		}
		cell, err := Clean(tc.cell)
		if err == nil {
			_, err = mustNew(t, tc.spec).Convert(cell, nil)
		}
		wantProblem(t, code, err, code)
	}
}
