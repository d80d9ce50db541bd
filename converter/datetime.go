package converter

import (
	"fmt"
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

// datetime gives a cell as a UTC timestamp, or nothing for a valid one where dry.
func (d *dateReader) datetime(cell Cell, loc *time.Location, dry bool, e *Evidence) (string, *Problem) {
	var f fields
	by, p := d.fields(cell, &f)
	if p != nil {
		return "", p
	}
	unix, p := d.utc(cell.Text, &f, loc)
	if p != nil {
		return "", p
	}
	if e != nil {
		e.day(by, &f)
		if unix > e.latest && !f.hasOffset && (loc != nil && loc != time.UTC || loc == nil && d.zone.loc != time.UTC) {
			e.latest = unix
		}
	}
	if dry {
		return "", nil
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
func (d *dateReader) date(cell Cell, e *Evidence) (string, *Problem) {
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
	if e != nil {
		e.day(p, &f)
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
		return f.swaps(), !f.swaps()
	}
	return false, false
}
