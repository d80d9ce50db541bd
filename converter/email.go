package converter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths by RFC 5321: a path holds 256 octets with its angle brackets.
const (
	emailMax  = 254
	localMax  = 64
	labelMax  = 63
	emailHint = "write one address of the form name@example.com"
)

// email takes one address. The part before the @ has ASCII letters, digits,
// the signs that RFC 5322 allows unquoted, and single dots inside; the domain has at
// least two labels of letters (of any script) and digits, with hyphens
// inside. It is kept as written: the account compares without case.
func (c *Converter) email(cell Cell) (string, *Problem) {
	s, why := cell.Text, ""
	if !plainEmail(s) {
		why = emailFault(s)
	}
	if why != "" {
		if cell.Kind == TextCell && severalEmails(s) {
			return "", problem(codeEmails, "keep one address in the cell", "%s holds more than one e-mail address", quote(s))
		}
		hint := emailHint
		if i, j := strings.IndexByte(s, '<'), strings.IndexByte(s, '>'); i >= 0 && j > i && emailFault(s[i+1:j]) == "" {
			hint = "write the address alone: " + s[i+1:j]
		} else if rest, ok := strings.CutPrefix(strings.ToLower(s), "mailto:"); ok && emailFault(rest) == "" {
			hint = "write the address without mailto:"
		}
		return "", problem(codeEmail, hint, "%s is not an e-mail address: %s", quote(s), why)
	}
	if c.spec.Case == "lower" {
		s = strings.ToLower(s)
	}
	return s, nil
}

// What a byte may be in an address of ASCII letters.
const (
	inLocal  = 1 << iota // before the @, dots apart
	inDomain             // in a label after it
	isAlpha
)

var emailSigns = func() (signs [256]uint8) {
	for _, c := range []byte("-_+!#$%&'*/=?^`{|}~") {
		signs[c] = inLocal
	}
	signs['-'] |= inDomain
	for c := range signs {
		switch {
		case isLetter(byte(c)):
			signs[c] = inLocal | inDomain | isAlpha
		case '0' <= c && c <= '9':
			signs[c] = inLocal | inDomain
		}
	}
	return signs
}()

// plainEmail recognises the usual address in one walk over its bytes. It only
// ever says yes: what it is not sure of goes to emailFault.
func plainEmail(s string) bool {
	if len(s) > emailMax {
		return false
	}
	i := 0
	for ; i < len(s) && s[i] != '@'; i++ {
		if emailSigns[s[i]]&inLocal == 0 && (s[i] != '.' || i == 0 || s[i-1] == '.') {
			return false
		}
	}
	if i == 0 || i > localMax || i == len(s) || s[i-1] == '.' {
		return false
	}
	i++
	labels, begin, sign := 0, i, uint8(0)
	for ; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			c := emailSigns[s[i]]
			if c&inDomain == 0 {
				return false
			}
			sign |= c
			continue
		}
		if i == begin || i-begin > labelMax || s[begin] == '-' || s[i-1] == '-' {
			return false
		}
		labels++
		if i == len(s) {
			break
		}
		begin, sign = i+1, 0
	}
	return labels >= 2 && sign&isAlpha != 0
}

// severalEmails reports that a text holds two addresses or more.
func severalEmails(s string) bool {
	n := 0
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",;/|& \t\r\n<>", r) }) {
		if emailFault(part) == "" {
			n++
		}
	}
	return n > 1
}

// emailFault says why a text is not an address; "" when it is one.
func emailFault(s string) string {
	at := strings.IndexByte(s, '@')
	switch {
	case at < 0:
		return "there is no @"
	case strings.IndexByte(s[at+1:], '@') >= 0:
		return "there is more than one @"
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "there is a space in it"
	case len(s) > emailMax:
		return "it is longer than 254 characters"
	}
	if why := localFault(s[:at]); why != "" {
		return why
	}
	return domainFault(s[at+1:])
}

func localFault(local string) string {
	switch {
	case local == "":
		return "there is nothing before the @"
	case len(local) > localMax:
		return "the part before the @ is longer than 64 characters"
	case local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return "a dot stands at the wrong place before the @"
	}
	for _, r := range local {
		if r >= utf8.RuneSelf {
			return "there is a letter before the @ that is not ASCII"
		}
		if !isLetter(byte(r)) && (r < '0' || r > '9') && strings.IndexByte(".-_+!#$%&'*/=?^`{|}~", byte(r)) < 0 {
			return "there is a sign before the @ that an address cannot have"
		}
	}
	return ""
}

func domainFault(domain string) string {
	if domain == "" {
		return "there is nothing after the @"
	}
	labels, last := 0, ""
	for rest, more := domain, true; more; labels++ {
		last, rest, more = strings.Cut(rest, ".")
		switch {
		case last == "":
			return "a dot stands at the wrong place after the @"
		case len(last) > labelMax:
			return "a part of the domain is longer than 63 characters"
		case last[0] == '-' || last[len(last)-1] == '-':
			return "a hyphen stands at the wrong place after the @"
		}
		for _, r := range last {
			ok := r == '-' || r < utf8.RuneSelf && (isLetter(byte(r)) || r >= '0' && r <= '9') ||
				r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
			if !ok {
				return "there is a sign after the @ that a domain cannot have"
			}
		}
	}
	if labels < 2 {
		return "the domain has no dot"
	}
	if strings.Trim(last, "0123456789") == "" {
		return "the domain ends in a number"
	}
	return ""
}
