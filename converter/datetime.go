package converter

import (
	"fmt"
	"strings"
	"time"
)

// dateReader converts the cells of a DateTime or Date field.
type dateReader struct {
	patterns []*pattern
	isDate   bool
	dst      DST
	zone     *zoneTable
	zones    zoneMemo
}

// compile compiles the formats and refuses two that read one text differently:
// "tried in order" would then load wrong days without a word.
func (d *dateReader) compile(s *Spec) error {
	d.isDate, d.dst = s.Type == Date, s.DST
	if s.Location != nil {
		d.zone = newZoneTable(s.Location)
	}
	formats := s.Formats
	if len(formats) == 0 {
		formats = []string{"iso"}
	}
	for _, text := range formats {
		p, err := compilePattern(text)
		if err != nil {
			return err
		}
		if d.isDate && (p.word == wordEpoch || p.word == wordEpochMillis) {
			return fmt.Errorf("format %q counts from a moment in UTC, and its day depends on a zone; use the type datetime", text)
		}
		for _, q := range d.patterns {
			if sample, differ := p.contradicts(q); differ {
				return fmt.Errorf("formats %q and %q read %q as different times; keep the one that the file means", q.source, p.source, sample)
			}
		}
		d.patterns = append(d.patterns, p)
	}
	return nil
}

// probes are times whose figures can be mistaken for each other.
var probes = []fields{
	{year: 2003, month: 2, day: 1, hour: 4, minute: 5, second: 6},
	{year: 2012, month: 11, day: 10, hour: 9, minute: 8, second: 7},
	{year: 2001, month: 2, day: 3},
}

// contradicts looks for a text that both patterns read, and read differently.
func (p *pattern) contradicts(q *pattern) (string, bool) {
	for i := range probes {
		for _, pair := range [2][2]*pattern{{p, q}, {q, p}} {
			text := pair[0].render(&probes[i])
			var a, b fields
			if pair[0].read(text, &a) == fits && pair[1].read(text, &b) == fits && a.wall() != b.wall() {
				return text, true
			}
		}
	}
	return "", false
}

// read reads a text by the pattern or by the word that it is.
func (p *pattern) read(text string, f *fields) misfit {
	switch p.word {
	case wordISO:
		return parseISO(text, f)
	case wordEpoch:
		return parseEpoch(text, false, f)
	case wordEpochMillis:
		return parseEpoch(text, true, f)
	case wordExcel:
		return parseSerial(text, f)
	}
	return p.parse(text, f)
}

// fields reads a cell by the first format that fits it, which is nil for a
// date cell.
func (d *dateReader) fields(cell Cell, f *fields) (*pattern, *Problem) {
	switch cell.Kind {
	case DateCell:
		if isDuration(cell.Format) {
			return nil, problem(codeTimeOnly, "put the day into the column, in a cell formatted as a date",
				"the cell is a duration (number format %s), not a point in time", quote(cell.Format))
		}
		if m := parseSerial(cell.Text, f); m != fits {
			return nil, explainSerial(cell.Text, m)
		}
		return nil, nil
	case BoolCell:
		return nil, problem(codeKind, "write a date, or map another column", "%s is not a date", cell.Text)
	}
	best, by := misshapen, (*pattern)(nil)
	any := false
	for _, p := range d.patterns {
		if cell.Kind == NumberCell && !p.allDigit {
			continue
		}
		any = true
		m := p.read(cell.Text, f)
		if m == fits {
			return p, nil
		}
		if m >= best {
			best, by = m, p
		}
	}
	if !any {
		return nil, problem(codeAsNumber,
			"format the column as a date in the spreadsheet; if the number is a serial, use the format excel",
			"the cell is the number %s, not a date", clip(cell.Text))
	}
	return nil, d.explain(cell.Text, by, best)
}

// datetime gives a cell as a UTC timestamp.
func (d *dateReader) datetime(cell Cell, loc *time.Location) (string, *Problem) {
	var f fields
	if _, p := d.fields(cell, &f); p != nil {
		return "", p
	}
	unix, p := d.utc(cell.Text, &f, loc)
	if p != nil {
		return "", p
	}
	var b [19]byte
	return string(appendDateTime(b[:0], unix)), nil
}

var firstSecond, lastSecond = daysFrom(minYear, 1, 1) * daySeconds, daysFrom(maxYear+1, 1, 1)*daySeconds - 1

// utc gives the moment that the fields mean, by their own offset if they have
// one, else by the clocks of the zone.
func (d *dateReader) utc(text string, f *fields, loc *time.Location) (int64, *Problem) {
	wall := f.wall()
	unix := wall - int64(f.offset)
	if !f.hasOffset {
		z := d.zone
		if loc != nil && (z == nil || z.loc != loc) {
			z = d.zones.table(loc)
		}
		n, first, last, before, after := z.resolve(wall)
		unix = first
		switch {
		case n == 0:
			return 0, explainGap(text, wall, z.loc, before, after)
		case n > 1 && d.dst == RejectDST:
			return 0, explainOverlap(text, wall, z.loc, first, last)
		case n > 1 && d.dst == Later:
			unix = last
		}
	}
	if unix < firstSecond || unix > lastSecond {
		return 0, problem(codeYear, fmt.Sprintf("check the year: a time from %d to %d is expected", minYear, maxYear),
			"%s falls outside the years %d to %d in UTC", quote(text), minYear, maxYear)
	}
	return unix, nil
}

// date gives a cell as a day. No zone is involved.
func (d *dateReader) date(cell Cell) (string, *Problem) {
	var f fields
	p, bad := d.fields(cell, &f)
	if bad != nil {
		return "", bad
	}
	if f.hour != 0 || f.minute != 0 || f.second != 0 {
		switch {
		case f.hasOffset:
			return "", problem(codeDateZone, "write the day alone, or use the type datetime",
				"%s is a moment with an offset, and its day depends on the zone", quote(cell.Text))
		case p == nil && !d.namesHour() || p != nil && !p.has[opHour] && !p.has[opHour12]:
			clock := string(appendClock(nil, f.hour*3600+f.minute*60+f.second))
			return "", problem(codeDateTime,
				"use the type datetime to keep the time, or name it in the format (dd/MM/yyyy HH:mm) to drop it",
				"%s has a time of day (%s), and the field takes a day alone", quote(cell.Text), clock)
		}
	}
	var b [10]byte
	return string(appendDate(b[:0], daysFrom(f.year, f.month, f.day))), nil
}

// namesHour reports that a format has a time of day, which a Date then drops.
func (d *dateReader) namesHour() bool {
	for _, p := range d.patterns {
		if p.has[opHour] || p.has[opHour12] {
			return true
		}
	}
	return false
}

// explain says why a text is no time, by the format that came closest.
func (d *dateReader) explain(text string, by *pattern, m misfit) *Problem {
	q := quote(text)
	var f fields
	if m != misshapen {
		by.read(text, &f)
	}
	switch m {
	case badYear2:
		return problem(codeYear, "write the year with four digits and use yyyy in the format",
			"the year of %s is %02d, which may be 19%02d or 20%02d", q, f.year, f.year, f.year)
	case badMonth:
		hint := "correct the date; months go from 1 to 12"
		if swapped := by.swapped(); f.month <= 31 && f.day >= 1 && f.day <= 12 && swapped != "" {
			hint = fmt.Sprintf("correct the date, or, if the whole column is written so, use the format %q", swapped)
		}
		return problem(codeCalendar, hint, "%s has the month %d", q, f.month)
	case badDay:
		return problem(codeCalendar, "correct the day, or the format if day and month are the other way round",
			"%s has the day %d, and %s %d has %d days", q, f.day, monthNames[f.month], f.year, daysIn(f.year, f.month))
	case badTime:
		hint := "correct the time; it goes from 00:00:00 to 23:59:59"
		if f.hour == 24 {
			hint = "midnight is 00:00 of the next day"
		}
		return problem(codeCalendar, hint, "%s has the time %02d:%02d:%02d, which no clock shows", q, f.hour, f.minute, f.second)
	case badHalfDay:
		return problem(codeCalendar, "write the hour from 1 to 12 before am or pm, or use HH without them",
			"%s has the hour %d with am or pm", q, f.hour)
	case badOffset:
		return problem(codeCalendar, "write an offset such as +05:30", "%s has an offset from UTC that no zone has", q)
	case badWeekday:
		return problem(codeWeekday, "correct the day of the week or the date",
			"%s says %s, and that date is a %s", q, weekdayNames[f.weekday], weekdayNames[weekdayOf(daysFrom(f.year, f.month, f.day))])
	case badYear:
		return problem(codeYear, fmt.Sprintf("write the year with four digits, from %d to %d", minYear, maxYear),
			"%s has the year %04d", q, f.year)
	case badEpoch:
		return problem(codeEpoch, "use epoch for seconds (10 digits today), epoch-ms for milliseconds (13 digits)",
			"%s is no likely count for the format %q", q, by.source)
	case badSerial, serialClock:
		return explainSerial(text, m)
	}
	return problem(codeFormat, d.formatHint(text), "%s does not have the form %s", q, d.forms())
}

// swapped gives the pattern with day and month in each other's place, "" if
// they are not both figures.
func (p *pattern) swapped() string {
	if !p.dayMonth || strings.Contains(p.source, "'") {
		return ""
	}
	return strings.NewReplacer("dd", "MM", "MM", "dd", "d", "M", "M", "d").Replace(p.source)
}

// forms names the formats for a message.
func (d *dateReader) forms() string {
	var b strings.Builder
	for i, p := range d.patterns {
		if i == 3 {
			fmt.Fprintf(&b, " or %d others", len(d.patterns)-i)
			break
		}
		if i > 0 {
			b.WriteString(" or ")
		}
		b.WriteString(p.form())
	}
	return b.String()
}

// form names a pattern as a message does.
func (p *pattern) form() string {
	switch p.word {
	case wordISO:
		return "yyyy-MM-dd[ HH:mm[:ss]] (iso)"
	case wordEpoch:
		return "of seconds since 1970 (epoch)"
	case wordEpochMillis:
		return "of milliseconds since 1970 (epoch-ms)"
	case wordExcel:
		return "of a spreadsheet's serial (excel)"
	}
	return p.source
}

// likelyFormats are what a text that fits no format is held against, so that
// a hint can name the format that it has.
var likelyFormats = compileAll("dd/MM/yyyy", "dd/MM/yyyy HH:mm", "dd/MM/yyyy HH:mm:ss", "dd/MM/yyyy hh:mm a", "dd/MM/yyyy hh:mm:ss a",
	"dd-MM-yyyy", "dd-MM-yyyy HH:mm", "dd-MM-yyyy HH:mm:ss", "dd-MM-yyyy hh:mm a", "dd.MM.yyyy", "dd.MM.yyyy HH:mm", "dd.MM.yyyy HH:mm:ss",
	"MM/dd/yyyy", "MM/dd/yyyy HH:mm", "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy hh:mm a", "MM/dd/yyyy hh:mm:ss a", "MM-dd-yyyy",
	"yyyy/MM/dd", "yyyy/MM/dd HH:mm", "yyyy/MM/dd HH:mm:ss", "yyyyMMdd", "yyyyMMddHHmmss", "iso",
	"dd MMM yyyy", "dd-MMM-yyyy", "dd-MMM-yy", "dd MMM yyyy HH:mm", "dd-MMM-yyyy HH:mm", "dd-MMM-yyyy HH:mm:ss", "dd MMM yyyy hh:mm a",
	"dd-MMM-yyyy hh:mm a", "MMM dd, yyyy", "MMM dd, yyyy hh:mm a", "MMM d yyyy h:mma", "EEE, dd MMM yyyy", "EEE, dd MMM yyyy HH:mm:ss Z",
	"dd/MM/yy", "dd/MM/yy HH:mm", "dd-MM-yy", "yyyy-MM-dd hh:mm:ss a", "epoch", "epoch-ms")

func compileAll(sources ...string) []*pattern {
	var all []*pattern
	for _, s := range sources {
		p, err := compilePattern(s)
		if err != nil {
			panic(err)
		}
		all = append(all, p)
	}
	return all
}

// formatHint says how to write the date, and what format the text seems to have.
func (d *dateReader) formatHint(text string) string {
	sample := fields{year: 2025, month: 12, day: 31, hour: 23, minute: 30}
	hint := fmt.Sprintf("write it like %s", d.patterns[0].render(&sample))
	var f fields
	for _, p := range likelyFormats {
		if p.read(text, &f) == fits && (!d.isDate || p.word == noWord) {
			return fmt.Sprintf("%s, or add the format %q, if that is what it is", hint, p.source)
		}
	}
	return hint + ", or add its format to the mapping"
}

func explainSerial(text string, m misfit) *Problem {
	switch {
	case m == serialClock:
		return problem(codeTimeOnly, "put the day into the cell, or map a column that has it",
			"the cell holds a time of day without a day (%s)", clip(text))
	case m == misshapen:
		return problem(codeSerial, "format the cell as a date in the spreadsheet", "%s is not a spreadsheet's date", quote(text))
	case text == "60" || strings.HasPrefix(text, "60.") || strings.HasPrefix(text, "59."):
		return problem(codeSerial, "correct the date",
			"the cell holds 29 February 1900 (%s), a day that spreadsheets invented", clip(text))
	}
	return problem(codeSerial, "format the cell as a date in the spreadsheet and correct it",
		"the number %s is no date between 1900 and 9999", clip(text))
}

// stamp writes a wall clock for a message.
func stamp(wall int64) string { return string(appendDateTime(nil, wall)) }

func explainGap(text string, wall int64, loc *time.Location, before, after span) *Problem {
	from, to := stamp(before.end+before.offset), stamp(after.start+after.offset)
	// On one and the same day, the clock is enough.
	if from[:10] == to[:10] && from[:10] == stamp(wall)[:10] {
		from, to = from[11:], to[11:]
	}
	return problem(codeGap, fmt.Sprintf("correct the time, or the timezone %s if the file's clocks are another place's", loc),
		"%s never came in %s: clocks went from %s to %s", quoteTime(text, wall), loc, from, to)
}

func explainOverlap(text string, wall int64, loc *time.Location, first, last int64) *Problem {
	return problem(codeOverlap,
		fmt.Sprintf("say which with dst: earlier (%s UTC) or dst: later (%s UTC), or put the offset into the file", stamp(first), stamp(last)),
		"%s came twice in %s, where clocks were set back: it is %s or %s UTC", quoteTime(text, wall), loc, stamp(first), stamp(last))
}

// quoteTime quotes the text and adds what it was read as.
func quoteTime(text string, wall int64) string {
	if s := stamp(wall); s != text {
		return fmt.Sprintf("%s (%s)", quote(text), s)
	}
	return quote(text)
}

// Local gives a cell of a DateTime field as the clock that it was read from,
// with the offset that held then: "2025-12-31 23:30:00 +05:30". Beside the value
// of Convert it shows a person whether the mapping reads the column right.
// The error is a *Problem, the same that Convert gives.
func (c *Converter) Local(cell Cell, loc *time.Location) (string, error) {
	v, err := c.Convert(cell, loc)
	if err != nil || c.spec.Type != DateTime {
		return v, err
	}
	var f fields
	cell.Text = asciiDigits(cell.Text)
	if _, p := c.dates.fields(cell, &f); p != nil {
		return "", p
	}
	unix, p := c.dates.utc(cell.Text, &f, loc)
	if p != nil {
		return "", p
	}
	wall := f.wall()
	offset, sign := int(wall-unix), byte('+')
	if offset < 0 {
		offset, sign = -offset, '-'
	}
	b := append(appendDateTime(nil, wall), ' ', sign)
	b = append(append2(b, offset/3600), ':')
	return string(append2(b, offset/60%60)), nil
}

// AmbiguousDayMonth says what a text tells about the order of day and month.
// ambiguous: the text would be another valid day with the two swapped,
// as 02/03/2026 would. decided: it would not, as 31/03/2026. Both are false for
// a text that says nothing about it: no date, the month by name, the year first,
// day and month equal. A column with ambiguous texts and no decided one
// may have been mapped the wrong way round.
func (c *Converter) AmbiguousDayMonth(text string) (ambiguous, decided bool) {
	var f fields
	text = asciiDigits(text)
	for _, p := range c.dates.patterns {
		if p.read(text, &f) != fits {
			continue
		}
		if !p.dayMonth || f.day == f.month {
			return false, false
		}
		swap := f.day <= 12 && f.month <= daysIn(f.year, f.day) && f.weekday < 0
		return swap, !swap
	}
	return false, false
}
