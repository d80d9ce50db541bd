package leadsquared

import (
	"encoding/json"
	"html"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Canonical returns the one form of a value under which what was sent and what
// the account shows of it are equal, so that a hash of it can be compared where
// the value itself is not kept:
//
//   - text: trimmed, blanks and line breaks inside as one blank, lower case, HTML entities resolved;
//   - moments: 2026-01-31 10:30:00 for all the forms in which answers carry them
//     (milliseconds, T and Z, month first with AM and PM, /Date(ms)/), a date alone with 00:00:00;
//   - numbers: 3 for 3.00 and 3.0, 1234.5 for 1,234.50; a text that begins with a zero stays a text;
//   - booleans: 1 for true and yes, 0 for false and no;
//   - phones: the digits of +91-9876543210;
//   - several options: without blanks around the semicolons;
//   - a set of fields as JSON: its names in order, its values in their canonical form.
//
// Two values with one canonical form are the same for SameValue. The reverse
// does not hold: an account that rounds, cuts or completes a value has made
// another one of it, and only SameValue, which sees both, can say so.
func Canonical(value string) string {
	s := oneLine(value)
	if s == "" {
		return ""
	}
	if strings.IndexByte(s, '&') >= 0 {
		s = oneLine(html.UnescapeString(s))
	}
	switch c := s[0]; {
	case c >= '0' && c <= '9' || c == '-':
		if n, ok := canonicalNumber(s); ok {
			return n
		}
		if t, ok := canonicalTime(s); ok {
			return t
		}
	case c == '/':
		if t, ok := canonicalTime(s); ok {
			return t
		}
	case c == '+':
		if storedPhone().MatchString(s) {
			return digitsOf(s)
		}
	case c == '{' || c == '[':
		if set, ok := canonicalSet(s); ok {
			return set
		}
	}
	s = strings.ToLower(s)
	if v, ok := flagOf(s); ok {
		if v {
			return "1"
		}
		return "0"
	}
	if strings.IndexByte(s, ';') >= 0 {
		parts := strings.Split(strings.TrimRight(s, "; "), ";")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		s = strings.Join(parts, ";")
	}
	return s
}

// AsSent returns a value that the account has shown in the form in which values are
// sent, so that it can be written back. sent is another value of the same field as
// it was sent, and says of which kind the field is; "" is not known. Answers carry
// moments in several forms of which calls take one, without milliseconds
// (vendor's page), amounts in groups, and texts with HTML entities.
func AsSent(shown, sent string) string {
	const moment = "2006-01-02 15:04:05"
	if t, ok := parseTime(shown); ok {
		_, whole := canonicalTime(sent)
		switch {
		case len(sent) == len(time.DateOnly) && whole && t.Equal(t.Truncate(24*time.Hour)):
			return t.Format(time.DateOnly)
		case whole, sent == "" && len(shown) > len(time.DateOnly):
			return t.Format(moment)
		}
	}
	if _, number := canonicalNumber(sent); (number || sent == "") && (groupedNumber().MatchString(shown) || powerNumber().MatchString(shown)) {
		if n, ok := canonicalNumber(shown); ok {
			return n
		}
	}
	return html.UnescapeString(shown)
}

// oneLine trims a text and makes one blank of all blanks in a row.
func oneLine(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x80 || c < ' ' || c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// canonicalNumber reads plain digits, digits in groups, and powers of ten.
func canonicalNumber(s string) (string, bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || len(s) > 80 || point && fraction == "" {
		return "", false
	}
	if !allDigits(whole) || !allDigits(fraction) {
		switch {
		case groupedNumber().MatchString(s):
			return canonicalNumber(strings.ReplaceAll(s, ",", ""))
		case powerNumber().MatchString(s):
			n, ok := new(big.Rat).SetString(s)
			if !ok {
				return "", false
			}
			return canonicalNumber(n.FloatString(60))
		}
		return "", false
	}
	if zeroLed(s) {
		return "", false
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		whole += "." + fraction
	}
	if whole != "0" && len(digits) < len(s) {
		return "-" + whole, true
	}
	return whole, true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func canonicalTime(s string) (string, bool) {
	const form = "2006-01-02 15:04:05"
	if len(s) == len(form) && s[4] == '-' && s[7] == '-' && s[10] == ' ' && s[13] == ':' && s[16] == ':' {
		return s, true // as values are sent, or a text that is its own form
	}
	if len(s) < len("1/2/2006 3:04") || len(s) > 40 {
		if len(s) != len(time.DateOnly) || s[4] != '-' {
			return "", false
		}
	}
	if t, ok := parseTime(s); ok {
		return t.Truncate(time.Second).Format(form), true
	}
	return "", false
}

// canonicalSet reads the JSON text that a set of fields comes back as.
func canonicalSet(s string) (string, bool) {
	doc, ok := parseJSON([]byte(s))
	if !ok {
		return "", false
	}
	var b strings.Builder
	writeSet(&b, doc)
	return b.String(), true
}

func writeSet(b *strings.Builder, v any) {
	switch v := v.(type) {
	case object:
		// A set as it is sent is a list of name and value pairs, as it is read an object.
		pairs := make([][2]string, 0, len(v.members))
		for _, m := range v.members {
			pairs = append(pairs, [2]string{strings.ToLower(m.name), setText(m.value)})
		}
		writePairs(b, pairs)
	case []any:
		pairs := make([][2]string, 0, len(v))
		for _, e := range v {
			o, ok := e.(object)
			name := ""
			if ok {
				name = o.text("SchemaName", "Key", "Attribute", "Name")
			}
			if name == "" {
				b.WriteByte('[')
				for _, e := range v {
					b.WriteString(setText(e))
					b.WriteByte(',')
				}
				b.WriteByte(']')
				return
			}
			pairs = append(pairs, [2]string{strings.ToLower(name), setText(o.get("Value"))})
		}
		writePairs(b, pairs)
	default:
		b.WriteString(setText(v))
	}
}

func writePairs(b *strings.Builder, pairs [][2]string) {
	slices.SortFunc(pairs, func(x, y [2]string) int { return strings.Compare(x[0], y[0]) })
	b.WriteByte('{')
	for _, p := range pairs {
		if p[1] == "" {
			continue // a field of a set without a value comes back or not
		}
		name, _ := json.Marshal(p[0])
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(p[1])
		b.WriteByte(',')
	}
	b.WriteByte('}')
}

// setText is a value inside a set.
func setText(v any) string {
	switch v.(type) {
	case object, []any:
		var b strings.Builder
		writeSet(&b, v)
		return b.String()
	}
	return Canonical(text(v))
}
