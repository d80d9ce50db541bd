package converter

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

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
// a hint can name the format that it has. Files without faults need none.
var likelyFormats = sync.OnceValue(func() []*pattern {
	return compileAll("dd/MM/yyyy", "dd/MM/yyyy HH:mm", "dd/MM/yyyy HH:mm:ss", "dd/MM/yyyy hh:mm a", "dd/MM/yyyy hh:mm:ss a",
		"dd-MM-yyyy", "dd-MM-yyyy HH:mm", "dd-MM-yyyy HH:mm:ss", "dd-MM-yyyy hh:mm a", "dd.MM.yyyy", "dd.MM.yyyy HH:mm", "dd.MM.yyyy HH:mm:ss",
		"MM/dd/yyyy", "MM/dd/yyyy HH:mm", "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy hh:mm a", "MM/dd/yyyy hh:mm:ss a", "MM-dd-yyyy",
		"yyyy/MM/dd", "yyyy/MM/dd HH:mm", "yyyy/MM/dd HH:mm:ss", "yyyyMMdd", "yyyyMMddHHmmss", "iso",
		"dd MMM yyyy", "dd-MMM-yyyy", "dd-MMM-yy", "dd MMM yyyy HH:mm", "dd-MMM-yyyy HH:mm", "dd-MMM-yyyy HH:mm:ss", "dd MMM yyyy hh:mm a",
		"dd-MMM-yyyy hh:mm a", "MMM dd, yyyy", "MMM dd, yyyy hh:mm a", "MMM d yyyy h:mma", "EEE, dd MMM yyyy", "EEE, dd MMM yyyy HH:mm:ss Z",
		"dd/MM/yy", "dd/MM/yy HH:mm", "dd-MM-yy", "yyyy-MM-dd hh:mm:ss a", "epoch", "epoch-ms")
})

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
	for _, p := range likelyFormats() {
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
		"%s does not exist in %s: clocks go from %s to %s", quoteTime(text, wall), loc, from, to)
}

func explainOverlap(text string, wall int64, loc *time.Location, first, last int64) *Problem {
	return problem(codeOverlap,
		fmt.Sprintf("say which with dst: earlier (%s UTC) or dst: later (%s UTC), or put the offset into the file", stamp(first), stamp(last)),
		"%s comes twice in %s, where clocks are set back", quoteTime(text, wall), loc)
}

// quoteTime quotes the text and adds what it was read as.
func quoteTime(text string, wall int64) string {
	if s := stamp(wall); s != text {
		return fmt.Sprintf("%s (%s)", quote(text), s)
	}
	return quote(text)
}
