package reports

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

func TestPathFor(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"in", "out", filepath.Join("in", "sub")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("file.txt", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	slash := string(filepath.Separator)
	for _, c := range []struct{ name, input, out, suffix, want, code string }{
		{"beside the input", "in/deals.csv", "", "-results", "in/deals-results.xlsx", ""},
		{"no suffix is -results", "in/deals.csv", "", "", "in/deals-results.xlsx", ""},
		{"of a check", "in/deals.csv", "", "-check", "in/deals-check.xlsx", ""},
		{"in the current folder", "deals.xlsx", "", "", "deals-results.xlsx", ""},
		{"packed", "in/deals.csv.GZ", "", "", "in/deals-results.xlsx", ""},
		{"dots in the name", "in/deals.2026.v2.csv", "", "", "in/deals.2026.v2-results.xlsx", ""},
		{"no ending", "in/deals", "", "", "in/deals-results.xlsx", ""},
		{"an ending alone", "in/.csv", "", "", "in/leadload-results.xlsx", ""},
		{"standard input", "-", "", "", "stdin-results.xlsx", ""},
		{"no input", "", "", "", "leadload-results.xlsx", ""},
		{"our own results", "in/deals-results.xlsx", "", "", "in/deals-results.xlsx", ""},
		{"our own second results", "in/deals-results-12.xlsx", "", "", "in/deals-results.xlsx", ""},
		{"our own check", "in/deals-check.xlsx", "", "", "in/deals-results.xlsx", ""},
		{"a folder", "in/deals.csv", "out", "", "out/deals-results.xlsx", ""},
		{"a folder with a slash", "in/deals.csv", "out" + slash, "-check", "out/deals-check.xlsx", ""},
		{"a file", "in/deals.csv", "out/x.xlsx", "", "out/x.xlsx", ""},
		{"a CSV file", "in/deals.csv", "x.CSV", "", "x.CSV", ""},
		{"standard output", "in/deals.csv", "-", "", "-", ""},
		{"another ending", "in/deals.csv", "out/x.pdf", "", "", "results.ending"},
		{"no such ending", "in/deals.csv", "results", "", "", "results.ending"},
		{"a folder that is not there", "in/deals.csv", "gone" + slash, "", "gone/deals-results.xlsx", "results.folder"},
		{"a file in a folder that is not there", "in/deals.csv", "gone/x.xlsx", "", "gone/x.xlsx", "results.folder"},
		{"a file for a folder", "in/deals.csv", "file.txt/x.xlsx", "", "file.txt/x.xlsx", "results.folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := PathFor(filepath.FromSlash(c.input), filepath.FromSlash(c.out), c.suffix)
			if c.code != "" {
				var own *Error
				if !errors.As(err, &own) || own.Code != fault.Code(c.code) || own.Hint == "" || own.Error() == "" {
					t.Errorf("%v, want %s with a hint", err, c.code)
				}
				return
			}
			if err != nil || got != filepath.FromSlash(c.want) {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
	for _, dir := range []string{".", "in", "out"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name()[0] == '.' {
				t.Errorf("trying left %s in %s", e.Name(), dir)
			}
		}
	}
}

// TestPathForFolderThatTakesNoFile: better to know before anything is sent.
func TestPathForFolderThatTakesNoFile(t *testing.T) {
	if runtime.GOOS == "linux" { // also for root
		var own *Error
		if _, err := PathFor("deals.csv", "/proc/", ""); !errors.As(err, &own) || own.Code != "results.folder" || own.Hint == "" {
			t.Errorf("%v, want results.folder", err)
		}
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if f, err := os.CreateTemp(dir, ""); err == nil {
		f.Close()
		os.Remove(f.Name())
		t.Skip("this user may write everywhere")
	}
	var own *Error
	if _, err := PathFor(filepath.Join(dir, "deals.csv"), "", ""); !errors.As(err, &own) || own.Code != "results.folder" {
		t.Errorf("%v, want results.folder", err)
	}
}

func TestLine(t *testing.T) {
	totals := ledger.Counts{ledger.ResultLoaded: 412, ledger.ResultAlready: 30, ledger.ResultDuplicate: 2, ledger.ResultRejected: 5, ledger.ResultInvalid: 3, ledger.ResultSkipped: 1, ledger.ResultRepeated: 2, ledger.ResultChanged: 1}
	const counts = "loaded 412 · updated 0 · already 30 · duplicate 2 · pending 0 · rejected 5 · invalid 3 · changed 1 · in doubt 0 · not sent 0 · skipped 3 of 456 rows → "
	for out, want := range map[string]string{
		filepath.Join("some", "where", "deals-results.xlsx"): "deals-results.xlsx",
		"":  "no results file",
		"-": "standard output",
	} {
		if got := Line(totals, out); got != counts+want {
			t.Errorf("Line(…, %q) = %q", out, got)
		}
	}
}

// A name of any length gets results, and a name that no file can have is refused before anything is sent.
func TestLongNames(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{200, 230, 247, 250, 255} {
		for _, letter := range []string{"a", "ä", "語"} {
			base := strings.Repeat(letter, (n-len(".csv"))/len(letter))
			path, err := PathFor(filepath.Join(dir, base+".csv"), "", "")
			if err != nil {
				t.Errorf("%d bytes of %s: %v", n, letter, err)
				continue
			}
			for _, name := range []string{filepath.Base(path), strings.TrimSuffix(filepath.Base(path), ".xlsx") + "-9999.xlsx"} {
				if !utf8.ValidString(name) || !IsResults(name) {
					t.Errorf("%q is no name of results", name)
				}
				if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
					t.Errorf("%d bytes of %s: %v", n, letter, err)
				}
			}
		}
	}
	var own *Error
	if _, err := PathFor("deals.csv", filepath.Join(dir, strings.Repeat("x", 300)+".xlsx"), ""); !errors.As(err, &own) || own.Code != "results.folder" {
		t.Errorf("a name of 305 bytes: %v", err)
	}
}
