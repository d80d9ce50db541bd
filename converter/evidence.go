package converter

import (
	"fmt"
	"strings"
	"time"

	"leadload/converter/zonedata"
)

// Evidence is what the values of one field tell together about the way their
// column is written: a single 03/04/2026 or 1.200 says nothing, a whole column
// of them does. The zero value has seen nothing. It serves one goroutine;
// what several have seen is joined.
type Evidence struct {
	// Days of texts whose day and month are figures. Either would be another
	// valid day with the two exchanged, early lie up to the 12th of a month.
	either, decided      int64
	earlyTexts           int64
	lateTexts            int64
	eitherCells          int64 // date cells, the same way
	earlyCells, lateCell int64

	// Numbers whose decimal sign could separate thousands: 1.200.
	thousands int64
	decimals  bool // one could not
	decimal   byte
	example   string

	// Texts.
	nothings    int64 // cells with a word that programs write for an empty cell
	nothing     string
	floats      int64 // 7.0
	float       string
	otherDigits bool // a text that begins with a digit and is no such float

	debit, credit bool // Dr and Cr behind amounts

	latest int64 // the last moment, in UTC seconds, that was read by a zone's rules
}

// day takes in the day of a text that a pattern read, or of a date cell.
func (e *Evidence) day(p *pattern, f *fields) {
	if p == nil {
		switch {
		case f.day > 12:
			e.lateCell++
		case f.day != f.month:
			e.eitherCells++
			fallthrough
		default:
			e.earlyCells++
		}
		return
	}
	if !p.dayMonth {
		return
	}
	if f.day > 12 {
		e.lateTexts++
	} else {
		e.earlyTexts++
	}
	if f.day != f.month {
		if f.swaps() {
			e.either++
		} else {
			e.decided++
		}
	}
}

// swaps reports whether the fields are another valid day with day and month
// exchanged.
func (f *fields) swaps() bool {
	return f.day <= 12 && f.month <= daysIn(f.year, f.day) && f.weekday < 0
}

// number takes in the digits and separators of a text that was read with the
// decimal sign.
func (e *Evidence) number(core string, decimal byte) {
	if e.decimals {
		return
	}
	at := strings.IndexByte(core, decimal)
	other := byte(',')
	if decimal == ',' {
		other = '.'
	}
	switch {
	case strings.IndexByte(core, other) >= 0:
		e.decimals = true // 1,200.50 and 1,200 show what separates thousands
	case at < 0:
	case at <= 3 && at > 0 && core[0] != '0' && len(core)-at == 4 && allDigits(core[:at]):
		e.thousands, e.decimal = e.thousands+1, decimal
		keepFirst(&e.example, core)
	default:
		e.decimals = true
	}
}

// text takes in a text that is sent as it is.
func (e *Evidence) text(s string) {
	switch {
	case nothing(s):
		e.nothings++
		keepFirst(&e.nothing, s)
	case s[0]-'0' > 9 || e.otherDigits:
	default:
		if _, ok := wholeFloat(s); !ok {
			e.otherDigits = true
			break
		}
		e.floats++
		keepFirst(&e.float, s)
	}
}

// Word takes in a text that begins with a letter and is sent as it is, which
// needs no conversion.
func (e *Evidence) Word(s string) {
	if nothing(s) {
		e.text(s)
	}
}

// word takes in a word behind an amount.
func (e *Evidence) word(w string) {
	switch strings.ToUpper(w) {
	case "DR":
		e.debit = true
	case "CR":
		e.credit = true
	}
}

// keepFirst keeps the example that comes first in the alphabet, so that it
// does not depend on who saw which rows.
func keepFirst(have *string, s string) {
	if s != "" && (*have == "" || s < *have) {
		*have = strings.Clone(s) // a row's texts lie in memory that is used again
	}
}

// Join adds what another has seen of the same field.
func (e *Evidence) Join(o *Evidence) {
	e.either += o.either
	e.decided += o.decided
	e.earlyTexts += o.earlyTexts
	e.lateTexts += o.lateTexts
	e.eitherCells += o.eitherCells
	e.earlyCells += o.earlyCells
	e.lateCell += o.lateCell
	e.thousands += o.thousands
	e.decimals = e.decimals || o.decimals
	if o.thousands > 0 {
		e.decimal = o.decimal
		keepFirst(&e.example, o.example)
	}
	e.latest = max(e.latest, o.latest)
	e.nothings += o.nothings
	keepFirst(&e.nothing, o.nothing)
	e.floats += o.floats
	keepFirst(&e.float, o.float)
	e.otherDigits = e.otherDigits || o.otherDigits
	e.debit, e.credit = e.debit || o.debit, e.credit || o.credit
}

// Doubts returns the reasons to look at the column again, each as a sentence
// without a subject; none for a column that shows how it is written.
func (e *Evidence) Doubts() []string {
	var out []string
	for _, doubt := range [...]string{e.exchanged(), e.MixedDays(), e.Thousands(), e.beyondZones(), e.sides(), e.emptyWords(), e.wholeFloats()} {
		if doubt != "" {
			out = append(out, doubt)
		}
	}
	return out
}

// exchanged is the doubt about the order of day and month, "" for none.
func (e *Evidence) exchanged() string {
	if e.either == 0 || e.decided > 0 {
		return ""
	}
	return "every value would also fit with day and month exchanged; compare the sample conversions of leadload check with what was meant"
}

// MixedDays returns the doubt about date cells beside texts, "" for none. A
// spreadsheet of another country turns the texts into date cells that it can
// read, with day and month exchanged, and leaves the others as texts.
func (e *Evidence) MixedDays() string {
	if e.lateTexts == 0 || e.earlyTexts > 0 || e.eitherCells == 0 || e.lateCell > 0 {
		return ""
	}
	return fmt.Sprintf("%s a day after the 12th and %s none: a spreadsheet of another country has most likely exchanged day and month in the date cells; "+
		"read the original file into the spreadsheet again, with this column as text",
		counted(e.lateTexts, "text has", "texts have"), counted(e.earlyCells, "date cell has", "date cells have"))
}

// Thousands returns the doubt about the decimal sign, "" for none.
func (e *Evidence) Thousands() string {
	if e.thousands == 0 || e.decimals {
		return ""
	}
	other := byte(',')
	if e.decimal == ',' {
		other = '.'
	}
	return fmt.Sprintf("every value with a %q, such as %s, would also be a whole number of thousands; set decimal: %q if that is what was meant",
		string(rune(e.decimal)), e.example, string(rune(other)))
}

// beyondZones is the doubt about times that the zone data may not know yet,
// "" for none.
func (e *Evidence) beyondZones() string {
	r := zonedata.Current()
	if e.latest <= r.Date.AddDate(1, 0, 0).Unix() {
		return ""
	}
	return fmt.Sprintf("times up to %s lie more than a year after the time zone data (release %s of %s); rules may have changed since, so update leadload before you load them",
		time.Unix(e.latest, 0).UTC().Format(time.DateOnly), r.Version, r.Date.Format(time.DateOnly))
}

// sides is the doubt about debits beside credits, "" for none.
func (e *Evidence) sides() string {
	if !e.debit || !e.credit {
		return ""
	}
	return "it has amounts with Dr and amounts with Cr, and both are sent without a sign"
}

// emptyWords is the doubt about words for nothing, "" for none.
func (e *Evidence) emptyWords() string {
	if e.nothings == 0 {
		return ""
	}
	return fmt.Sprintf("%s %s or a word like it, which programs write for an empty cell, and it is sent as a text; empty these cells, or turn the word into an empty text by an expression",
		counted(e.nothings, "cell holds", "cells hold"), quote(e.nothing))
}

// wholeFloats is the doubt about numbers that all end in .0, "" for none.
func (e *Evidence) wholeFloats() string {
	if e.floats == 0 || e.otherDigits {
		return ""
	}
	return fmt.Sprintf("every number in it ends in .0, such as %s, as programs write whole numbers of a column with gaps; it is sent so, as a text", e.float)
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
