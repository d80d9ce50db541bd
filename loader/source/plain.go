package source

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"leadload/converter"
)

// A results CSV of a workbook keeps what CSV has no place for: the kinds of
// its cells. They stand in a last column of the file, one letter for each of
// the input's columns, so that dates, durations and numbers are read again as
// the workbook had them.

// TypesColumn is the name of that column. It stands behind the input's own
// columns and is not one of File.Header.
const TypesColumn = "Cell types (leadload)"

// The letters of TypesColumn. A row of texts alone has none.
const (
	letterText   = '.'
	letterNumber = 'n'
	letterBool   = 'b'
	letterDate   = 'd'
	letterSpan   = 'h'
)

// Plain writes a cell for a file without cell types, and its letter for
// TypesColumn. A date becomes yyyy-MM-dd HH:mm:ss, the day or the clock alone
// where it has only that, and a span of time H:mm:ss. A number that is no date
// stays a number. A number whose format makes an identifier of it becomes the
// text that is shown.
func Plain(c converter.Cell) (text string, letter byte) {
	switch c.Kind {
	case converter.NumberCell:
		// One of more digits is refused, which a text of these digits is not.
		if text, ok := converter.Shown(c); ok && len(c.Text) < 16 {
			return text, letterText
		}
		return c.Text, letterNumber
	case converter.BoolCell:
		return c.Text, letterBool
	case converter.DateCell:
		serial, err := strconv.ParseFloat(c.Text, 64)
		if err != nil {
			return c.Text, letterDate
		}
		if readFormat(c.Format).elapsed && serial >= 0 && serial <= lastDay {
			return spanText(serial), letterSpan
		}
		if s := dateText(serial); s != "" {
			return s, letterDate
		}
		return c.Text, letterDate
	}
	return c.Text, letterText
}

// PlainTypes joins the letters of a row for TypesColumn; "" when all are texts.
func PlainTypes(letters []byte) string {
	s := strings.TrimRight(string(letters), string(letterText))
	if s == "" {
		return ""
	}
	return s
}

const (
	lastDay    = 2958465 // 9999-12-31 in the 1900 system
	plainStamp = "2006-01-02 15:04:05"
)

// dateText writes a date's serial in the 1900 system, rounded to the second.
// It is "" for a number that is no date.
func dateText(serial float64) string {
	if !(serial >= 0) || serial >= lastDay+1 {
		return ""
	}
	seconds := int64(math.Round(serial * 86400))
	day, clock := seconds/86400, seconds%86400
	if day == 0 {
		return time.Unix(clock, 0).UTC().Format("15:04:05")
	}
	switch {
	case day == 60 || day > lastDay:
		return "" // the 1900 system has a 29th of February 1900, which never was
	case day < 60:
		day++
	}
	t := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(day)).Add(time.Duration(clock) * time.Second)
	if clock == 0 {
		return t.Format("2006-01-02")
	}
	return t.Format(plainStamp)
}

// spanText writes a number of days as hours, minutes and seconds.
func spanText(days float64) string {
	s := int64(math.Round(days * 86400))
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// retype gives a cell that Plain wrote its kind back. A cell that somebody
// has changed into something else stays a text.
func retype(c *converter.Cell, letter byte) {
	if c.Kind != converter.TextCell {
		return
	}
	switch letter {
	case letterNumber:
		if isPlain(c.Text) {
			c.Kind = converter.NumberCell
		}
	case letterBool:
		if c.Text == "TRUE" || c.Text == "FALSE" {
			c.Kind = converter.BoolCell
		}
	case letterDate:
		if isPlain(c.Text) {
			c.Kind, c.Format = converter.DateCell, "yyyy-mm-dd hh:mm:ss"
			return
		}
		// As an ISO text of any other file is read, with a T for the blank.
		if serial, format, ok := isoSerial(strings.Replace(c.Text, " ", "T", 1), false); ok {
			c.Kind, c.Text, c.Format = converter.DateCell, serial, format
		}
	case letterSpan:
		if days, ok := parseSpan(c.Text); ok {
			c.Kind, c.Text, c.Format = converter.DateCell, days, spanFormat
		}
	}
}

// isPlain reports a number as plainNumber writes it.
func isPlain(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	return digitsOnly(whole) && (!point || digitsOnly(fraction))
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// parseSpan reads H:mm:ss as a number of days.
func parseSpan(s string) (days string, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 || !digitsOnly(parts[0]) || len(parts[0]) > 8 || len(parts[1]) != 2 || len(parts[2]) != 2 || !digitsOnly(parts[1]+parts[2]) {
		return "", false
	}
	h, _ := strconv.Atoi(parts[0])
	m, _ := strconv.Atoi(parts[1])
	sec, _ := strconv.Atoi(parts[2])
	if m > 59 || sec > 59 {
		return "", false
	}
	return strconv.FormatFloat(float64(h*3600+m*60+sec)/86400, 'f', -1, 64), true
}
