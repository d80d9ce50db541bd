package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSuffixFor(t *testing.T) {
	now := time.Date(2026, 11, 28, 2, 15, 0, 0, time.UTC)
	for pattern, want := range map[string]string{
		"{input}": "-results", "{input}-{date}": "-2026-11-28-results", "{input}-{date}-{time}": "-2026-11-28-0215-results", "{input}-{date}-results": "-2026-11-28-results", "{input} of {date}": " of 2026-11-28-results",
		"{date}": "!", "{input}/{date}": "!", `{input}\x`: "!", "{input}-{day}": "!", "": "!", "x{input}": "!",
	} {
		got, ok := SuffixFor(pattern, now)
		if !ok {
			got = "!"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", pattern, got, want)
		}
	}
	// Results that are loaded again are named as the first ones are.
	for _, name := range []string{"deals.csv", "deals-2026-11-27-results.xlsx", "deals-2026-11-27-results-2.xlsx", "deals-2026-11-27-0215-results.xlsx"} {
		if got := nameFor(name, "-2026-11-28-results"); got != "deals-2026-11-28-results.xlsx" {
			t.Errorf("%s becomes %s", name, got)
		}
	}
	if got := nameFor("deals-2026-11-27.csv", "-results"); got != "deals-2026-11-27-results.xlsx" {
		t.Errorf("an input's own date is lost: %s", got)
	}
}

func TestRemoveOld(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	ages := map[string]time.Duration{
		"deals-2026-11-28-results.xlsx":    40 * 24 * time.Hour, // the one just written stays, whatever its clock says
		"deals-2026-10-01-results.xlsx":    31 * 24 * time.Hour,
		"deals-2026-10-01-results-2.xlsx":  31 * 24 * time.Hour,
		"deals-2026-10-02-results.csv":     31 * 24 * time.Hour,
		"deals-2026-11-01-results.xlsx":    29 * 24 * time.Hour,
		"deals-results.xlsx":               99 * 24 * time.Hour,
		"deals-2026-10-01.csv":             99 * 24 * time.Hour,
		"other-2026-10-01-results.xlsx":    99 * 24 * time.Hour,
		"my-deals-2026-10-01-results.xlsx": 99 * 24 * time.Hour,
	}
	for name, age := range ages {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	newest := filepath.Join(dir, "deals-2026-11-28-results.xlsx")
	if removed, err := RemoveOld(newest, "in/deals.csv", "{input}", now); err != nil || removed != nil {
		t.Errorf("without a date %v, %v", removed, err)
	}
	removed, err := RemoveOld(newest, "in/deals.csv", "{input}-{date}", now.Add(-30*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := "deals-2026-10-01-results-2.xlsx deals-2026-10-01-results.xlsx deals-2026-10-02-results.csv"
	var got []string
	for _, r := range removed {
		got = append(got, filepath.Base(r))
	}
	if strings.Join(got, " ") != want {
		t.Errorf("removed %s, want %s", got, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != len(ages)-3 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}
