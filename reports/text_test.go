package reports

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var fitSeeds = []string{"", "plain", "a\x00b", "tab\tline\n\rend", "\xff\xfe", "\uFFFD", "\uFFFE\uFFFF", "a\U0001FFFEb", "_x0041\x07_", "😀", "_x0041_", strings.Repeat("é", 10)}

// unescapeOdd reads escapes as a spreadsheet does.
func unescapeOdd(s string) string {
	for i := strings.Index(s, "_x"); i >= 0; {
		r, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil {
			break
		}
		to, text := i+7, string(rune(r))
		if r == 0xD83F { // the first half of the mark itself
			to, text = i+14, escapeMark
		}
		s = s[:i] + text + s[to:]
		next := strings.Index(s[i+len(text):], "_x")
		if next < 0 {
			break
		}
		i += len(text) + next
	}
	return s
}

// FuzzFit: what fit gives is always something that a cell can hold, and it
// touches nothing that was so already.
func FuzzFit(f *testing.F) {
	if len(fitSeeds) < 10 {
		f.Fatal("too few seeds")
	}
	for _, s := range fitSeeds {
		f.Add(s, 1)
		f.Add(s, 20_000)
	}
	f.Fuzz(func(t *testing.T, s string, times int) {
		if times < 1 || len(s)*times > 1<<18 {
			t.Skip()
		}
		s = strings.Repeat(s, times)
		var x trims
		got := x.fit(s)
		if units(got) > cellLimit {
			t.Fatalf("%d units are left", units(got))
		}
		if !utf8.ValidString(got) {
			t.Fatalf("%.80q is no UTF-8", got)
		}
		fits := units(s) <= cellLimit && utf8.ValidString(s)
		for _, r := range s {
			fits = fits && inXML(r) && !strings.ContainsRune(escapeMark, r)
		}
		if fits != (got == s) || fits && x != (trims{}) || (x.bytes > 0) != !utf8.ValidString(s) {
			t.Fatalf("%.80q fits: %v, but became %.80q, %+v", s, fits, got, x)
		}
		if x == (trims{}) {
			if back := unescapeOdd(strings.ReplaceAll(got, escapeMark, "_x")); back != s && !strings.Contains(s, "_x") {
				t.Fatalf("%.80q is read as %.80q", s, back)
			}
		}
	})
}
