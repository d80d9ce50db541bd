package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"leadload/loader/source"
)

// cellLimit is how many UTF-16 units a cell of a workbook may hold.
const cellLimit = 32767

// cutMark ends a text that was too long for a cell.
const cutMark = source.CutMark

// trims counts the cells whose text a workbook cannot hold as it is.
type trims struct {
	cut     int64 // longer than a cell may be
	bytes   int64 // with bytes that are no text
	columns int64 // not cells: columns beyond the sheet's last one
}

// fit makes a text fit into a cell, visibly, and counts what it had to do.
// Without this excelize cuts and replaces silently. Characters that XML does
// not allow become escapes, which spreadsheets read as those characters.
func (t *trims) fit(s string) string {
	odd := unprintable(s)
	if odd {
		if !utf8.ValidString(s) {
			t.bytes++
			s = strings.ToValidUTF8(s, "\uFFFD")
		}
		s = escapeOdd(s)
	}
	if len(s) > cellLimit && units(s) > cellLimit {
		t.cut++
		s = cutUnits(s, cellLimit-units(cutMark))
		if i := strings.LastIndex(s, escapeMark); odd && i > len(s)-escapeLength {
			s = s[:i] // no half of an escape
		}
		s += cutMark
	}
	return s
}

// escapeMark stands for the "_x" of an escape until the archive is written:
// excelize escapes "_x0007_" itself, so that it stays the seven letters. It is
// no character, so that no text has it.
const escapeMark = "\U0001FFFE"

// escapeLength is the length of an escape: the mark, four digits, a low line.
const escapeLength = len(escapeMark) + 5

// escapeOdd writes each character that XML does not allow as an escape.
func escapeOdd(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == []rune(escapeMark)[0]:
			b.WriteString(escapeMark + "D83F_" + escapeMark + "DFFE_")
		case !inXML(r):
			fmt.Fprintf(&b, "%s%04X_", escapeMark, r)
		case r == '_' && beginsEscape(s[i:]):
			b.WriteString(escapeMark + "005F_") // with the next escape's first sign it would be one
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// beginsEscape reports "_x" and four hexadecimal digits, then something that
// becomes an escape.
func beginsEscape(s string) bool {
	if len(s) < 7 || s[1] != 'x' || strings.Trim(s[2:6], "0123456789abcdefABCDEF") != "" {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s[6:])
	return !inXML(r) || r == []rune(escapeMark)[0]
}

// unprintable reports whether s has anything that cannot be written as it is.
func unprintable(s string) bool {
	ascii := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			ascii = false
		} else if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return true
		}
	}
	if ascii {
		return false
	}
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return true
			}
		} else if !inXML(r) || r == []rune(escapeMark)[0] {
			return true
		}
	}
	return false
}

// inXML follows the Char production of XML 1.0.
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || (r >= ' ' && r <= 0xD7FF) || (r >= 0xE000 && r <= 0xFFFD) || (r >= 0x10000 && r <= 0x10FFFF)
}

// units is the length of s in UTF-16 units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// cutUnits is the beginning of s with at most n UTF-16 units.
func cutUnits(s string, n int) string {
	for i, r := range s {
		n--
		if r > 0xFFFF {
			n--
		}
		if n < 0 {
			return s[:i]
		}
	}
	return s
}

// cutRunes is s in at most n characters, an ellipsis for the rest.
func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return strings.TrimRight(string(r[:n-1]), " ") + "…"
}

// cutFront is the end of s in at most n characters, an ellipsis for the rest.
func cutFront(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return "…" + string(r[len(r)-n+1:])
}

// width is how many columns of a fixed font the longest line of s takes.
func width(s string) int {
	widest, w := 0, 0
	for _, r := range s {
		switch {
		case r == '\n':
			w = 0
			continue
		case r >= 0x1100 && (r <= 0x115F || (r >= 0x2E80 && r <= 0xA4CF) || (r >= 0xAC00 && r <= 0xD7A3) || (r >= 0xF900 && r <= 0xFAFF) || (r >= 0xFE30 && r <= 0xFE6F) || (r >= 0xFF00 && r <= 0xFF60) || r >= 0x1F300):
			w += 2
		default:
			w++
		}
		widest = max(widest, w)
	}
	return widest
}

// thousands writes a whole number as people read it: 1,000,000.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// counted is a number and its noun: "1 row", "2 rows".
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

func megabytes(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%d MB", n>>20+1)
}

const stamp = "2006-01-02 15:04:05"

// span writes a duration to the second: 1 h 02 min 05 s.
func span(d time.Duration) string {
	if d < 10*time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%d h %02d min %02d s", h, m, s)
	case m > 0:
		return fmt.Sprintf("%d min %02d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}
