package converter

import (
	"bytes"
	"strings"
)

// numberMax bounds the digits before and those after the point: more are an
// id, not an amount.
const numberMax = 30

// significant is how many digits a spreadsheet shows of a number; those
// beyond are noise of its binary arithmetic (0.30000000000000004).
const significant = 15

// number gives a cell as a plain decimal, its digits as written.
func (c *Converter) number(cell Cell, e *Evidence) (string, *Problem) {
	switch cell.Kind {
	case TextCell:
		if c.spec.Decimal == '.' && plainNumber(cell.Text) {
			if e != nil {
				e.number(strings.TrimPrefix(cell.Text, "-"), '.')
			}
			return cell.Text, nil
		}
		return parseNumber(cell.Text, &c.spec, e)
	case NumberCell:
		if wholeBeyondDouble(cell.Text) {
			return "", problem(codePrecision, "check the number, and format the column as text if it is an id",
				"the number %s has more digits than a spreadsheet keeps (15), so that the last ones are not what was typed", clip(cell.Text))
		}
		if s := trimNoise(cell.Text); plainNumber(s) {
			return s, nil
		}
		return parseNumber(trimNoise(cell.Text), &Spec{Decimal: '.'}, nil)
	case DateCell:
		return "", problem(codeKind, "format the cell as a number in the spreadsheet, or map another column",
			"the cell is a date (serial %s), not a number", clip(cell.Text))
	}
	return "", problem(codeKind, "write a number, or map another column", "%s is not a number", quote(cell.Text))
}

// integer gives a cell as a whole number.
func (c *Converter) integer(cell Cell, e *Evidence) (string, *Problem) {
	s, p := c.number(cell, e)
	if p != nil {
		return "", p
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if strings.Trim(fraction, "0") != "" {
		return "", problem(codeInteger, "write a whole number, or use the type number", "%s is not a whole number", quote(cell.Text))
	}
	if whole == "-0" {
		whole = "0"
	}
	return whole, nil
}

// plainNumber reports that a text is in the API's form already.
func plainNumber(s string) bool {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	start := i
	zero := true
	for i < len(s) && s[i]-'0' <= 9 {
		zero = zero && s[i] == '0'
		i++
	}
	whole := i - start
	if whole == 0 || whole > numberMax || whole > 1 && s[start] == '0' {
		return false
	}
	if i < len(s) {
		if s[i] != '.' || i+1 == len(s) || len(s)-i-1 > numberMax {
			return false
		}
		for i++; i < len(s); i++ {
			if s[i]-'0' > 9 {
				return false
			}
			zero = zero && s[i] == '0'
		}
	}
	return start == 0 || !zero
}

// wholeBeyondDouble reports whether a number cell's text is a whole number
// whose last digits a spreadsheet has lost: it stores 15 and writes zeros for
// the rest, so that a sixteenth digit of zero is most likely not what was typed,
// and from 2^53 on not every whole number has a double. Programs write exact
// numbers of 16 digits; one in ten of theirs ends in zero and is refused too.
func wholeBeyondDouble(s string) bool {
	const limit = "9007199254740992"
	s = strings.TrimPrefix(s, "-")
	switch {
	case len(s) < len(limit) || !allDigits(s):
		return false
	case len(s) > len(limit):
		return true
	}
	return s[len(s)-1] == '0' || s >= limit
}

// trimNoise rounds a number cell's decimals to what a spreadsheet shows.
func trimNoise(s string) string {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, ok := strings.Cut(digits, ".")
	if !ok || !allDigits(whole) || !allDigits(fraction) {
		return s
	}
	all := whole + fraction
	lead := len(all) - len(strings.TrimLeft(all, "0"))
	if len(all)-lead <= significant {
		return s
	}
	keep := max(lead+significant, len(whole))
	if keep >= len(all) {
		return s
	}
	b := []byte("0" + all[:keep])
	if all[keep] >= '5' {
		i := len(b) - 1
		for ; b[i] == '9'; i-- {
			b[i] = '0'
		}
		b[i]++
	}
	w := strings.TrimLeft(string(b[:len(whole)+1]), "0")
	if w == "" {
		w = "0"
	}
	if f := strings.TrimRight(string(b[len(whole)+1:]), "0"); f != "" {
		w += "." + f
	}
	if len(digits) < len(s) && strings.Trim(w, "0.") != "" {
		w = "-" + w
	}
	return w
}

// parseNumber reads a number with signs, currency, words and grouping.
func parseNumber(text string, spec *Spec, e *Evidence) (string, *Problem) {
	decimal := spec.Decimal
	a, ok := undress(text)
	if !ok {
		return "", notNumber(text, decimal)
	}
	if looksScientific(a.core, true) || looksScientificLoose(a.core) {
		return "", problem(codeNumberSci,
			"format the column as a number without scientific notation in the spreadsheet and save anew; digits may be lost in this file",
			"%s is in scientific notation", quote(text))
	}
	shift := 0 // of the point, to the right
	if a.percent {
		switch spec.Percent {
		case RejectPercent:
			return "", problem(codePercent, "say what the field holds: percent: fraction sends 12% as 0.12, percent: points as 12",
				"%s has a percent sign", quote(text))
		case PercentFraction:
			shift = -2
		}
	}
	if word := wordIn(a.core); word != "" {
		var p *Problem
		if a.core, shift, p = readWord(text, a, word, spec); p != nil {
			return "", p
		}
		if e != nil {
			e.word(word)
		}
	}
	var digits [4 * numberMax]byte
	b, whole, why := ungroup(digits[:0], a.core, decimal)
	if why == wellFormed && (len(bytes.TrimRight(b[whole:], "0")) > numberMax+min(shift, 0) || whole > numberMax-max(shift, 0)) {
		why = tooLong // once the point has moved
	}
	switch why {
	case notDigits:
		return "", notNumber(text, decimal)
	case badGroups:
		sample := "thousands (1,234,567) nor lakhs (12,34,567)"
		if decimal == ',' {
			sample = "thousands (1.234.567) nor lakhs (12.34.567)"
		}
		return "", problem(codeGrouping, groupHint(a.core, decimal), "the groups of digits in %s are neither %s", quote(text), sample)
	case tooLong:
		return "", problem(codeNumberLong, "if it is an id and not an amount, use the type text",
			"%s has more digits than are sent (%d before and %d after the point)", quote(text), numberMax, numberMax)
	}
	if e != nil && shift == 0 {
		e.number(a.core, decimal)
	}
	return compose(b[:whole], b[whole:], a.negative, shift), nil
}

func notNumber(text string, decimal byte) *Problem {
	hint := "write digits, with a point before the decimals"
	if decimal == ',' {
		hint = "write digits, with a comma before the decimals (decimal: \",\")"
	}
	switch strings.TrimSpace(text) {
	case "-", "–", "—":
		hint = "write 0, or leave the cell empty"
	}
	return problem(codeNumber, hint, "%s is not a number", quote(text))
}

// groupHint adds the cure for a decimal comma under a decimal point.
func groupHint(core string, decimal byte) string {
	other, name := byte(','), "comma"
	if decimal == ',' {
		other, name = '.', "point"
	}
	var buf [4 * numberMax]byte
	if _, _, why := ungroup(buf[:0], core, other); why == wellFormed {
		return "write the number without grouping, or set decimal: \"" + string(rune(other)) + "\" if the " + name + " stands before decimals"
	}
	return "write the number without grouping"
}

type groupFault uint8

const (
	wellFormed groupFault = iota
	notDigits
	badGroups
	tooLong
)

// ungroup appends the digits of a number without its separators and gives
// how many of them stand before the decimal sign. Groups must be what some
// country writes: otherwise 1,23 would become 123.
func ungroup(b []byte, core string, decimal byte) (digits []byte, whole int, why groupFault) {
	var sizes [numberMax]int
	groups, size := 0, 0
	var separator rune
	inFraction := false
	for i, r := range core {
		switch {
		case r >= '0' && r <= '9':
			if !inFraction {
				size++
			}
			b = append(b, byte(r))
			if len(b) > 2*numberMax {
				return nil, 0, tooLong
			}
		case r == rune(decimal):
			if inFraction {
				return nil, 0, badGroups
			}
			inFraction = true
			whole = len(b)
		case groupSign(r, decimal):
			if inFraction || separator != 0 && separator != r {
				return nil, 0, badGroups
			}
			if i == 0 || size == 0 || groups == numberMax-1 {
				return nil, 0, badGroups
			}
			separator = r
			sizes[groups] = size
			groups++
			size = 0
		default:
			return nil, 0, notDigits
		}
	}
	if !inFraction {
		whole = len(b)
	}
	if len(b) == 0 {
		return nil, 0, notDigits
	}
	if whole > numberMax || len(b)-whole > numberMax {
		return nil, 0, tooLong
	}
	if groups > 0 {
		sizes[groups] = size
		// A group in front that begins with a zero is a decimal: 0,125.
		if b[0] == '0' || !grouped(sizes[:groups+1]) {
			return nil, 0, badGroups
		}
	}
	return b, whole, wellFormed
}

// grouped accepts thousands (1,234,567) and lakhs and crores (1,23,45,678).
func grouped(sizes []int) bool {
	last := len(sizes) - 1
	if sizes[last] != 3 {
		return false
	}
	western, indian := sizes[0] <= 3, sizes[0] <= 2
	for _, n := range sizes[1:last] {
		western = western && n == 3
		indian = indian && n == 2
	}
	return western || indian
}

func groupSign(r rune, decimal byte) bool {
	switch r {
	case ',', '.':
		return r != rune(decimal)
	case '\'', '\u2019':
		return true
	}
	return r != '\t' && r != '\n' && r != '\r' && isSpace(r)
}

// looksScientificLoose knows 15E5 and the like, which is a number here.
func looksScientificLoose(s string) bool {
	i := strings.IndexAny(s, "eE")
	return i > 0 && allDigits(s[:i]) && allDigits(strings.TrimLeft(s[i+1:], "+-"))
}

// compose writes digits in the API's form, the point moved by shift places to
// the right. The zeros that a move leaves at the end are dropped.
func compose(whole, fraction []byte, negative bool, shift int) string {
	var buf [2*numberMax + 16]byte
	b := append(buf[:0], '-')
	all := append(append(b, '0', '0', '0'), whole...)
	point := len(all) + shift
	all = append(all, fraction...)
	for len(all) < point {
		all = append(all, '0')
	}
	if shift != 0 {
		for len(all) > point && all[len(all)-1] == '0' {
			all = all[:len(all)-1]
		}
	}
	start := 1
	for start < point-1 && all[start] == '0' {
		start++
	}
	zero := true
	for _, c := range all[start:] {
		zero = zero && c == '0'
	}
	out := make([]byte, 0, len(all)+2)
	if negative && !zero {
		out = append(out, '-')
	}
	out = append(out, all[start:point]...)
	if point < len(all) {
		out = append(append(out, '.'), all[point:]...)
	}
	return string(out)
}
