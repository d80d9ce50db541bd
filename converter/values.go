package converter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// valueList finds the account's spelling of a value.
type valueList struct {
	to    map[string]string // folded From to To
	names []string          // From as written
}

func newValueList(options []Option) (*valueList, error) {
	l := &valueList{to: make(map[string]string, len(options))}
	from := map[string]string{}
	for _, o := range options {
		key := foldText(o.From)
		if key == "" {
			return nil, fmt.Errorf("the list of values has an entry without a text")
		}
		if to, ok := l.to[key]; ok {
			if to != o.To {
				return nil, fmt.Errorf("the values %q and %q differ only in case and spaces, and become %q and %q", from[key], o.From, to, o.To)
			}
			continue
		}
		l.to[key], from[key] = o.To, o.From
		l.names = append(l.names, o.From)
	}
	return l, nil
}

// knows reports that a text is listed.
func (l *valueList) knows(s string) bool {
	if l == nil {
		return false
	}
	_, ok := l.to[foldText(s)]
	return ok
}

// find gives the account's spelling of a text.
func (l *valueList) find(s string) (string, *Problem) {
	var buf [64]byte
	if b, ok := foldASCII(buf[:0], s); ok {
		if v, ok := l.to[string(b)]; ok {
			return v, nil
		}
	} else if v, ok := l.to[foldText(s)]; ok {
		return v, nil
	}
	return "", problem(codeValue, l.hint(s), "%s is not one of the values listed for this field", quote(s))
}

// shownValues is how many known values a hint lists.
const shownValues = 8

func (l *valueList) hint(s string) string {
	var b strings.Builder
	want := foldText(s)
	best, dist := "", max(len(want)/3, 1)+1
	for _, name := range l.names {
		if d := editDistance(want, foldText(name)); d < dist {
			best, dist = name, d
		}
	}
	if best != "" {
		fmt.Fprintf(&b, "did you mean %q? ", best)
	}
	b.WriteString("known values: ")
	for i, name := range l.names {
		if i == shownValues {
			fmt.Fprintf(&b, " and %d more", len(l.names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(name))
	}
	b.WriteString("; add it to values, or give the field a default")
	return b.String()
}

// foldASCII appends s without spaces and in lower case, as foldText would
// give it; false for a text that needs more than that.
func foldASCII(b []byte, s string) ([]byte, bool) {
	if len(s) > cap(b) {
		return nil, false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			return nil, false
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c == ' ' || c >= '\t' && c <= '\r':
			continue
		}
		b = append(b, c)
	}
	return b, true
}

// foldText gives the form by which texts that differ in case, spaces and the
// composition of their accents are equal.
func foldText(s string) string {
	if b, ok := foldASCII(make([]byte, 0, len(s)), s); ok {
		return string(b)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || invisible(r) {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, norm.NFC.String(s))
}

// editDistance counts the letters to change, add or leave out between two
// texts; a swap of neighbours counts one. Long texts are not compared.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return 64
	}
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(x); i++ {
		two, one, now := rows[0], rows[1], rows[2]
		now[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = one, now, two
	}
	return rows[1][len(y)]
}
