package leadsquared

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// shortestKey is how long a key must be to be looked for: hiding a shorter
	// text would only garble what is logged, and no account has such a key.
	shortestKey = 4
	// longKey is from how many characters on a key is found in disguise, too, and
	// how much of it at the end of a text is hidden: the text may have been cut there.
	longKey = 8
	// mostBetween is how many bytes of blanks and invisible characters may stand
	// between two characters of a key.
	mostBetween = 64
)

// Veil replaces keys in texts by "***", in all the forms in which they come back
// from a server or a proxy: plain, in other case, in a URL, in JSON with
// any escapes, in HTML, in base64 and hexadecimal digits, with blanks and
// invisible characters in between, and cut off at the end of the text.
// The zero Veil hides nothing. It is safe for concurrent use once it is made.
type Veil struct {
	forms []form
	first [utf8.RuneSelf][]uint8 // by the first character: places in forms
	pairs [1 << 16 / 64]uint64   // pairs of bytes with which a form may begin, as bits
}

// form is one way to write a key.
type form struct {
	text   string
	loose  bool   // in any case, and with blanks and invisible characters in between
	base64 bool   // - and _ stand for + and /
	also   string // more characters that may stand in between
	tail   int    // so many characters of it are hidden where a text ends or was cut; 0: only the whole
}

// NewVeil returns a Veil over the keys.
func NewVeil(keys ...Secret) *Veil {
	v := &Veil{}
	v.hide(keys...)
	return v
}

// Format prints "***" for every verb, so that no verb digs out the keys.
func (v *Veil) Format(f fmt.State, _ rune) { io.WriteString(f, "***") }

func (v *Veil) hide(keys ...Secret) {
	for _, k := range keys {
		key := k.reveal()
		if len(key) < shortestKey {
			continue
		}
		// A key may look as if it held escapes: it comes back as it is, too.
		for _, plain := range [...]string{decoded(key), strings.ReplaceAll(key, `\`, "")} {
			if len(plain) < longKey {
				v.add(form{text: plain})
				continue
			}
			v.add(form{text: strings.ToLower(plain), loose: true, tail: longKey})
		}
		if len(key) < longKey {
			continue
		}
		v.add(form{text: hex.EncodeToString([]byte(key)), loose: true, also: ":-,", tail: 2 * longKey})
		// In base64 three bytes are four characters, so that a key inside a longer
		// text looks different by its place; the characters at its ends hold
		// something of its neighbours and are left out.
		for before := range 3 {
			all := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), key...))
			from, to := (before*8+5)/6, (before+len(key))*8/6
			v.add(form{text: strings.ToLower(all[from:to]), loose: true, base64: true, tail: longKey * 4 / 3})
		}
	}
}

func (v *Veil) add(f form) {
	if f.text == "" || len(v.forms) == 256 || slices.ContainsFunc(v.forms, func(g form) bool { return g.text == f.text && g.loose == f.loose }) {
		return
	}
	v.forms = append(v.forms, f)
	// Longest first, so that a key which holds another leaves nothing of itself.
	slices.SortStableFunc(v.forms, func(a, b form) int { return len(b.text) - len(a.text) })
	v.first, v.pairs = [utf8.RuneSelf][]uint8{}, [1 << 16 / 64]uint64{}
	for second := range 256 {
		for _, escape := range `\%&` {
			v.pair(byte(escape), byte(second))
		}
	}
	for i, f := range v.forms {
		firsts := []byte{f.text[0]}
		if f.base64 {
			firsts = append(firsts, urlByte(f.text[0]))
		}
		for _, c := range firsts {
			if !slices.Contains(v.first[c], uint8(i)) {
				v.first[c] = append(v.first[c], uint8(i))
			}
			for second := range 256 {
				if next := byte(second); f.mayFollow(next) {
					v.pair(c, next)
					if f.loose && c >= 'a' && c <= 'z' {
						v.pair(c-'a'+'A', next) // looked up by its small letter
					}
				}
			}
		}
	}
}

func (v *Veil) pair(a, b byte) {
	n := uint(a)<<8 | uint(b)
	v.pairs[n/64] |= 1 << (n % 64)
}

// mayFollow reports whether a byte may stand behind the first of a form.
func (f *form) mayFollow(c byte) bool {
	next := f.text[1]
	switch {
	case c == next, f.base64 && c == urlByte(next), c == '\\', c == '%', c == '&':
		return true
	case !f.loose:
		return false
	}
	return c >= 'A' && c <= 'Z' && c+'a'-'A' == next || c <= ' ' || c >= 0x7f || strings.IndexByte(f.also, c) >= 0
}

// urlByte returns what stands for a character of base64 in URLs.
func urlByte(c byte) byte {
	switch c {
	case '+':
		return '-'
	case '/':
		return '_'
	}
	return c
}

// decoded returns a key as the search reads a text: escapes resolved, and
// without characters that may stand anywhere. Keys are ASCII.
func decoded(key string) string {
	var b strings.Builder
	for i := 0; i < len(key); {
		r, n, _ := unit(key, i)
		if i += n; r < utf8.RuneSelf && !invisible(r) && r != '\\' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Text returns s with "***" in the place of keys.
func (v *Veil) Text(s string) string {
	if at, end := find(v, s, 0); at >= 0 {
		return string(replace(v, s, at, end))
	}
	return s
}

// bytes is Text for bytes; b itself where it holds no key.
func (v *Veil) bytes(b []byte) []byte {
	if at, end := find(v, b, 0); at >= 0 {
		return replace(v, b, at, end)
	}
	return b
}

// Holds reports whether s holds a key.
func (v *Veil) Holds(s string) bool {
	at, _ := find(v, s, 0)
	return at >= 0
}

// bytestring is what is searched.
type bytestring interface{ string | []byte }

func replace[T bytestring](v *Veil, s T, at, end int) []byte {
	var out []byte
	from := 0
	for at >= 0 {
		out = append(append(out, s[from:at]...), "***"...)
		from = end
		at, end = find(v, s, from)
	}
	return append(out, s[from:]...)
}

// find returns the next place of a key from a position on; -1 where there is none.
func find[T bytestring](v *Veil, s T, from int) (at, end int) {
	if v == nil || len(v.forms) == 0 {
		return -1, 0
	}
	for i := from; i+1 < len(s); i++ { // no form is a single byte
		if n := uint(s[i])<<8 | uint(s[i+1]); v.pairs[n/64]&(1<<(n%64)) == 0 {
			continue
		}
		c := s[i]
		if c == '\\' || c == '%' || c == '&' {
			r, _, _ := unit(s, i)
			if r >= utf8.RuneSelf {
				continue
			}
			c = byte(r)
		}
		for {
			for _, k := range v.first[c] {
				if end := match(&v.forms[k], s, i); end > 0 {
					return i, end
				}
			}
			if c < 'A' || c > 'Z' {
				break
			}
			c += 'a' - 'A'
		}
	}
	return -1, 0
}

// match returns where a form that begins at i ends; 0 where none begins there.
func match[T bytestring](f *form, s T, i int) int {
	between := 0
	for k := 0; k < len(f.text); {
		if i == len(s) {
			if f.tail > 0 && k >= f.tail {
				return i
			}
			return 0
		}
		r, n, escaped := unit(s, i)
		c := rune(f.text[k])
		switch {
		case r == c, f.loose && r >= 'A' && r <= 'Z' && r+'a'-'A' == c, f.base64 && (r == '-' && c == '+' || r == '_' && c == '/'):
			k, between = k+1, 0
		case k > 0 && f.loose && between < mostBetween && (escaped || invisible(r) || strings.ContainsRune(f.also, r)):
			between += n
		case f.tail > 0 && k >= f.tail && strings.ContainsRune(`"'<.…*`, r):
			return i // the key was cut off here: the text, or a string in it, ends
		default:
			return 0
		}
		i += n
	}
	return i
}

// invisible reports whether a character may stand between those of a key
// without being seen: blanks, control characters, marks without a width, and
// what stands for bytes that are no text.
func invisible(r rune) bool {
	switch {
	case r <= ' ' || r == 0x7f:
		return true
	case r < 0x80:
		return r == '\\'
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Me, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point) || r == utf8.RuneError
}

// unit reads one character at i, whatever stands for it: itself, a JSON
// escape, a byte of a URL, an HTML entity, each repeatedly escaped, and the two
// latter inside JSON. escaped says that it is a letter behind a backslash that may
// as well stand for a blank, as in \n.
func unit[T bytestring](s T, i int) (r rune, n int, escaped bool) {
	j := i
	for j < len(s) && s[j] == '\\' {
		j++
	}
	if j == len(s) {
		return '\\', j - i, false
	}
	size := 0
	if j > i && s[j] == 'u' {
		if v, ok := hexOf(s, j+1, 4); ok {
			r, size = v, 5
		}
	}
	if size == 0 {
		r, size = runeAt(s, j)
	}
	j += size
	switch r {
	case '%':
		r, j = ofURL(s, j)
	case '&':
		r, j = ofHTML(s, j)
	case 'b', 'f', 'n', 'r', 't', 'v':
		escaped = size == 1 && j-i > 1
	}
	return r, j - i, escaped
}

// ofURL reads what stands behind a percent sign.
func ofURL[T bytestring](s T, j int) (r rune, end int) {
	for has(s, j, "25") {
		j += 2
	}
	if j < len(s) && (s[j] == 'u' || s[j] == 'U') {
		if v, ok := hexOf(s, j+1, 4); ok {
			return v, j + 5
		}
	}
	v, ok := hexOf(s, j, 2)
	if !ok {
		return '%', j
	}
	j += 2
	if v < utf8.RuneSelf {
		return v, j
	}
	several := []byte{byte(v)} // the bytes of one character
	for k := j; len(several) < utf8.UTFMax && !utf8.FullRune(several) && k < len(s) && s[k] == '%'; {
		for k++; has(s, k, "25"); {
			k += 2
		}
		b, ok := hexOf(s, k, 2)
		if !ok {
			break
		}
		k += 2
		several, j = append(several, byte(b)), k
	}
	r, _ = utf8.DecodeRune(several)
	return r, j
}

// ofHTML reads what stands behind an ampersand.
func ofHTML[T bytestring](s T, j int) (r rune, end int) {
	for has(s, j, "amp;") {
		j += len("amp;")
	}
	if j < len(s) && s[j] == '#' {
		if r, end := entity(s, j+1); end > 0 {
			return r, end
		}
	}
	for _, e := range [...]struct {
		name string
		r    rune
	}{{"quot;", '"'}, {"apos;", '\''}, {"lt;", '<'}, {"gt;", '>'}, {"nbsp;", ' '}, {"shy;", '\u00ad'}, {"zwnj;", '\u200c'}, {"zwj;", '\u200d'}} {
		if has(s, j, e.name) {
			return e.r, j + len(e.name)
		}
	}
	return '&', j
}

// entity reads the number of an HTML entity such as 65; or x41; where it ends is 0 for none.
func entity[T bytestring](s T, j int) (r rune, end int) {
	base := rune(10)
	if j < len(s) && (s[j] == 'x' || s[j] == 'X') {
		base = 16
		j++
	}
	for n := 0; n < 8 && j+n < len(s); n++ {
		if s[j+n] == ';' && n > 0 {
			return r, j + n + 1
		}
		d := digit(s[j+n])
		if d < 0 || d >= base || r > unicode.MaxRune {
			break
		}
		r = r*base + d
	}
	return 0, 0
}

func has[T bytestring](s T, i int, word string) bool {
	if len(s)-i < len(word) {
		return false
	}
	for k := range len(word) {
		if s[i+k] != word[k] {
			return false
		}
	}
	return true
}

func hexOf[T bytestring](s T, i, digits int) (v rune, ok bool) {
	if len(s)-i < digits {
		return 0, false
	}
	for k := range digits {
		d := digit(s[i+k])
		if d < 0 {
			return 0, false
		}
		v = v<<4 | d
	}
	return v, true
}

// digit returns the value of a hexadecimal digit; -1 for none.
func digit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c - 'a' + 10)
	case c >= 'A' && c <= 'F':
		return rune(c - 'A' + 10)
	}
	return -1
}

func runeAt[T bytestring](s T, i int) (rune, int) {
	if s[i] < utf8.RuneSelf {
		return rune(s[i]), 1
	}
	return utf8.DecodeRune([]byte(s[i:min(len(s), i+utf8.UTFMax)]))
}
