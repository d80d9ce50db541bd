package converter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// text gives a cell as text, by the list of values if there is one.
func (c *Converter) text(cell Cell) (string, *Problem) {
	s := cell.Text
	switch cell.Kind {
	case TextCell:
		if looksScientific(s, c.spec.NoScientific) && !c.values.knows(s) {
			return "", problem(codeScientific,
				"format the column as text (or as a number without decimals) in the spreadsheet, type the value again, and save anew; its last digits are lost in this file",
				"%s is a number in scientific notation, as Excel shows long ones", quote(s))
		}
	case NumberCell:
		if wholeBeyondDouble(s) {
			return "", problem(codePrecision, "format the column as text and type the value again",
				"the number %s has more digits than a spreadsheet keeps (15), so that the last ones are not what was typed", clip(s))
		}
		s = trimNoise(s)
	case DateCell:
		t, ok := serialText(cell)
		if !ok {
			return "", problem(codeSerial, "format the column as text", "the number %s cannot be shown as a date", clip(s))
		}
		s = t
	}
	if c.values != nil {
		v, p := c.values.find(s)
		if p != nil {
			return "", p
		}
		s = v
	}
	switch c.spec.Case {
	case "upper":
		s = strings.ToUpper(s)
	case "lower":
		s = strings.ToLower(s)
	case "title":
		s = title(s)
	}
	return s, nil
}

// limit refuses or cuts a value of more characters than the field takes.
// It is called for values of more bytes than that.
func (c *Converter) limit(v string) (string, *Problem) {
	n := utf8.RuneCountInString(v)
	if n <= c.spec.MaxLength {
		return v, nil
	}
	if !c.spec.Truncate {
		return "", problem(codeLong, "shorten it, or cut such values by truncate: true",
			"%s has %d characters, and the field takes %d", quote(v), n, c.spec.MaxLength)
	}
	k := 0
	for i := range v {
		if k == c.spec.MaxLength {
			return strings.TrimRightFunc(v[:i], unicode.IsSpace), nil
		}
		k++
	}
	return v, nil
}

// title writes each word with a capital, the rest of it small.
func title(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		start := !inWord
		inWord = unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || inWord && (r == '\'' || r == '’' || joiner(r))
		if start {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

// looksScientific reports that a text is a number as Excel shows long ones:
// 9.19877E+12, in some countries 9,19877E+12. The strict form takes every
// other program's writing as well, but not codes such as 5E10, which are
// nobody's number.
func looksScientific(s string, strict bool) bool {
	e := strings.LastIndexAny(s, "Ee")
	if e <= 0 || e > 24 || e == len(s)-1 {
		return false
	}
	mantissa, exponent := s[:e], s[e+1:]
	if mantissa[0] == '-' || mantissa[0] == '+' {
		mantissa = mantissa[1:]
	}
	whole, fraction := mantissa, ""
	point := strings.IndexAny(mantissa, ".,")
	if point >= 0 {
		whole, fraction = mantissa[:point], mantissa[point+1:]
	}
	signed := exponent[0] == '+' || exponent[0] == '-'
	digits := exponent
	if signed {
		digits = exponent[1:]
	}
	if !allDigits(whole) || point >= 0 && !allDigits(fraction) || !allDigits(digits) {
		return false
	}
	if strict {
		return signed || point >= 0
	}
	return len(whole) == 1 && s[e] == 'E' && exponent[0] == '+' && len(digits) >= 2
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}
