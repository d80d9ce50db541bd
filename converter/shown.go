package converter

import (
	"strings"
	"unicode"
)

// shown returns a number as its number format shows it, where the format makes
// an identifier of it: zeros in front (00000), and fixed text among or around
// the digits ("INV-"0000, 000-0000). An amount stays a plain number, whatever
// its format adds: decimals, grouping, percent and currencies are no part of
// the value. ok is false where the number is to be taken as it is.
func shown(number, format string) (text string, ok bool) {
	if !allDigits(number) {
		return "", false // negative or with decimals: an amount
	}
	parts, ok := idFormat(format)
	if !ok {
		return "", false
	}
	digits := strings.TrimLeft(number, "0")
	// From the right each place takes a digit, the first one all that are left.
	var out []string
	places := 0
	for _, p := range parts {
		if p.place != 0 {
			places++
		}
	}
	for i := len(parts) - 1; i >= 0; i-- {
		p := parts[i]
		switch {
		case p.place == 0:
			out = append(out, p.text)
			continue
		case places == 1:
			if digits == "" && p.place == '0' {
				digits = "0"
			}
			out = append(out, digits)
			digits = ""
		case digits != "":
			out = append(out, digits[len(digits)-1:])
			digits = digits[:len(digits)-1]
		case p.place == '0':
			out = append(out, "0")
		}
		places--
	}
	var b strings.Builder
	for i := len(out) - 1; i >= 0; i-- {
		b.WriteString(out[i])
	}
	return b.String(), true
}

// Shown returns a number cell as the spreadsheet shows it, where its format
// makes an identifier of it.
func Shown(c Cell) (text string, ok bool) {
	if c.Kind != NumberCell || c.Format == "" {
		return "", false
	}
	return shown(c.Text, c.Format)
}

// ShowsID reports whether a number format makes an identifier of a number: a
// text shows it as the spreadsheet does.
func ShowsID(format string) bool {
	_, ok := idFormat(format)
	return ok
}

// formatPart is a place for a digit, 0 or #, or fixed text.
type formatPart struct {
	place byte
	text  string
}

// idFormat takes a number format apart. ok is false for all that are no
// identifier's: those without a second zero and without fixed text, and those of
// amounts, fractions, dates and several conditions.
func idFormat(format string) (parts []formatPart, ok bool) {
	var (
		literal strings.Builder
		zeros   int
		digits  int
		texts   bool // fixed text before a digit identifies
		pending bool // … if a digit follows
	)
	flush := func() {
		if literal.Len() > 0 {
			// Behind all digits it is a unit, as in 0" days".
			pending = identifies(literal.String())
			parts = append(parts, formatPart{text: literal.String()})
			literal.Reset()
		}
	}
scan:
	for i := 0; i < len(format); {
		c := format[i]
		switch {
		case c == ';':
			break scan // further sections are for negative numbers, zero and text
		case c == '"':
			end := strings.IndexByte(format[i+1:], '"')
			if end < 0 {
				return nil, false
			}
			literal.WriteString(format[i+1 : i+1+end])
			i += end + 2
			continue
		case c == '\\':
			if i+1 == len(format) {
				return nil, false
			}
			n := 1
			for i+1+n < len(format) && format[i+1+n]&0xC0 == 0x80 {
				n++
			}
			literal.WriteString(format[i+1 : i+1+n])
			i += 1 + n
			continue
		case c == '0' || c == '#':
			flush()
			texts = texts || pending
			parts = append(parts, formatPart{place: c})
			digits++
			if c == '0' {
				zeros++
			}
		case c == '-' || c == ' ' || c == '(' || c == ')' || c == ':' || c == '+':
			literal.WriteByte(c)
		case c == '[':
			// A colour or a language changes nothing; a currency, a condition
			// and elapsed time do.
			end := strings.IndexByte(format[i:], ']')
			if end < 0 {
				return nil, false
			}
			in := format[i+1 : i+end]
			if !strings.HasPrefix(in, "$-") && strings.Trim(strings.ToLower(in), "abcdefghijklmnopqrstuvwxyz") != "" || in == "" || isElapsed(in) {
				return nil, false
			}
			i += end + 1
			continue
		default:
			return nil, false
		}
		i++
	}
	flush()
	return parts, digits > 0 && (zeros > 1 || texts)
}

func isElapsed(s string) bool { return strings.Trim(strings.ToLower(s), "hms") == "" }

// identifies reports fixed text that is part of an identifier: it has a
// letter, a digit or a line between groups, and is no currency.
func identifies(text string) bool {
	bare := strings.Trim(text, " .\u00a0")
	if rest, ok := cutCurrency(bare); ok && rest == "" {
		return false
	}
	return strings.ContainsFunc(bare, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-/_#:", r)
	})
}
