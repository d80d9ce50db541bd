package converter

// parseISO reads ISO 8601: 2025-12-31, 2025-12-31T23:30, …:15, …:15.123, with a
// space for the T, and the basic 20251231T233015, each but the bare day
// with or without an offset.
func parseISO(s string, f *fields) misfit {
	*f = fields{weekday: -1}
	y1, ok1 := two(s, 0)
	y2, ok2 := two(s, 2)
	if !ok1 || !ok2 {
		return misshapen
	}
	f.year = y1*100 + y2
	i := 4
	basic := true
	if i < len(s) && s[i] == '-' {
		basic = false
		i++
	}
	var ok bool
	if f.month, ok = two(s, i); !ok {
		return misshapen
	}
	i += 2
	if !basic {
		if i >= len(s) || s[i] != '-' {
			return misshapen
		}
		i++
	}
	if f.day, ok = two(s, i); !ok {
		return misshapen
	}
	i += 2
	if i == len(s) {
		// Eight digits may as well be a number or an id.
		if basic {
			return misshapen
		}
		return f.check()
	}
	if s[i] == 'T' || s[i] == 't' {
		i++
	} else if n := spaces(s[i:]); n > 0 && !basic {
		i += n
	} else {
		return misshapen
	}
	if i, ok = isoClock(s, i, f); !ok {
		return misshapen
	}
	if i < len(s) {
		i += spaces(s[i:])
		off, n := matchOffset(s[i:])
		if n == 0 || i+n != len(s) {
			return misshapen
		}
		if off == noOffset {
			return badOffset
		}
		f.offset, f.hasOffset = off, true
	}
	return f.check()
}

// isoClock reads HH:mm[:ss[.fff]] or HHmm[ss] at i and gives where it ends.
func isoClock(s string, i int, f *fields) (end int, ok bool) {
	if f.hour, ok = two(s, i); !ok {
		return 0, false
	}
	i += 2
	colon := i < len(s) && s[i] == ':'
	if colon {
		i++
	}
	if f.minute, ok = two(s, i); !ok {
		return 0, false
	}
	i += 2
	if colon {
		if i >= len(s) || s[i] != ':' {
			return i, true
		}
		if f.second, ok = two(s, i+1); !ok {
			return 0, false
		}
		i += 3
	} else if f.second, ok = two(s, i); ok {
		i += 2
	} else {
		return i, true
	}
	if i+1 < len(s) && (s[i] == '.' || s[i] == ',') && s[i+1]-'0' <= 9 {
		i++
		for i < len(s) && s[i]-'0' <= 9 {
			i++
		}
	}
	return i, true
}

// Beyond these a count of seconds is one of milliseconds, and the other way
// round: 1e11 seconds end in the year 5138, 1e11 milliseconds in 1973.
const epochTurn = 100_000_000_000

// parseEpoch reads a count of seconds or milliseconds since 1970.
func parseEpoch(s string, millis bool, f *fields) misfit {
	*f = fields{weekday: -1, hasOffset: true}
	digits := s
	if len(s) > 0 && s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 {
		return misshapen
	}
	var n int64
	for i := 0; i < len(digits); i++ {
		c := digits[i] - '0'
		if c > 9 {
			return misshapen
		}
		if i > 15 {
			return badEpoch
		}
		n = n*10 + int64(c)
	}
	// A zero stands for "no date" in the files that have one.
	if n == 0 || millis == (n < epochTurn) {
		return badEpoch
	}
	if len(digits) < len(s) {
		n = -n
	}
	if millis {
		if n < 0 {
			n -= 999
		}
		n /= 1000
	}
	return f.setWall(n)
}

// setWall fills the fields from seconds since 1970.
func (f *fields) setWall(wall int64) misfit {
	days, secs := splitDay(wall)
	f.year, f.month, f.day = civil(days)
	f.hour, f.minute, f.second = secs/3600, secs/60%60, secs%60
	if f.year < minYear || f.year > maxYear {
		return badYear
	}
	return fits
}
