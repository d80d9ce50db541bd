package converter

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	runRows(t, Spec{Type: Number}, []row{
		{cell: text("0"), want: "0"},
		{cell: text("1234.50"), want: "1234.50"},
		{cell: text("3.00"), want: "3.00"},
		{cell: text("-0"), want: "0"},
		{cell: text("-0.00"), want: "0.00"},
		{cell: text("+7"), want: "7"},
		{cell: text("007"), want: "7"},
		{cell: text("00.50"), want: "0.50"},
		{cell: text(".5"), want: "0.5"},
		{cell: text("5."), want: "5"},
		{cell: text("1,234,567.89"), want: "1234567.89"},
		{cell: text("1,20,000.50"), want: "120000.50"},
		{cell: text("12,34,56,789"), want: "123456789"},
		{cell: text("1 234 567.8"), want: "1234567.8"},
		{name: "no-break spaces", cell: text("1\u00a0234\u00a0567"), want: "1234567"},
		{name: "narrow spaces", cell: text("1\u202f234\u2009567"), code: "number.grouping"},
		{cell: text("1'234'567"), want: "1234567"},
		{cell: text("1’234.5"), want: "1234.5"},
		{cell: text("₹1,20,000.50"), want: "120000.50"},
		{cell: text("₹ 500/-"), want: "500"},
		{cell: text("Rs. 1,000"), want: "1000"},
		{cell: text("Rs.1000"), want: "1000"},
		{cell: text("rs 1000"), want: "1000"},
		{cell: text("INR 1000.00"), want: "1000.00"},
		{cell: text("1000 INR"), want: "1000"},
		{cell: text("$1,000"), want: "1000"},
		{cell: text("US$ 1,000"), want: "1000"},
		{cell: text("1000 US$"), want: "1000"},
		{cell: text("€-5"), want: "-5"},
		{cell: text("-€5"), want: "-5"},
		{cell: text("5 €"), want: "5"},
		{cell: text("£5"), want: "5"},
		{cell: text("1000 Kč"), want: "1000"},
		{cell: text("(1,200.00)"), want: "-1200.00"},
		{cell: text("₹ (1,200.00)"), want: "-1200.00"},
		{cell: text("(₹ 1,200.00)"), want: "-1200.00"},
		{cell: text("1200-"), want: "-1200"},
		{cell: text("−5"), want: "-5"},
		{cell: text("- 5"), want: "-5"},
		{cell: text("12%"), code: "number.percent"},
		{cell: text("12.50 %"), code: "number.percent"},
		{cell: text("%12"), code: "number.format"},
		{cell: text("12%%"), code: "number.format"},
		{cell: text(strings.Repeat("9", 30) + "." + strings.Repeat("9", 30)), want: strings.Repeat("9", 30) + "." + strings.Repeat("9", 30)},

		{cell: text("1,2,3"), code: "number.grouping"},
		{cell: text("1,23"), code: "number.grouping"},
		{cell: text("1.234,56"), code: "number.grouping"},
		{cell: text("0,125"), code: "number.grouping"},
		{cell: text("0,123,456"), code: "number.grouping"},
		{cell: text("1234,567"), code: "number.grouping"},
		{cell: text("123,45,678"), code: "number.grouping"},
		{cell: text("1,234 567"), code: "number.grouping"},
		{cell: text(",234"), code: "number.grouping"},
		{cell: text("1,234,"), code: "number.grouping"},
		{cell: text("1,,234"), code: "number.grouping"},
		{cell: text("1.234,567"), code: "number.grouping"},
		{cell: text("1.2.3"), code: "number.grouping"},
		{cell: text("12 5"), code: "number.grouping"},
		{cell: text("1.5E+3"), code: "number.scientific"},
		{cell: text("15e5"), code: "number.scientific"},
		{cell: text("9,19877E+12"), code: "number.scientific"},
		{cell: text("abc"), code: "number.format"},
		{cell: text("12 lakh"), code: "number.format"},
		{cell: text("5K"), code: "number.format"},
		{cell: text("-"), code: "number.format"},
		{cell: text("."), code: "number.format"},
		{cell: text("₹"), code: "number.format"},
		{cell: text("()"), code: "number.format"},
		{cell: text("-(5)"), code: "number.format"},
		{cell: text("--5"), code: "number.format"},
		{cell: text("-5-"), code: "number.format"},
		{cell: text("(5"), code: "number.format"},
		{cell: text("5%%"), code: "number.format"},
		{cell: text("₹5%"), code: "number.format"},
		{cell: text("1/2"), code: "number.format"},
		{cell: text("0x1F"), code: "number.format"},
		{cell: text("1_000"), code: "number.format"},
		{cell: text("Infinity"), code: "number.format"},
		{cell: text("NaN"), code: "number.format"},
		{cell: text("१,२०,०००.५०"), want: "120000.50"},
		{cell: text("一二"), code: "number.format"},
		{cell: text("5 USD EUR GBP"), code: "number.format"},
		{name: "31 digits", cell: text(strings.Repeat("9", 31)), code: "number.long"},
		{name: "31 decimals", cell: text("0." + strings.Repeat("9", 31)), code: "number.long"},
		{name: "a million digits", cell: text(strings.Repeat("9", 1e6)), code: "number.long"},

		{name: "number cell", cell: numeric("1234.5"), want: "1234.5"},
		{name: "negative number cell", cell: numeric("-7"), want: "-7"},
		{name: "noise below", cell: numeric("0.30000000000000004"), want: "0.3"},
		{name: "noise above", cell: numeric("1234.5699999999999"), want: "1234.57"},
		{name: "noise of a negative", cell: numeric("-9.9999999999999995"), want: "-10"},
		{name: "fifteen digits stay", cell: numeric("123456789.012345"), want: "123456789.012345"},
		{name: "small number keeps its digits", cell: numeric("0.000000000123456789012345"), want: "0.000000000123456789012345"},
		{name: "carry through all digits", cell: numeric("99999999999999.99"), want: "100000000000000"},
		{name: "sixteen whole digits and a half", cell: numeric("1234567890123456.5"), want: "1234567890123457"},
		{name: "sixteen whole digits", cell: numeric("4111111111111111"), want: "4111111111111111"},
		{name: "beyond 2^53", cell: numeric("9007199254740993"), code: "number.precision"},
		{name: "far beyond 2^53", cell: numeric("12345678901234567890"), code: "number.precision"},
		{name: "2^53, which 2^53+1 becomes", cell: numeric("9007199254740992"), code: "number.precision"},
		{name: "-2^53", cell: numeric("-9007199254740992"), code: "number.precision"},
		{name: "below 2^53", cell: numeric("9007199254740991"), want: "9007199254740991"},
		{name: "sixteen digits, the last a zero", cell: numeric("4111111111111110"), code: "number.precision"},
		{name: "sixteen digits, the last a zero, negative", cell: numeric("-5010012345678900"), code: "number.precision"},
		{name: "fifteen digits, the last a zero", cell: numeric("411111111111110"), want: "411111111111110"},
		{name: "sixteen digits as text", cell: text("4111111111111110"), want: "4111111111111110"},
		{name: "number cell of odd form", cell: numeric("1e5"), code: "number.scientific"},
		{name: "date cell", cell: serial("46000"), code: "cell.kind"},
		{name: "boolean cell", cell: Cell{Kind: BoolCell, Text: "TRUE"}, code: "cell.kind"},
	})
}

func TestNumberWithDecimalComma(t *testing.T) {
	runRows(t, Spec{Type: Number, Decimal: ','}, []row{
		{cell: text("1.234,56"), want: "1234.56"},
		{cell: text("1,5"), want: "1.5"},
		{cell: text("1.234"), want: "1234"},
		{cell: text("1 234,5"), want: "1234.5"},
		{cell: text("€ 1.234.567,00"), want: "1234567.00"},
		{cell: text("1234,"), want: "1234"},
		{cell: text("1.5"), code: "number.grouping"},
		{cell: text("1,234,567"), code: "number.grouping"},
		{cell: text("1,234.56"), code: "number.grouping"},
		{name: "a number cell has a point", cell: numeric("1.5"), want: "1.5"},
	})
}

func TestPercent(t *testing.T) {
	runRows(t, Spec{Type: Number, Percent: PercentFraction}, []row{
		{cell: text("12%"), want: "0.12"},
		{cell: text("12.50 %"), want: "0.125"},
		{cell: text("100%"), want: "1"},
		{cell: text("-0.5%"), want: "-0.005"},
		{cell: text("(0.5)%"), want: "-0.005"},
		{cell: text("1,200%"), want: "12"},
		{cell: text("0%"), want: "0"},
		{cell: text("0.12"), want: "0.12"},
		{cell: text("₹12%"), code: "number.format"},
		{cell: text("0." + strings.Repeat("9", 29) + "%"), code: "number.long"},
		{name: "number cell", cell: numeric("0.125"), want: "0.125"},
	})
	runRows(t, Spec{Type: Number, Percent: PercentPoints}, []row{
		{cell: text("12%"), want: "12"},
		{cell: text("12.50 %"), want: "12.50"},
		{cell: text("-0.5%"), want: "-0.5"},
		{cell: text("1,200%"), want: "1200"},
		{cell: text("12"), want: "12"},
	})
	runRows(t, Spec{Type: Number, Percent: PercentFraction, Decimal: ','}, []row{{cell: text("12,5%"), want: "0.125"}})
	runRows(t, Spec{Type: Integer, Percent: PercentPoints}, []row{{cell: text("12%"), want: "12"}, {cell: text("12.5%"), code: "integer.fraction"}})
	runRows(t, Spec{Type: Integer, Percent: PercentFraction}, []row{{cell: text("200%"), want: "2"}, {cell: text("12%"), code: "integer.fraction"}})
}

func TestWordsOfAmounts(t *testing.T) {
	for _, s := range []string{"1,200.00 Cr", "1200CR", "45,000.00 Dr", "1.2 Cr", "5 L", "5.5 Lakh", "5.5lakhs", "1 crore", "1200 only", "1200 (approx)", "5 lac", "12 k", "1200 Cr.", "about 1200"} {
		_, err := mustNew(t, Spec{Type: Number}).Convert(text(s), nil)
		p, ok := err.(*Problem)
		if !ok || p.Code != "number.format" || !strings.Contains(p.Msg, " in it") {
			t.Errorf("%q: got %v, want the letters named", s, err)
			continue
		}
		known := strings.ContainsAny(s, "CcD") || strings.Contains(strings.ToLower(s), "la")
		if strings.Contains(p.Hint, "words: true") != known {
			t.Errorf("%q: the hint is %q", s, p.Hint)
		}
	}
	runRows(t, Spec{Type: Number, Words: true}, []row{
		{cell: text("5.5 Lakh"), want: "550000"},
		{cell: text("5.5lakhs"), want: "550000"},
		{cell: text("Rs. 5.25 Lacs"), want: "525000"},
		{cell: text("₹ 2.000001 LAKH"), want: "200000.1"},
		{cell: text("-0.5 lac"), want: "-50000"},
		{cell: text("(5) Lakh"), code: "number.format"},
		{cell: text("1 crore"), want: "10000000"},
		{cell: text("1,234.5 Crores"), want: "12345000000"},
		{cell: text("1.2 Cr"), want: "12000000"},
		{cell: text("12 cr."), want: "120000000"},
		{cell: text("0 Cr"), want: "0"},
		{cell: text("1,200.00 Cr"), want: "1200.00"},
		{cell: text("45,000.00 Dr"), want: "45000.00"},
		{cell: text("500.00 Dr."), want: "500.00"},
		{cell: text("1200 Dr"), want: "1200"},
		{cell: text("12.75 Cr"), code: "number.format"}, // crore or credit
		{cell: text("500.00 Cr"), code: "number.format"},
		{cell: text("1,200 Cr"), code: "number.format"},
		{cell: text("5 L"), code: "number.format"},
		{cell: text("5 Lakh 20"), code: "number.format"},
		{cell: text("Lakh"), code: "number.format"},
		{cell: text("5 Lakh %"), code: "number.percent"},
		{cell: text("1,2 Lakh"), code: "number.grouping"},
		{cell: text("1200"), want: "1200"},
		{cell: text(strings.Repeat("9", 24) + " crore"), code: "number.long"},
		{name: "number cell", cell: numeric("5.5"), want: "5.5"},
	})
	runRows(t, Spec{Type: Number, Words: true, Percent: PercentPoints}, []row{{cell: text("5 Lakh %"), code: "number.format"}})
	runRows(t, Spec{Type: Number, Words: true, Decimal: ','}, []row{
		{cell: text("5,5 Lakh"), want: "550000"},
		{cell: text("1.200,00 Cr"), want: "1200.00"},
		{cell: text("1,2 Cr"), want: "12000000"},
	})
	runRows(t, Spec{Type: Integer, Words: true}, []row{{cell: text("5.5 Lakh"), want: "550000"}, {cell: text("1.00000001 crore"), code: "integer.fraction"}})
}

func TestGroupingHintNamesTheDecimalSign(t *testing.T) {
	_, err := mustNew(t, Spec{Type: Number}).Convert(text("1.234,56"), nil)
	if p, ok := err.(*Problem); !ok || !strings.Contains(p.Hint, `decimal: ","`) {
		t.Errorf("got %+v", err)
	}
	_, err = mustNew(t, Spec{Type: Number}).Convert(text("1,2,3"), nil)
	if p, ok := err.(*Problem); !ok || strings.Contains(p.Hint, "decimal:") {
		t.Errorf("got %+v", err)
	}
}

func TestInteger(t *testing.T) {
	runRows(t, Spec{Type: Integer}, []row{
		{cell: text("3"), want: "3"},
		{cell: text("3.0"), want: "3"},
		{cell: text("3."), want: "3"},
		{cell: text("-3.000"), want: "-3"},
		{cell: text("-0.0"), want: "0"},
		{cell: text("1,20,000"), want: "120000"},
		{cell: text("200%"), code: "number.percent"},
		{cell: text("3.5"), code: "integer.fraction"},
		{cell: text("x"), code: "number.format"},
		{name: "number cell", cell: numeric("3.0"), want: "3"},
		{name: "noise", cell: numeric("2.9999999999999996"), want: "3"},
		{name: "number cell with a fraction", cell: numeric("3.5"), code: "integer.fraction"},
	})
}

// write gives a number as people of some country do.
func write(digits string, scale int, negative bool, style int) string {
	whole, fraction := digits[:len(digits)-scale], digits[len(digits)-scale:]
	point, group := ".", ","
	if style&1 != 0 {
		point, group = ",", "."
	}
	switch style >> 1 & 3 {
	case 1:
		whole = groupBy(whole, 3, group)
	case 2:
		if len(whole) > 3 {
			whole = groupBy(whole[:len(whole)-3], 2, group) + group + whole[len(whole)-3:]
		}
	case 3:
		whole = groupBy(whole, 3, "\u00a0")
	}
	s := whole
	if scale > 0 {
		s += point + fraction
	}
	if style&8 != 0 {
		s = "₹ " + s
	}
	if negative {
		switch style >> 4 & 3 {
		case 0:
			return "-" + s
		case 1:
			return s + "-"
		default:
			return "(" + s + ")"
		}
	}
	return s
}

func groupBy(s string, n int, group string) string {
	var parts []string
	for len(s) > n {
		parts = append([]string{s[len(s)-n:]}, parts...)
		s = s[:len(s)-n]
	}
	return strings.Join(append([]string{s}, parts...), group)
}

// TestWrittenNumbersComeBack writes random decimals in the styles of several
// countries and demands the same rational number back, with as many decimals.
func TestWrittenNumbersComeBack(t *testing.T) {
	draw := rand.New(rand.NewPCG(5, 6))
	c := [2]*Converter{mustNew(t, Spec{Type: Number}), mustNew(t, Spec{Type: Number, Decimal: ','})}
	for range 8000 {
		digits := fmt.Sprint(draw.Uint64() >> draw.IntN(64))
		scale := draw.IntN(len(digits))
		negative := draw.IntN(2) == 0
		style := draw.IntN(64)
		written := write(digits, scale, negative, style)
		got, err := c[style&1].Convert(text(written), nil)
		if err != nil {
			t.Fatalf("%q: %v", written, err)
		}
		checkNumber(t, written, got, digits, scale, negative)
	}
}

func checkNumber(t *testing.T, written, got, digits string, scale int, negative bool) {
	t.Helper()
	want := new(big.Rat)
	want.SetString(digits)
	want.Quo(want, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	if negative {
		want.Neg(want)
	}
	value, ok := new(big.Rat).SetString(got)
	_, decimals, _ := strings.Cut(got, ".")
	if !ok || value.Cmp(want) != 0 || len(decimals) != scale || !plainNumber(got) {
		t.Fatalf("%q: got %q, want %s with %d decimals", written, got, want.FloatString(scale), scale)
	}
}
