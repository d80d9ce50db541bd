package converter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// asciiDigits writes the decimal digits of every script as 0 to 9: files from
// India have numbers in Devanagari, and their meaning is not in doubt.
func asciiDigits(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune {
				if r < utf8.RuneSelf {
					return r
				}
				return asciiDigit(r)
			}, s)
		}
	}
	return s
}

// asciiDigit gives a digit of another script as 0 to 9, and any other
// character as it is. Unicode lays out each script's digits in order from zero.
func asciiDigit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}
