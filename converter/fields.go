package converter

import (
	"strings"
	"unicode/utf8"
)

// fields are what a text says about a time.
type fields struct {
	year, month, day     int
	hour, minute, second int
	twoDigits            bool // the year has two digits only
	afternoon, halfDay   bool // halfDay: am or pm was read
	weekday              int  // -1: none was read
	offset               int  // seconds east of UTC, where hasOffset
	hasOffset            bool
}

// wall gives the fields as seconds since 1970, read as if they were UTC.
func (f *fields) wall() int64 {
	return daysFrom(f.year, f.month, f.day)*daySeconds + int64(f.hour*3600+f.minute*60+f.second)
}

// misfit says why a text is not a time. Reasons of one step further into a
// text have higher numbers, so that of several formats the closest one speaks.
type misfit uint8

const (
	fits        misfit = iota
	misshapen          // the text has another form
	badYear2           // a year of two digits that may be of either century
	badMonth           // 13
	badDay             // 31/02
	badTime            // 24:00
	badHalfDay         // 13 pm
	badOffset          // +25:00
	badWeekday         // a Friday that is a Tuesday
	badYear            // 0026
	badEpoch           // seconds for milliseconds
	badSerial          // not a spreadsheet's date
	serialClock        // a time without a day
)

// parse reads text by the pattern's elements.
func (p *pattern) parse(text string, f *fields) misfit {
	*f = fields{weekday: -1}
	i := 0
	for k := range p.elements {
		e := &p.elements[k]
		switch e.op {
		case opLiteral:
			if !strings.HasPrefix(text[i:], e.literal) {
				return misshapen
			}
			i += len(e.literal)
			continue
		case opSpace:
			n := spaces(text[i:])
			if n == 0 {
				return misshapen
			}
			i += n
			continue
		case opMonthName:
			m, n := matchMonth(text[i:])
			if n == 0 {
				return misshapen
			}
			f.month = m
			i += n
			continue
		case opWeekday:
			w, n := matchWeekday(text[i:])
			if n == 0 {
				return misshapen
			}
			f.weekday = w
			i += n
			continue
		case opHalfDay:
			pm, n := matchHalfDay(text[i:])
			if n == 0 {
				return misshapen
			}
			f.afternoon, f.halfDay = pm, true
			i += n
			continue
		case opOffset:
			off, n := matchOffset(text[i:])
			if n == 0 {
				return misshapen
			}
			if off == noOffset {
				return badOffset
			}
			f.offset, f.hasOffset = off, true
			i += n
			continue
		}
		v, n := 0, 0
		for n < e.max && i+n < len(text) {
			c := text[i+n] - '0'
			if c > 9 {
				break
			}
			v = v*10 + int(c)
			n++
		}
		if n < e.min {
			return misshapen
		}
		i += n
		switch e.op {
		case opYear:
			f.year = v
		case opYear2:
			f.year, f.twoDigits = v, true
		case opMonth:
			f.month = v
		case opDay:
			f.day = v
		case opHour, opHour12:
			f.hour = v
		case opMinute:
			f.minute = v
		case opSecond:
			f.second = v
		}
	}
	if i != len(text) {
		return misshapen
	}
	return f.check()
}

// check refuses what no calendar and no clock shows, and completes the rest.
func (f *fields) check() misfit {
	if f.twoDigits {
		switch {
		case f.year <= 29:
			f.year += 2000
		case f.year >= 69:
			f.year += 1900
		default:
			return badYear2
		}
	}
	if f.month < 1 || f.month > 12 {
		return badMonth
	}
	if f.day < 1 || f.day > daysIn(f.year, f.month) {
		return badDay
	}
	if f.halfDay {
		if f.hour < 1 || f.hour > 12 {
			return badHalfDay
		}
		f.hour %= 12
		if f.afternoon {
			f.hour += 12
		}
	}
	if f.hour > 23 || f.minute > 59 || f.second > 59 {
		return badTime
	}
	if f.year < minYear {
		return badYear
	}
	if f.weekday >= 0 && f.weekday != weekdayOf(daysFrom(f.year, f.month, f.day)) {
		return badWeekday
	}
	return fits
}

// isSpace knows the spaces that people and programs put between the parts of
// a time; newer systems write U+202F before AM.
func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\u00a0', '\u202f', '\u2007', '\u2009', '\u3000':
		return true
	}
	return false
}

// spaces gives the length of the spaces at the start of s.
func spaces(s string) int {
	n := 0
	for n < len(s) {
		if s[n] == ' ' {
			n++
			continue
		}
		r, w := utf8.DecodeRuneInString(s[n:])
		if !isSpace(r) {
			break
		}
		n += w
	}
	return n
}

// hasFold reports that s begins with the lower-case ASCII word, in any case.
func hasFold(s, word string) bool {
	if len(s) < len(word) {
		return false
	}
	for i := 0; i < len(word); i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

var monthWords = [13][2]string{{}, {"jan", "uary"}, {"feb", "ruary"}, {"mar", "ch"}, {"apr", "il"}, {"may", ""}, {"jun", "e"},
	{"jul", "y"}, {"aug", "ust"}, {"sep", "tember"}, {"oct", "ober"}, {"nov", "ember"}, {"dec", "ember"}}

// matchMonth reads a month's name, short or full, and gives its length.
func matchMonth(s string) (month, n int) {
	for m := 1; m <= 12; m++ {
		w := &monthWords[m]
		if !hasFold(s, w[0]) {
			continue
		}
		switch {
		case hasFold(s[3:], w[1]):
			return m, 3 + len(w[1])
		case m == 9 && hasFold(s[3:], "t"):
			return m, 4
		}
		return m, 3
	}
	return 0, 0
}

var weekdayWords = [7][]string{{"sunday", "sun"}, {"monday", "mon"}, {"tuesday", "tues", "tue"}, {"wednesday", "wed"},
	{"thursday", "thurs", "thur", "thu"}, {"friday", "fri"}, {"saturday", "sat"}}

func matchWeekday(s string) (day, n int) {
	for d := range weekdayWords {
		for _, w := range weekdayWords[d] {
			if hasFold(s, w) {
				return d, len(w)
			}
		}
	}
	return 0, 0
}

// matchHalfDay reads am, pm, a.m. or p.m. in any case.
func matchHalfDay(s string) (pm bool, n int) {
	switch {
	case hasFold(s, "am"):
		return false, 2
	case hasFold(s, "pm"):
		return true, 2
	case hasFold(s, "a.m."):
		return false, 4
	case hasFold(s, "p.m."):
		return true, 4
	}
	return false, 0
}

// noOffset is the answer for figures that are no offset from UTC.
const noOffset = 1 << 30

// matchOffset reads Z, UTC, GMT, +05:30, +0530 or +05 and gives the seconds east
// of UTC, or noOffset where the figures cannot be one.
func matchOffset(s string) (offset, n int) {
	if s == "" {
		return 0, 0
	}
	switch s[0] {
	case 'Z', 'z':
		return 0, 1
	case 'U', 'u', 'G', 'g':
		if hasFold(s, "utc") || hasFold(s, "gmt") {
			return 0, 3
		}
		return 0, 0
	case '+', '-':
	default:
		return 0, 0
	}
	h, ok := two(s, 1)
	if !ok {
		return 0, 0
	}
	m := 0
	n = 3
	if n < len(s) && s[n] == ':' {
		if m, ok = two(s, 4); !ok {
			return 0, 0
		}
		n = 6
	} else if m, ok = two(s, 3); ok {
		n = 5
	} else {
		m = 0
	}
	// No zone has ever been further from UTC than this.
	if h > 15 || m > 59 {
		return noOffset, n
	}
	offset = h*3600 + m*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, n
}

// two reads exactly two digits at i.
func two(s string, i int) (int, bool) {
	if i+2 > len(s) {
		return 0, false
	}
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return 0, false
	}
	return int(a)*10 + int(b), true
}
