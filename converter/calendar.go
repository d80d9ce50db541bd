package converter

// A wall clock is kept as the seconds that UTC would count from 1970 to the
// same figures, so that calendar arithmetic needs neither time.Time nor a zone.

const daySeconds = 86400

// The years that a timestamp may have. Earlier ones are typing errors such as
// 0026; the API's form has room for four digits.
const minYear, maxYear = 1900, 9999

// splitDay splits seconds into days since 1970 and seconds of that day.
func splitDay(unix int64) (days int64, secs int) {
	days = unix / daySeconds
	if unix%daySeconds < 0 {
		days--
	}
	return days, int(unix - days*daySeconds)
}

// daysFrom gives the days from 1970-01-01 to a day of the Gregorian calendar.
// Years are counted from March, so that a leap day is a year's last.
func daysFrom(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yoe := year - era*400
	doy := (153*(month-3)+2)/5 + day - 1
	return int64(era)*146097 + int64(yoe*365+yoe/4-yoe/100+doy) - 719468
}

// civil is the inverse of daysFrom.
func civil(days int64) (year, month, day int) {
	z := days + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := int(z - era*146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = mp + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + int(era)*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// weekdayOf gives the day of the week, Sunday being 0.
func weekdayOf(days int64) int {
	w := int((days + 4) % 7)
	if w < 0 {
		w += 7
	}
	return w
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func daysIn(year, month int) int {
	if month == 2 && isLeap(year) {
		return 29
	}
	return monthDays[month]
}

var monthNames = [13]string{"", "January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December"}

var weekdayNames = [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
