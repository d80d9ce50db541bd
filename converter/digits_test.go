package converter

import (
	"testing"
	"unicode"
)

func TestDigitsOfEveryScriptBeginWithZero(t *testing.T) {
	scripts := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.Is(unicode.Nd, r) && !unicode.Is(unicode.Nd, r-1) {
			scripts++
			for i := range rune(10) {
				if got := asciiDigit(r + i); got != '0'+i {
					t.Errorf("U+%04X: got %q, want %q", r+i, got, '0'+i)
				}
			}
		}
	}
	if scripts < 50 {
		t.Errorf("saw the digits of %d scripts", scripts)
	}
}
