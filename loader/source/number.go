package source

import (
	"math"
	"strconv"
	"time"
)

// plainNumber writes a stored number in plain digits. Whole numbers stay as
// they are stored however long they are; anything else becomes the shortest
// decimal that is the same double. The result is appended to buf when it is
// not b itself.
func plainNumber(b, buf []byte) (text, rest []byte, ok bool) {
	i, digits, point := 0, 0, -1
	if i < len(b) && b[i] == '-' {
		i++
	}
	from := i
	for ; i < len(b); i++ {
		c := b[i]
		if c >= '0' && c <= '9' {
			digits++
			continue
		}
		if c == '.' && point < 0 {
			point = i
			continue
		}
		break
	}
	if digits == 0 {
		return nil, buf, false
	}
	if i == len(b) && b[from] != '.' && (b[from] != '0' || i == from+1 || b[from+1] == '.') {
		switch {
		case point < 0:
			if digits == 1 && b[from] == '0' {
				return b[from:], buf, true // no -0
			}
			return b, buf, true
		case digits <= 15:
			// Up to 15 digits a decimal is the shortest of its double.
			end := len(b)
			for b[end-1] == '0' {
				end--
			}
			if b[end-1] == '.' {
				end--
			}
			if end == from+1 && b[from] == '0' {
				return b[from:end], buf, true
			}
			return b[:end], buf, true
		}
	}
	for _, c := range b {
		// ParseFloat also takes words, underscores and hexadecimal digits.
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return nil, buf, false
		}
	}
	v, err := strconv.ParseFloat(view(b), 64)
	if err != nil || math.IsInf(v, 0) {
		return nil, buf, false
	}
	if v == 0 {
		v = 0 // no -0
	}
	n := len(buf)
	buf = strconv.AppendFloat(buf, v, 'f', -1, 64)
	return buf[n:], buf, true
}

// days1904 is the difference between the two date systems.
const days1904 = 1462

// shift1904 turns a serial of the 1904 system into one of the 1900 system.
func shift1904(text, buf []byte) (out, rest []byte) {
	n := len(buf)
	whole := 0
	for whole < len(text) && text[whole] != '.' {
		whole++
	}
	// In text, so that the fraction keeps its digits.
	if d, err := strconv.Atoi(view(text[:whole])); err == nil && d >= 0 && text[0] != '-' {
		buf = strconv.AppendInt(buf, int64(d)+days1904, 10)
		buf = append(buf, text[whole:]...)
		return buf[n:], buf
	}
	v, _ := strconv.ParseFloat(view(text), 64)
	buf = strconv.AppendFloat(buf, v+days1904, 'f', -1, 64)
	return buf[n:], buf
}

// spanFormat shows a span of time that is longer than a day.
const spanFormat = "[h]:mm:ss"

// isoSerial turns the ISO 8601 text of a date cell into a serial of the 1900
// system. A Z is allowed and ignored: such cells hold the time on the wall.
//
// Times and durations are counted from 1899-12-30, the day 0 of writers that
// give them a date (SheetJS 0.18). clock says that the cell's format shows no
// day: then that count goes on to the end of February 1900.
func isoSerial(s string, clock bool) (serial, format string, ok bool) {
	for _, l := range []struct{ layout, format string }{
		{"2006-01-02T15:04:05.999999999", "yyyy-mm-dd hh:mm:ss"},
		{"2006-01-02T15:04:05.999999999Z", "yyyy-mm-dd hh:mm:ss"},
		{"2006-01-02T15:04", "yyyy-mm-dd hh:mm"},
		{"2006-01-02T15:04Z", "yyyy-mm-dd hh:mm"},
		{"2006-01-02", "yyyy-mm-dd"},
		{"15:04:05.999999999", "hh:mm:ss"},
	} {
		t, err := time.Parse(l.layout, s)
		if err != nil {
			continue
		}
		date := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		// By seconds, since a Duration holds 292 years alone.
		days := (date.Unix() - time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Unix()) / 86400
		format := l.format
		switch {
		case t.Year() == 0:
			days = 0 // a time of day alone
		case days < 0 || t.Year() > 9999 || days < 2 && len(s) == len("2006-01-02"):
			return "", "", false
		case days == 0:
			format = "hh:mm:ss"
		case days == 1:
			format = spanFormat
		case days <= 60 && !clock:
			days-- // the 1900 system counts a 29 February 1900
		}
		v := float64(days) + float64(t.Sub(date))/float64(24*time.Hour)
		return strconv.FormatFloat(v, 'f', -1, 64), format, true
	}
	return "", "", false
}
