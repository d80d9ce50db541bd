package mapping

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/internal/fault"
)

// TestCodes reads the package's own source: every code that it uses is in Codes,
// and every code in Codes is used.
func TestCodes(t *testing.T) {
	pattern := regexp.MustCompile(`"((?:yaml|mapping|expr|cases|row|key|lead|status|event-code|timezone|number)\.[a-z-]+)"`)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") || f.Name() == "codes.go" {
			continue
		}
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if !slices.Contains(Codes, m[1]) && !slices.Contains(converter.Codes, m[1]) {
				t.Errorf("%s uses the code %q, which is in no table", f.Name(), m[1])
			}
		}
	}
	if len(used) < 30 {
		t.Fatalf("only %d codes were found in the source", len(used))
	}
	for _, c := range Codes {
		if !used[c] {
			t.Errorf("the code %q is never used", c)
		}
		if slices.Contains(converter.Codes, c) {
			t.Errorf("the code %q is the converter's", c)
		}
		if fault.Code(c).Advice() == "" {
			t.Errorf("the code %q is not in the catalogue", c)
		}
	}
	if slices.Compare(slices.Compact(slices.Sorted(slices.Values(Codes))), slices.Sorted(slices.Values(Codes))) != 0 {
		t.Error("a code is in the table twice")
	}
	if !slices.Contains(converter.Codes, unlistedCode) {
		t.Errorf("the converter has no code %q", unlistedCode)
	}
}
