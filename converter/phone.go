package converter

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// phoneReader converts the phones of one field.
type phoneReader struct {
	region string
	plan   *numberPlan // nil without a region, or where the library alone knows
}

// regionNames are what people write for a region's code.
var regionNames = map[string]string{"UK": "GB", "INDIA": "IN", "USA": "US", "UAE": "AE", "IND": "IN", "SINGAPORE": "SG"}

func newPhoneReader(region string) (*phoneReader, error) {
	code := strings.ToUpper(strings.TrimSpace(region))
	if code != "" && !phonenumbers.GetSupportedRegions()[code] {
		if meant := regionNames[code]; meant != "" {
			return nil, fmt.Errorf("unknown region %q; did you mean %q?", region, meant)
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(code, "+")); err == nil {
			if meant := phonenumbers.GetRegionCodeForCountryCode(n); phonenumbers.GetSupportedRegions()[meant] {
				return nil, fmt.Errorf("unknown region %q; did you mean %q?", region, meant)
			}
		}
		return nil, fmt.Errorf("unknown region %q; write a country's two letters, such as IN", region)
	}
	r := &phoneReader{region: code}
	if code != "" {
		r.plan = planFor(code)
	}
	return r, nil
}

const phoneHint = "write the number with its country code, such as +91 98765 43210"

// convert gives a cell as the account stores phones, +91-9876543210, or
// perhaps nothing for a valid one where dry.
func (r *phoneReader) convert(cell Cell, dry bool) (string, *Problem) {
	if cell.Kind == BoolCell || cell.Kind == DateCell {
		return "", problem(codeKind, "format the cell as text and type the number again", "the cell holds no phone number (%s)", clip(cell.Text))
	}
	var out [longestNumber + 8]byte
	if b, ok := r.quick(out[:0], cell.Text); ok {
		if dry {
			return "", nil
		}
		return string(b), nil
	}
	s, p := r.tidy(cell.Text)
	if p != nil {
		return "", p
	}
	if cell.Kind == NumberCell && !allDigits(s) {
		return "", problem(codePhoneForm, "format the column as text and type the number again", "the number %s is not a phone number", clip(cell.Text))
	}
	n, err := phonenumbers.Parse(s, r.region)
	if err != nil {
		return "", problem(codePhoneForm, phoneHint, "%s is not a phone number", quote(cell.Text))
	}
	if n.GetExtension() != "" {
		return "", extension(cell.Text)
	}
	if !phonenumbers.IsValidNumber(n) {
		return "", r.invalid(cell.Text, n)
	}
	return "+" + strconv.Itoa(int(n.GetCountryCode())) + "-" + phonenumbers.GetNationalSignificantNumber(n), nil
}

// quick appends the usual writings of a valid number: digits, with spaces,
// hyphens and parentheses between them and perhaps a plus in front. Points are
// left to tidy, which knows 919876543210.0 for the float that it is.
func (r *phoneReader) quick(dst []byte, text string) ([]byte, bool) {
	if len(text) > 2*longestNumber || text == "" || text[0] == '-' {
		return nil, false
	}
	var buf [2 * longestNumber]byte
	digits := buf[:0]
	plus := text[0] == '+'
	i := 0
	if plus {
		i = 1
	}
	last := byte(' ')
	for ; i < len(text); i++ {
		last = text[i]
		switch {
		case last-'0' <= 9:
			digits = append(digits, last)
		case last == ' ' || last == '-' || last == '(' || last == ')':
		default:
			return nil, false
		}
	}
	if last-'0' > 9 {
		return nil, false
	}
	plan := r.plan
	if plus {
		plan = r.abroad(digits)
	}
	if plan == nil {
		return nil, false
	}
	national, ok := plan.national(digits, plus)
	if !ok {
		return nil, false
	}
	dst = append(append(append(dst, '+'), plan.country...), '-')
	return append(dst, national...), true
}

// abroad gives the plan of the calling code with which digits begin.
func (r *phoneReader) abroad(digits []byte) *numberPlan {
	if r.plan != nil && r.plan.main && bytes.HasPrefix(digits, []byte(r.plan.country)) {
		return r.plan
	}
	code := 0
	for _, c := range digits[:min(3, len(digits))] {
		code = code*10 + int(c-'0')
		// No calling code is the beginning of another.
		if regions := phonenumbers.GetRegionCodesForCountryCode(code); len(regions) > 0 {
			return planFor(regions[0])
		}
	}
	return nil
}

func extension(text string) *Problem {
	return problem(codeExtension, "put the extension into another column: the account keeps the number alone",
		"%s has an extension", quote(text))
}

// invalid says what is wrong with a number that no network has.
func (r *phoneReader) invalid(text string, n *phonenumbers.PhoneNumber) *Problem {
	why := "no network of its country has such a number"
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		why = "it has too few digits"
	case phonenumbers.TOO_LONG:
		why = "it has too many digits"
	}
	if few, many := usualLengths(int(n.GetCountryCode())); few > 0 {
		switch digits := len(phonenumbers.GetNationalSignificantNumber(n)); {
		case digits < few:
			why = fmt.Sprintf("it has too few digits: %d, and numbers there have %s", digits, fromTo(few, many))
		case digits > many:
			why = fmt.Sprintf("it has too many digits: %d, and numbers there have %s", digits, fromTo(few, many))
		}
	}
	country := "+" + strconv.Itoa(int(n.GetCountryCode()))
	return problem(codePhone, "correct the number; "+phoneHint,
		"%s is not a valid phone number of %s: %s", quote(text), country, why)
}

// tidy takes off what surrounds a number and refuses what the library would
// guess at: letters, second numbers, scientific notation.
func (r *phoneReader) tidy(text string) (string, *Problem) {
	s := strings.Map(func(c rune) rune {
		if invisible(c) || joiner(c) {
			return -1
		}
		return c
	}, text)
	// Excel's mark for text survives some exports, and so does a separator
	// behind the last of several numbers.
	s = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(s), "'"))
	s = strings.TrimFunc(s, func(c rune) bool { return c == ';' || c == ',' || c == '|' || c == '/' || c == '&' || isSpace(c) })
	if looksScientific(s, true) || looksScientificLoose(s) {
		return "", problem(codePhoneSci,
			"format the column as a number without decimals (or as text) in the spreadsheet and save anew; digits are lost in this file",
			"%s is a number in scientific notation, as Excel shows long ones", quote(text))
	}
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "\u2212") {
		return "", problem(codePhoneForm,
			"format the column as text and type the number again: a spreadsheet takes +91-9876543210 for a formula and shows its result",
			"%s begins with a minus and is not a phone number", quote(text))
	}
	// A float written by a program: 919876543210.0.
	if whole, zeros, ok := strings.Cut(s, "."); ok && strings.Trim(zeros, "0") == "" && zeros != "" && allDigits(strings.TrimPrefix(whole, "+")) {
		s = whole
	}
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	digits, plus := 0, false
	for i, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '+' || c == '\uff0b':
			if plus || digits > 0 {
				return "", several(text)
			}
			plus = true
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || isSpace(c) && c != '\n' && c != '\r' || unicode.Is(unicode.Pd, c) || c == '\u2212':
		case c == '/':
			// 030/123456 has an area code before the slash; 98765/43210 are two.
			if !areaCode(s[:i]) || strings.ContainsRune(s[i+1:], '/') {
				return "", several(text)
			}
		case c == ',' || c == ';' || c == '|' || c == '&' || c == '\n' || c == '\r':
			return "", several(text)
		default:
			if digits >= 5 && isExtension(s[i:]) {
				return "", extension(text)
			}
			return "", problem(codePhoneForm, phoneHint, "%s is not a phone number: it has %q in it", quote(text), c)
		}
	}
	if digits == 0 {
		return "", problem(codePhoneForm, phoneHint, "%s is not a phone number: it has no digits", quote(text))
	}
	if r.region == "" && !plus {
		return "", problem(codeRegion, "set the field's region, such as region: IN, or write the number with its country code",
			"%s has no country code, and the field has no region", quote(text))
	}
	return s, nil
}

func several(text string) *Problem {
	return problem(codePhones, "keep one number in the cell", "%s seems to hold more than one phone number", quote(text))
}

// areaCode reports that what stands before a slash is a trunk or country
// code with an area, not a number of its own.
func areaCode(s string) bool {
	n := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	s = strings.TrimLeft(s, "( ")
	return n <= 5 && strings.HasPrefix(s, "0") || n <= 7 && strings.HasPrefix(s, "+")
}

// isExtension knows ext 12, extn. 12, x12 and #12.
func isExtension(s string) bool {
	s = strings.ToLower(s)
	for _, word := range [...]string{"extension", "extn", "ext", "x", "#"} {
		if rest, ok := strings.CutPrefix(s, word); ok {
			rest = strings.TrimLeft(rest, " .:")
			return rest != "" && rest[0]-'0' <= 9
		}
	}
	return false
}

// usualLengths returns how many digits the mobile and fixed-line numbers of a
// calling code have, the code itself left out; 0 where it is not known. The
// library counts service numbers too, so that 8 digits are possible in India.
func usualLengths(code int) (few, many int) {
	m, err := phonenumbers.MetadataCollection()
	if err != nil {
		return 0, 0
	}
	region := phonenumbers.GetRegionCodeForCountryCode(code)
	for _, r := range m.GetMetadata() {
		if r.GetId() != region {
			continue
		}
		for _, kind := range []*phonenumbers.PhoneNumberDesc{r.GetMobile(), r.GetFixedLine()} {
			for _, n := range kind.GetPossibleLength() {
				if n > 0 && (few == 0 || int(n) < few) {
					few = int(n)
				}
				many = max(many, int(n))
			}
		}
	}
	return few, many
}

func fromTo(few, many int) string {
	if few == many {
		return strconv.Itoa(few)
	}
	return strconv.Itoa(few) + " to " + strconv.Itoa(many)
}
