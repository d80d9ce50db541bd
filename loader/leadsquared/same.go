package leadsquared

import (
	"html"
	"math/big"
	"strings"
	"time"
)

// SameValue reports whether a value that the account gives back is the one that
// was sent. Accounts give values back in other clothes:
//
//   - text: trimmed, with other line breaks or fewer blanks, in other case (options, e-mail
//     addresses), with & as an HTML entity, or cut after 200 characters or more;
//   - dates: with milliseconds, with T and Z, as 12/31/2025 6:00:00 PM
//     (month first), and a date alone with 00:00:00 behind it;
//   - numbers: 3.00 for 3, with thousands separators, and rounded where
//     the account keeps two or more decimals; 3 is never 30;
//   - booleans: true is True, 1 and yes;
//   - phones: +91-9876543210 with or without plus, hyphen and country code;
//   - several options: the same ones with other blanks around the semicolons.
//
// A text that begins with a zero, such as the id 0123, is not the number 123:
// it is the same as "0123" only, or as "123.00", whose decimals show that the
// account keeps a number there. Two empty values are the same.
func SameValue(sent, got string) bool {
	if sent == got {
		return true
	}
	s, g := plainText(sent), plainText(got)
	if s == g || strings.EqualFold(s, g) {
		return true
	}
	if s == "" || g == "" {
		return false
	}
	if u := plainText(html.UnescapeString(g)); u != g && strings.EqualFold(s, u) {
		return true
	}
	return sameTime(s, g) || sameNumber(s, g) || sameFlag(s, g) || samePhone(s, g) || sameOptions(s, g) || cutOff(s, g)
}

var otherBlanks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ")

// plainText trims and gives line breaks and blanks one form, the same whatever
// blanks stand around the text.
func plainText(s string) string {
	if s = strings.TrimSpace(s); !strings.ContainsAny(s, "\r\n\u00a0") {
		return s
	}
	s = otherBlanks.Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ") // blanks inside come back collapsed too
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// sameTime compares instants where what was sent has the API's own form, so
// that a text which merely looks like some date is never read as one.
func sameTime(sent, got string) bool {
	var t time.Time
	var err error
	switch len(sent) {
	case len("2006-01-02 15:04:05"):
		t, err = time.Parse("2006-01-02 15:04:05", sent)
	case len("2006-01-02"):
		t, err = time.Parse("2006-01-02", sent)
	default:
		return false
	}
	if err != nil {
		return false
	}
	g, ok := parseTime(got)
	return ok && g.Truncate(time.Second).Equal(t)
}

var (
	plainNumber   = lazily(`^-?\d{1,40}(\.\d{1,40})?$`)
	groupedNumber = lazily(`^-?\d{1,3}(,\d{2,3})*,\d{3}(\.\d{1,40})?$`)
	powerNumber   = lazily(`^-?\d(\.\d{1,40})?[eE][+-]?\d{1,2}$`)
)

func sameNumber(sent, got string) bool {
	if s, plain := canonicalNumber(sent); plain { // which most are
		if g, ok := canonicalNumber(got); ok && s == g {
			return true
		}
	}
	if !plainNumber().MatchString(sent) {
		return false
	}
	if groupedNumber().MatchString(got) {
		got = strings.ReplaceAll(got, ",", "")
	}
	if !plainNumber().MatchString(got) && !powerNumber().MatchString(got) {
		return false
	}
	if zeroLed(sent) != zeroLed(got) && (zeroLed(got) || !strings.Contains(got, ".")) {
		return false
	}
	s, ok1 := new(big.Rat).SetString(sent)
	g, ok2 := new(big.Rat).SetString(got)
	if !ok1 || !ok2 {
		return false
	}
	if s.Cmp(g) == 0 {
		return true
	}
	// Rounded by the account: fewer decimals than were sent, and two at least.
	kept := decimals(got)
	if kept < 2 || kept >= decimals(sent) {
		return false
	}
	unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(kept)), nil))
	return new(big.Rat).Abs(new(big.Rat).Sub(s, g)).Cmp(unit) < 0
}

// zeroLed reports a number that is written like an id: 0123, but not 0 and 0.5.
func zeroLed(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return len(s) > 1 && s[0] == '0' && s[1] != '.'
}

func decimals(s string) int {
	_, frac, _ := strings.Cut(s, ".")
	if strings.ContainsAny(frac, "eE") {
		return 0
	}
	return len(frac)
}

// sameFlag knows that booleans are written true and read 1 (field report).
func sameFlag(sent, got string) bool {
	s, ok1 := flagOf(sent)
	g, ok2 := flagOf(got)
	return ok1 && ok2 && s == g
}

func flagOf(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true", "1", "yes":
		return true, true
	case "false", "0", "no":
		return false, true
	}
	return false, false
}

var (
	storedPhone = lazily(`^\+(\d{1,3})-(\d{4,14})$`) // the account's own form
	anyPhone    = lazily(`^\+?[\d\s().-]{5,24}$`)
	bareDigits  = lazily(`^\d{7,15}$`)
)

func samePhone(sent, got string) bool {
	if m := storedPhone().FindStringSubmatch(sent); m != nil {
		if !anyPhone().MatchString(got) {
			return false
		}
		d := digitsOf(got)
		return d == m[1]+m[2] || d == m[2] && !strings.HasPrefix(got, "+")
	}
	// A country code that the account put in front by itself.
	m := storedPhone().FindStringSubmatch(got)
	return m != nil && (bareDigits().MatchString(sent) && (sent == m[2] || sent == m[1]+m[2]) ||
		strings.HasPrefix(sent, "+") && anyPhone().MatchString(sent) && digitsOf(sent) == m[1]+m[2])
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// sameOptions compares the values of a field that takes several.
func sameOptions(sent, got string) bool {
	if !strings.Contains(sent, ";") || !strings.Contains(got, ";") {
		return false
	}
	a, b := strings.Split(strings.TrimRight(sent, "; "), ";"), strings.Split(strings.TrimRight(got, "; "), ";")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !strings.EqualFold(strings.TrimSpace(a[i]), strings.TrimSpace(b[i])) {
			return false
		}
	}
	return true
}

// longText is from how many characters on a text may have been cut by the account:
// its shortest text fields hold 200.
const longText = 200

func cutOff(sent, got string) bool {
	return len(got) < len(sent) && strings.HasPrefix(sent, got) && len([]rune(got)) >= longText-1
}
