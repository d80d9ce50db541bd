package source

import (
	"strings"

	"leadload/converter"
)

// builtins are the number formats that have a number and no code in the file,
// as far as they show dates and times. Those of East Asian versions of the
// spreadsheet (27–36, 50–58) and of the Thai one (71–81) show dates in every
// version.
var builtins = map[int]string{
	14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
	18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm",
	27: "yyyy/m/d", 28: "m/d", 29: "m/d", 30: "m-d-yy", 31: "yyyy/m/d", 32: "h:mm", 33: "h:mm:ss",
	34: "h:mm AM/PM", 35: "h:mm:ss AM/PM", 36: "yyyy/m/d",
	45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
	50: "yyyy/m/d", 51: "m/d", 52: "yyyy/m", 53: "m/d", 54: "m/d", 55: "h:mm AM/PM", 56: "h:mm:ss AM/PM",
	57: "yyyy/m/d", 58: "m/d",
	71: "d/m/yyyy", 72: "d-mmm-yy", 73: "d-mmm", 74: "mmm-yy", 75: "h:mm", 76: "h:mm:ss", 77: "d/m/yyyy h:mm",
	78: "mm:ss", 79: "[h]:mm:ss", 80: "mm:ss.0", 81: "d/m/yy",
}

// formatOf is the number format with the given number. A code in the file
// comes before the built-in meaning of its number.
func formatOf(id int, codes map[int]string) numFormat {
	code, ok := codes[id]
	if !ok {
		if code, ok = builtins[id]; !ok {
			return numFormat{}
		}
	}
	return readFormat(code)
}

// section is one part of a number format: those for positive numbers, negative
// ones, zero and text are divided by semicolons.
type section struct {
	letters []byte // of dates and times, in lower case; elapsed time such as [mm] is an h
	digits  bool   // it has a place for digits of a number
	elapsed bool   // it has elapsed time such as [h]
}

// sections divides a number format. Letters count only outside of "text", \x,
// _x, *x and [..]; of the brackets only elapsed time such as [h] or [mm] does.
func sections(code string) []section {
	var (
		all  []section
		s    section
		last byte // the last sign that counts
	)
	for i := 0; i < len(code); i++ {
		c := code[i]
		letter := byte(0)
		switch c {
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				i = len(code)
				break
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				i = len(code)
				break
			}
			in := strings.ToLower(code[i+1 : i+end])
			if in != "" && (strings.Trim(in, "h") == "" || strings.Trim(in, "m") == "" || strings.Trim(in, "s") == "") {
				// An m behind elapsed time is minutes, as behind hours.
				letter, s.elapsed, last = 'h', true, in[0]
			}
			i += end
		case 'G', 'g':
			if len(code)-i >= 7 && strings.EqualFold(code[i:i+7], "general") {
				i += 6
				s.digits = true
				break
			}
			letter = 'g'
		case 'A', 'a':
			if len(code)-i >= 5 && strings.EqualFold(code[i:i+5], "am/pm") {
				letter = 'h'
				i += 4
			} else if len(code)-i >= 3 && strings.EqualFold(code[i:i+3], "a/p") {
				letter = 'h'
				i += 2
			}
		case 'E', 'e':
			// 0.00E+00 is a number, e alone a year in East Asian formats.
			if i+1 < len(code) && (code[i+1] == '+' || code[i+1] == '-') {
				i++
				break
			}
			letter = 'e'
		case 'Y', 'y', 'M', 'm', 'D', 'd', 'H', 'h', 'S', 's', 'B', 'b':
			letter = c | 0x20
			last = letter
		case '#', '?':
			s.digits = true
		case '0':
			// The only digits of a time are the fraction of its seconds.
			if last != 's' {
				s.digits = true
			}
		case ';':
			all = append(all, s)
			s, last = section{}, 0
		case '.', ',', ' ':
			if c == ' ' {
				last = 0
			}
		default:
			last = 0
		}
		if letter != 0 {
			s.letters = append(s.letters, letter)
			if c != '[' {
				last = letter
			}
		}
	}
	return append(all, s)
}

// date reports whether a section shows dates or times, and whether it shows a
// day, month or year.
func (s *section) date() (date, day bool) {
	if s.digits {
		return false, false // the letters are a currency: Rs #,##0.00
	}
	for i := 0; i < len(s.letters); i++ {
		switch s.letters[i] {
		case 'y', 'd', 'e', 'b':
			date, day = true, true
		case 'h', 's':
			date = true
		case 'm':
			date = true
			from := i
			for i+1 < len(s.letters) && s.letters[i+1] == 'm' {
				i++
			}
			// An m after hours or before seconds is minutes.
			minutes := (from > 0 && s.letters[from-1] == 'h') || (i+1 < len(s.letters) && s.letters[i+1] == 's')
			if !minutes {
				day = true
			}
		}
	}
	return date, day
}

// readFormat reports what a number format shows. The first section that shows
// anything but fixed text decides, since that is the one of ordinary numbers.
func readFormat(code string) numFormat {
	f := numFormat{code: code}
	for _, s := range sections(code) {
		if date, day := s.date(); date {
			f.date, f.day, f.elapsed = true, day, s.elapsed
			return f
		}
		if s.digits {
			break
		}
	}
	f.id = converter.ShowsID(code)
	return f
}
