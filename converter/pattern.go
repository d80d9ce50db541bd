package converter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// op is what one element of a pattern reads.
type op uint8

const (
	opLiteral op = iota
	opSpace
	opYear
	opYear2
	opMonth
	opMonthName
	opDay
	opHour
	opHour12
	opMinute
	opSecond
	opFraction
	opHalfDay
	opWeekday
	opOffset
)

// element is one part of a pattern.
type element struct {
	op       op
	min, max int    // digits
	literal  string // opLiteral
}

// pattern is a compiled format, or one of the words that stand for one.
type pattern struct {
	source   string
	word     word
	elements []element
	has      [opOffset + 1]bool
	allDigit bool // nothing but digits: number cells can hold it
	dayMonth bool // day and month are both figures and the year does not come first
}

type word uint8

const (
	noWord word = iota
	wordISO
	wordEpoch
	wordEpochMillis
	wordExcel
)

var words = map[string]word{"iso": wordISO, "epoch": wordEpoch, "epoch-ms": wordEpochMillis, "excel": wordExcel}

// letterOps are the runs of letters that mean something.
var letterOps = map[string]element{
	"yyyy": {op: opYear, min: 4, max: 4},
	"yy":   {op: opYear2, min: 2, max: 2},
	"MMMM": {op: opMonthName},
	"MMM":  {op: opMonthName},
	"MM":   {op: opMonth, min: 2, max: 2},
	"M":    {op: opMonth, min: 1, max: 2},
	"dd":   {op: opDay, min: 2, max: 2},
	"d":    {op: opDay, min: 1, max: 2},
	"EEEE": {op: opWeekday},
	"EEE":  {op: opWeekday},
	"HH":   {op: opHour, min: 2, max: 2},
	"H":    {op: opHour, min: 1, max: 2},
	"hh":   {op: opHour12, min: 2, max: 2},
	"h":    {op: opHour12, min: 1, max: 2},
	"mm":   {op: opMinute, min: 2, max: 2},
	"m":    {op: opMinute, min: 1, max: 2},
	"ss":   {op: opSecond, min: 2, max: 2},
	"s":    {op: opSecond, min: 1, max: 2},
	"SSS":  {op: opFraction, min: 3, max: 3},
	"a":    {op: opHalfDay},
	"Z":    {op: opOffset},
}

// instead maps what other programs write to the vendor's letters.
var instead = map[string]string{
	"YYYY": "yyyy", "YY": "yy", "Y": "yyyy", "y": "yyyy", "yyy": "yyyy", "yyyyy": "yyyy", "u": "yyyy", "uuuu": "yyyy",
	"D": "d", "DD": "dd", "DDD": "EEE", "DDDD": "EEEE", "ddd": "EEE", "dddd": "EEEE",
	"E": "EEE", "EE": "EEE", "EEEEE": "EEE", "e": "EEE", "c": "EEE",
	"L": "M", "LL": "MM", "LLL": "MMM", "LLLL": "MMMM", "Mon": "MMM", "MON": "MMM", "mon": "MMM", "mmm": "MMM", "mmmm": "MMMM", "MMMMM": "MMM",
	"A": "a", "AA": "a", "aa": "a", "aaa": "a", "tt": "a", "t": "a", "p": "a", "AM": "a", "PM": "a", "am": "a", "pm": "a",
	"k": "H", "kk": "HH", "K": "h", "KK": "hh",
	"S": "SSS", "SS": "SSS", "f": "SSS", "ff": "SSS", "fff": "SSS", "sss": "SSS",
	"X": "Z", "XX": "Z", "XXX": "Z", "x": "Z", "xx": "Z", "xxx": "Z", "ZZ": "Z", "ZZZ": "Z", "ZZZZ": "Z", "ZZZZZ": "Z", "zzz": "Z",
	"z": "Z", "O": "Z", "V": "Z", "VV": "Z", "T": "'T'",
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// compilePattern compiles one format.
func compilePattern(source string) (*pattern, error) {
	p := &pattern{source: source}
	if w, ok := words[strings.ToLower(strings.TrimSpace(source))]; ok {
		p.word = w
		p.allDigit = w != wordISO
		return p, nil
	}
	if i := strings.IndexByte(source, '%'); i >= 0 && i+1 < len(source) && isLetter(source[i+1]) {
		return nil, fmt.Errorf("format %q: %q is another program's way; write dd/MM/yyyy HH:mm:ss", source, source[i:i+2])
	}
	if err := p.split(strings.TrimSpace(source)); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.widths()
	return p, nil
}

// split cuts a pattern into elements.
func (p *pattern) split(s string) error {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\'':
			text, rest, err := quoted(s[i:])
			if err != nil {
				return fmt.Errorf("format %q: %w", p.source, err)
			}
			p.literal(text)
			i = len(s) - len(rest)
		case isLetter(c):
			// Whole words are looked up first, so that the M of "Mon" is no month.
			if i == 0 || !isLetter(s[i-1]) {
				k := i
				for k < len(s) && isLetter(s[k]) {
					k++
				}
				if meant, ok := instead[s[i:k]]; ok {
					return p.meant(s[i:k], meant)
				}
			}
			j := i + 1
			for j < len(s) && s[j] == c {
				j++
			}
			run := s[i:j]
			e, ok := letterOps[run]
			if !ok {
				return p.unknown(run)
			}
			if p.has[e.op] {
				return p.twice(run)
			}
			p.has[e.op] = true
			p.elements = append(p.elements, e)
			i = j
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if isSpace(r) {
				p.space()
			} else {
				p.literal(s[i : i+n])
			}
			i += n
		}
	}
	return nil
}

// quoted reads 'text' at the start of s; a quote written twice is one quote.
func quoted(s string) (text, rest string, err error) {
	if strings.HasPrefix(s, "''") {
		return "'", s[2:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), s[i+1:], nil
	}
	return "", "", fmt.Errorf("the quote before %q is not closed", s[1:])
}

// literal adds text that must stand in the cell, a space in it matching as it
// does elsewhere.
func (p *pattern) literal(text string) {
	for text != "" {
		i := strings.IndexFunc(text, isSpace)
		if i != 0 {
			if i < 0 {
				i = len(text)
			}
			if k := len(p.elements); k > 0 && p.elements[k-1].op == opLiteral {
				p.elements[k-1].literal += text[:i]
			} else {
				p.elements = append(p.elements, element{op: opLiteral, literal: text[:i]})
			}
			text = text[i:]
			continue
		}
		p.space()
		text = strings.TrimLeftFunc(text, isSpace)
	}
}

// space adds a space; one stands for several.
func (p *pattern) space() {
	if k := len(p.elements); k == 0 || p.elements[k-1].op != opSpace {
		p.elements = append(p.elements, element{op: opSpace})
	}
}

// unknown names the letters that mean nothing and what was probably meant.
func (p *pattern) unknown(run string) error {
	if meant, ok := instead[run]; ok {
		return p.meant(run, meant)
	}
	if meant, ok := instead[run[:1]]; ok {
		return p.meant(run, meant)
	}
	if len(run) > 1 {
		for n := len(run) - 1; n > 0; n-- {
			if _, ok := letterOps[run[:n]]; ok {
				return p.meant(run, run[:n])
			}
		}
	}
	return fmt.Errorf("format %q: unknown letter %q; the letters are yyyy MM dd HH hh mm ss SSS a EEE Z, and text goes in 'quotes'", p.source, run)
}

func (p *pattern) meant(run, meant string) error {
	switch {
	case strings.Trim(run, "z") == "":
		return fmt.Errorf("format %q: %q is a zone's name, and names such as IST mean several zones; write Z for an offset such as +05:30, or set the timezone", p.source, run)
	case run == "T":
		return fmt.Errorf("format %q: unknown letter \"T\"; write 'T' in quotes, or the format iso", p.source)
	}
	return fmt.Errorf("format %q: unknown letters %q; did you mean %q?", p.source, run, meant)
}

// twice explains a second element of the same kind, mostly MM for minutes.
func (p *pattern) twice(run string) error {
	switch run {
	case "MM", "M":
		return fmt.Errorf("format %q: %q is the month and stands there twice; minutes are \"mm\"", p.source, run)
	case "mm", "m":
		return fmt.Errorf("format %q: %q is the minutes and stands there twice; months are \"MM\"", p.source, run)
	}
	return fmt.Errorf("format %q: %q stands there twice", p.source, run)
}

// check refuses patterns that cannot give a day, or that leave a time open.
func (p *pattern) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("format %q: %s", p.source, fmt.Sprintf(format, args...))
	}
	h := &p.has
	month := h[opMonth] || h[opMonthName]
	switch {
	case len(p.elements) == 0:
		return fmt.Errorf("a format is empty: write one such as dd/MM/yyyy")
	case h[opMonth] && h[opMonthName]:
		return bad("the month stands there twice")
	case h[opYear] && h[opYear2]:
		return bad("the year stands there twice")
	case h[opHour] && h[opHour12]:
		return bad("the hour stands there twice")
	case !month && h[opMinute]:
		return bad("there is no month, and \"mm\" is the minutes; months are \"MM\"")
	case !h[opYear] && !h[opYear2]:
		return bad("there is no year (yyyy)")
	case !month:
		return bad("there is no month (MM)")
	case !h[opDay]:
		return bad("there is no day (dd)")
	case h[opHour12] && !h[opHalfDay]:
		return bad("\"hh\" counts to 12 and needs \"a\" for am and pm; the hour from 0 to 23 is \"HH\"")
	case h[opHalfDay] && !h[opHour12]:
		return bad("\"a\" for am and pm needs the hour from 1 to 12, \"hh\"")
	case h[opMinute] && !h[opHour] && !h[opHour12]:
		return bad("there are minutes and no hour (HH)")
	case h[opSecond] && !h[opMinute]:
		return bad("there are seconds and no minutes (mm)")
	case h[opFraction] && !h[opSecond]:
		return bad("there are milliseconds and no seconds (ss)")
	}
	for i, e := range p.elements[:len(p.elements)-1] {
		next := p.elements[i+1]
		switch {
		case e.max > e.min && next.digits():
			return bad("with one letter for a number of one or two digits and another number right behind it, a text can be read in two ways; use two letters")
		case e.op == opOffset && next.digits():
			return bad("with a number right behind the offset Z, a text can be read in two ways; put a space between them")
		case e.name() && (next.name() || next.op == opLiteral && isLetter(next.literal[0])):
			return bad("with letters right behind the name of a month or day, a text can be read in two ways; put a space between them")
		}
	}
	return nil
}

// name reports that an element reads the name of a month or of a day.
func (e element) name() bool { return e.op == opMonthName || e.op == opWeekday }

// digits reports that an element begins with a digit in the cell.
func (e element) digits() bool {
	return e.max > 0 || e.op == opLiteral && e.literal[0] >= '0' && e.literal[0] <= '9'
}

// widths lets MM, dd, HH and hh take a single digit where a sign follows that
// ends it: people's files have 1/2/2026 under dd/MM/yyyy.
func (p *pattern) widths() {
	p.allDigit = true
	year, day, month := -1, -1, -1
	for i := range p.elements {
		e := &p.elements[i]
		if e.max == 0 {
			p.allDigit = false
		}
		last := i == len(p.elements)-1
		switch e.op {
		case opYear, opYear2:
			year = i
		case opDay:
			day = i
		case opMonth:
			month = i
		}
		switch e.op {
		case opDay, opMonth, opHour, opHour12:
			before := i > 0 && p.elements[i-1].digits()
			if !before && (last || !p.elements[i+1].digits()) {
				e.min = 1
			}
		}
	}
	p.dayMonth = day >= 0 && month >= 0 && !(year < day && year < month)
}

// render writes a time in the pattern: the sample that a hint shows, and the
// probe with which two formats are held against each other.
func (p *pattern) render(f *fields) string {
	wall := f.wall()
	var b []byte
	switch p.word {
	case wordISO:
		b = appendDateTime(b, wall)
		b[10] = 'T'
		return string(b)
	case wordEpoch:
		return fmt.Sprint(wall)
	case wordEpochMillis:
		return fmt.Sprint(wall * 1000)
	case wordExcel:
		days, secs := splitDay(wall)
		if secs == 0 {
			return fmt.Sprint(days + excelEpoch)
		}
		return fmt.Sprint(days+excelEpoch) + strings.TrimPrefix(fmt.Sprintf("%.10f", float64(secs)/daySeconds), "0")
	}
	num := func(n int, e element) { b = fmt.Appendf(b, "%0*d", e.max, n) }
	for _, e := range p.elements {
		switch e.op {
		case opLiteral:
			b = append(b, e.literal...)
		case opSpace:
			b = append(b, ' ')
		case opYear:
			num(f.year, e)
		case opYear2:
			num(f.year%100, e)
		case opMonth:
			num(f.month, e)
		case opMonthName:
			name := monthNames[f.month]
			if strings.Contains(p.source, "MMMM") {
				b = append(b, name...)
			} else {
				b = append(b, name[:3]...)
			}
		case opDay:
			num(f.day, e)
		case opHour:
			num(f.hour, e)
		case opHour12:
			num((f.hour+11)%12+1, e)
		case opMinute:
			num(f.minute, e)
		case opSecond:
			num(f.second, e)
		case opFraction:
			b = append(b, "000"...)
		case opHalfDay:
			if f.hour < 12 {
				b = append(b, "AM"...)
			} else {
				b = append(b, "PM"...)
			}
		case opWeekday:
			days, _ := splitDay(wall)
			name := weekdayNames[weekdayOf(days)]
			if !strings.Contains(p.source, "EEEE") {
				name = name[:3]
			}
			b = append(b, name...)
		case opOffset:
			b = append(b, "+00:00"...)
		}
	}
	return string(b)
}
