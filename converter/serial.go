package converter

import (
	"strconv"
	"strings"
)

const (
	// excelEpoch is the serial of 1970-01-01 in the 1900 system.
	excelEpoch = 25569
	// excelLeap is the serial of 29 February 1900, a day that never was.
	excelLeap = 60
	// excelLast is the serial of 9999-12-31, the last that Excel shows.
	excelLast = 2958465
)

// parseSerial reads a spreadsheet's serial, a count of days in plain digits,
// as the wall clock that it stands for, to the nearest second. The arithmetic is
// exact: a binary fraction of a day has noise in its last digits, and
// cutting it off would lose a second of every third time.
func parseSerial(s string, f *fields) misfit {
	*f = fields{weekday: -1}
	day, secs, m := splitSerial(s)
	if m != fits {
		return m
	}
	if day == 0 {
		return serialClock
	}
	if day == excelLeap || day > excelLast {
		return badSerial
	}
	if day < excelLeap {
		day++
	}
	return f.setWall((day-excelEpoch)*daySeconds + secs)
}

// splitSerial gives a serial's whole days and the seconds of its fraction.
func splitSerial(s string) (day, secs int64, m misfit) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" {
		return 0, 0, misshapen
	}
	if whole[0] == '-' {
		return 0, 0, badSerial
	}
	for i := 0; i < len(whole); i++ {
		c := whole[i] - '0'
		if c > 9 {
			return 0, 0, misshapen
		}
		if day = day*10 + int64(c); day > excelLast {
			day = excelLast + 1
		}
	}
	// Fourteen digits are a nanosecond of a day, and their product with
	// the seconds of a day still fits.
	var num, den int64 = 0, 1
	for i := 0; i < len(fraction); i++ {
		c := fraction[i] - '0'
		if c > 9 {
			return 0, 0, misshapen
		}
		if i < 14 {
			num = num*10 + int64(c)
			den *= 10
		}
	}
	secs = (num*daySeconds + den/2) / den
	if secs == daySeconds {
		day, secs = day+1, 0
	}
	return day, secs, fits
}

// isDuration knows number formats that count hours beyond a day: [h]:mm.
func isDuration(format string) bool {
	for {
		i := strings.IndexByte(format, '[')
		if i < 0 {
			return false
		}
		format = format[i+1:]
		j := strings.IndexByte(format, ']')
		if j < 0 {
			return false
		}
		if j > 0 && strings.Trim(strings.ToLower(format[:j]), "hms") == "" {
			return true
		}
		format = format[j+1:]
	}
}

// serialText gives a date cell as text: its wall clock in the API's writing, a
// clock alone for a time without a day, and H:mm:ss for a duration.
func serialText(cell Cell) (string, bool) {
	day, secs, m := splitSerial(cell.Text)
	if m != fits || day > excelLast {
		return "", false // days beyond the last are counted no further
	}
	var b []byte
	if isDuration(cell.Format) {
		secs += day * daySeconds
		b = strconv.AppendInt(b, secs/3600, 10)
		b = append(append2(append(b, ':'), int(secs/60%60)), ':')
		return string(append2(b, int(secs%60))), true
	}
	if day == 0 {
		return string(appendClock(b, int(secs))), true
	}
	var f fields
	if parseSerial(cell.Text, &f) != fits {
		return "", false
	}
	if secs == 0 {
		return string(appendDate(b, daysFrom(f.year, f.month, f.day))), true
	}
	return string(appendDateTime(b, f.wall())), true
}
