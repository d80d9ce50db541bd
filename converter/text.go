package converter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// text gives a cell as text, by the list of values if there is one.
func (c *Converter) text(cell Cell, e *Evidence) (string, *Problem) {
	s := cell.Text
	switch cell.Kind {
	case TextCell:
		if p := c.madeByProgram(s); p != nil && !c.values.knows(s) {
			return "", p
		}
		if e != nil && c.values == nil {
			e.text(s)
		}
		if looksScientific(s, c.spec.Identifies) && !c.values.knows(s) {
			return "", problem(codeScientific,
				"format the column as text (or as a number without decimals) in the spreadsheet, type the value again, and save anew; its last digits are lost in this file",
				"%s is a number in scientific notation, as Excel shows long ones", quote(s))
		}
	case NumberCell:
		if wholeBeyondDouble(s) {
			return "", problem(codePrecision, "format the column as text and type the value again",
				"the number %s has more digits than a spreadsheet keeps (15), so that the last ones are not what was typed", clip(s))
		}
		if t, ok := Shown(cell); ok && (c.values == nil || c.values.knows(t) || !c.values.knows(s)) {
			s = t
			break
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

// madeByProgram refuses texts that programs write for what they cannot write
// in another way: a whole number as a float (560001.0, where a column of ids
// has gaps), and in what identifies something a word for nothing.
func (c *Converter) madeByProgram(s string) *Problem {
	least := 5 // 2.0 may be a version, 560001.0 is nobody's text
	if c.spec.Identifies {
		if nothing(s) {
			return problem(codeNothing, "fill the cell in: several rows with this word would be one to leadload",
				"the cell holds %s, which programs write for an empty cell", quote(s))
		}
		least = 1
	}
	if whole, ok := wholeFloat(s); ok && len(whole) >= least {
		return problem(codeFloat, "write it without .0: in pandas, read the column as text (dtype=str), or as Int64",
			"%s is a whole number as programs write it in a column with gaps; %s was most likely meant", quote(s), whole)
	}
	return nil
}

// wholeFloat returns the digits before .0 of a text such as 560001.0.
func wholeFloat(s string) (whole string, ok bool) {
	if len(s) < 3 || s[len(s)-1] != '0' || s[len(s)-2] != '.' {
		return "", false
	}
	whole = s[:len(s)-2]
	return whole, allDigits(whole)
}

// LongestNothing is the length of the longest word that programs write for an
// empty cell.
const LongestNothing = 9

// nothing reports whether a text is a word that programs and databases write
// for an empty cell. Null in this writing is a surname.
func nothing(s string) bool {
	switch s {
	case "NULL", "null", "(null)", "[NULL]", "<null>", "\\N", "nan", "NaN", "NAN", "-nan", "<NA>", "NaT", "None", "nil", "undefined":
		return true
	}
	return false
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

// looksScientific reports whether a text is a number as programs show long
// ones: 9.19877E+12, in some countries 9,19877E+12, with a small e, or without
// the plus. Codes such as 5E10 and 12E3 are texts; the strict form takes 12E+3
// for a number too.
func looksScientific(s string, strict bool) bool {
	if s == "" || s[0] > '9' {
		return false // a letter: most texts begin so
	}
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
	if !allDigits(digits) || whole+fraction == "" || whole != "" && !allDigits(whole) || fraction != "" && !allDigits(fraction) {
		return false
	}
	switch {
	case point >= 0:
		return true
	case strict:
		return signed
	}
	return len(whole) == 1 && exponent[0] == '+' && len(digits) >= 2
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}
