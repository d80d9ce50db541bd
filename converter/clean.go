package converter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean trims a cell's text: spaces, no-break and zero-width spaces and marks
// at its ends; a text of nothing else becomes EmptyCell. Control and
// invisible characters inside are removed where they carry no meaning and
// are a *Problem where they might.
//
// Removed are zero-width spaces, byte order marks, soft hyphens, joiners between
// Latin letters, and direction marks in a text without right-to-left letters.
// No-break spaces become spaces. Tabs and line breaks stay. Other control
// characters, the replacement character and bytes that are not UTF-8 are
// signs of text that was damaged on its way, and problems.
func Clean(cell Cell) (Cell, error) {
	if cell.Kind == EmptyCell || cell.Kind == FaultCell {
		return cell, nil
	}
	s := cell.Text
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' || c == 0x7f {
			plain = false
			break
		}
	}
	if plain {
		// Spaces are all that there is to remove.
		for len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
		for len(s) > 0 && s[len(s)-1] == ' ' {
			s = s[:len(s)-1]
		}
	} else {
		if !utf8.ValidString(s) {
			return cell, problem(codeLost, "save the file as UTF-8, or set input.encoding to the file's own",
				"%s holds bytes that are not UTF-8", quote(s))
		}
		s = strings.TrimFunc(s, trimmed)
		var p *Problem
		if s, p = inside(s); p != nil {
			return cell, p
		}
	}
	cell.Text = s
	if s == "" {
		cell.Kind = EmptyCell
	}
	return cell, nil
}

// trimmed knows what is worth nothing at the end of a text.
func trimmed(r rune) bool {
	return r < utf8.RuneSelf && (r <= ' ' || r == 0x7f) || r >= utf8.RuneSelf && (unicode.IsSpace(r) || invisible(r) || joiner(r))
}

// invisible knows the characters that are not seen and mean nothing.
func invisible(r rune) bool {
	switch r {
	case '\u00ad', // soft hyphen
		'\u180e',           // Mongolian vowel separator
		'\u200b',           // zero-width space
		'\u2060', '\ufeff', // word joiner, byte order mark
		'\u2061', '\u2062', '\u2063', '\u2064', // invisible operators
		'\u115f', '\u1160', '\u3164', '\uffa0', // Hangul fillers
		'\u206a', '\u206b', '\u206c', '\u206d', '\u206e', '\u206f': // deprecated marks
		return true
	}
	return direction(r)
}

// direction knows the marks that set the direction of writing. Address books
// put them around phone numbers.
func direction(r rune) bool {
	switch r {
	case '\u200e', '\u200f', '\u061c', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069':
		return true
	}
	return false
}

// joiner knows the marks that shape letters in Indic and Arabic writing and
// that hold an emoji together.
func joiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// inside removes or refuses what is not seen between the first and the last
// character of a text.
func inside(s string) (string, *Problem) {
	change := false
	for i, r := range s {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
		case r < ' ' || r >= 0x7f && r <= 0x9f:
			hint := "remove the character in the file; it cannot be seen there"
			if r >= 0x80 {
				hint = "the file was probably saved in Windows-1252 and read as something else: set input.encoding, or save it anew"
			}
			return "", problem(codeControl, hint, "%s holds the control character U+%04X at place %d",
				quote(s), r, utf8.RuneCountInString(s[:i])+1)
		case r == utf8.RuneError:
			return "", problem(codeLost, "write the text anew; an earlier conversion of the file lost a letter there",
				"%s holds a replacement character at place %d", quote(s), utf8.RuneCountInString(s[:i])+1)
		case r >= 0xa0 && (invisible(r) || joiner(r) || hardSpace(r)):
			change = true
		}
	}
	if !change {
		return s, nil
	}
	rightToLeft := strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
	})
	var b strings.Builder
	b.Grow(len(s))
	before := ' '
	for _, r := range s {
		switch {
		case direction(r):
			if !rightToLeft {
				continue
			}
		case invisible(r):
			continue
		case joiner(r):
			if before < utf8.RuneSelf {
				continue
			}
		case hardSpace(r):
			r = ' '
		}
		b.WriteRune(r)
		before = r
	}
	return b.String(), nil
}

// hardSpace knows the spaces that differ from a plain one only in not
// breaking a line.
func hardSpace(r rune) bool { return r == '\u00a0' || r == '\u202f' || r == '\u2007' }

// clip bounds a text that is shown without quotes.
func clip(s string) string {
	if len(s) <= quoteLimit {
		return s
	}
	return fmt.Sprintf("%.*s…", quoteLimit, s)
}
