package source

import "strings"

// builtins are the number formats that have a number and no code in the file,
// as far as they show dates and times. Those of East Asian versions of the
// spreadsheet (27–36, 50–58) show dates in every version.
var builtins = map[int]string{
	14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
	18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm",
	27: "yyyy/m/d", 28: "m/d", 29: "m/d", 30: "m-d-yy", 31: "yyyy/m/d", 32: "h:mm", 33: "h:mm:ss",
	34: "h:mm AM/PM", 35: "h:mm:ss AM/PM", 36: "yyyy/m/d",
	45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
	50: "yyyy/m/d", 51: "m/d", 52: "yyyy/m", 53: "m/d", 54: "m/d", 55: "h:mm AM/PM", 56: "h:mm:ss AM/PM",
	57: "yyyy/m/d", 58: "m/d",
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
	date, day := dateFormat(code)
	return numFormat{code: code, date: date, day: day}
}

// dateFormat tells whether a number format shows dates or times, and whether
// there is a day, month or year among what it shows. Letters count only
// outside of "text", \x, _x, *x and [..]; of the brackets only elapsed time
// such as [h] or [mm] does.
func dateFormat(code string) (date, day bool) {
	if strings.EqualFold(strings.TrimSpace(code), "general") {
		return false, false
	}
	var letters []byte // of dates, in lower case, and a 0 where a section ends
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
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
				// Elapsed time; an m behind it is minutes, as behind hours.
				letters = append(letters, 'h')
			}
			i += end
		case 'G', 'g':
			if len(code)-i >= 7 && strings.EqualFold(code[i:i+7], "general") {
				i += 6
				break
			}
			letters = append(letters, 'g')
		case 'A', 'a':
			if len(code)-i >= 5 && strings.EqualFold(code[i:i+5], "am/pm") {
				letters = append(letters, 'h')
				i += 4
			} else if len(code)-i >= 3 && strings.EqualFold(code[i:i+3], "a/p") {
				letters = append(letters, 'h')
				i += 2
			}
		case 'E', 'e':
			// 0.00E+00 is a number, e alone a year in East Asian formats.
			if i+1 < len(code) && (code[i+1] == '+' || code[i+1] == '-') {
				i++
				break
			}
			letters = append(letters, 'e')
		case 'Y', 'y', 'M', 'm', 'D', 'd', 'H', 'h', 'S', 's', 'B', 'b':
			letters = append(letters, c|0x20)
		case ';':
			letters = append(letters, 0)
		}
	}
	for i := 0; i < len(letters); i++ {
		switch letters[i] {
		case 0, 'g':
		case 'y', 'd', 'e', 'b':
			date, day = true, true
		case 'h', 's':
			date = true
		case 'm':
			date = true
			from := i
			for i+1 < len(letters) && letters[i+1] == 'm' {
				i++
			}
			// An m after hours or before seconds is minutes.
			minutes := (from > 0 && letters[from-1] == 'h') || (i+1 < len(letters) && letters[i+1] == 's')
			if !minutes {
				day = true
			}
		}
	}
	return date, day
}
