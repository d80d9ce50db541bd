package reports

import (
	"strings"
	"testing"
	"unicode/utf8"
)

var fitSeeds = []string{"", "plain", "a\x00b", "tab\tline\n\rend", "\xff\xfe", "\uFFFD", "\uFFFE\uFFFF", "😀", "_x0041_", strings.Repeat("é", 10)}

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
			fits = fits && inXML(r)
		}
		if fits != (got == s) || fits != (x == trims{}) {
			t.Fatalf("%.80q fits: %v, but became %.80q, %+v", s, fits, got, x)
		}
	})
}
