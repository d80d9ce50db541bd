package reports

import (
	"math"
	"strconv"
	"time"

	"leadload/converter"
)

// plainText is a cell's text for a file without cell types. A date becomes
// yyyy-MM-dd HH:mm:ss; the number that stands for it says nothing to people.
func plainText(c converter.Cell) string {
	if c.Kind != converter.DateCell {
		return c.Text
	}
	serial, err := strconv.ParseFloat(c.Text, 64)
	if err != nil {
		return c.Text
	}
	if s := dateText(serial); s != "" {
		return s
	}
	return c.Text
}

// dateText writes a date's number in the 1900 system, rounded to the second,
// the clock alone where it has no day and the day alone where it has no clock.
// It is "" for a number that is no date.
func dateText(serial float64) string {
	const lastDay = 2958465 // 9999-12-31
	if !(serial >= 0) || serial >= lastDay+1 {
		return ""
	}
	seconds := int64(math.Round(serial * 86400))
	day, clock := seconds/86400, seconds%86400
	if day == 0 {
		return time.Unix(clock, 0).UTC().Format("15:04:05")
	}
	// The 1900 system has a 29th of February 1900, day 60, which never was.
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case day == 60 || day > lastDay:
		return ""
	case day < 60:
		day++
	}
	t := epoch.AddDate(0, 0, int(day)).Add(time.Duration(clock) * time.Second)
	if clock == 0 {
		return t.Format("2006-01-02")
	}
	return t.Format(stamp)
}
