package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
	"leadload/reports"
)

// TestCatalogueIsComplete holds the catalogue against the codes that the
// packages say they can report, and against those that stand in the code of
// this package and of loader.
func TestCatalogueIsComplete(t *testing.T) {
	used := map[string]string{}
	for name, codes := range map[string][]string{
		"source": source.Codes, "converter": converter.Codes, "mapping": mapping.Codes,
		"leadsquared": leadsquared.Codes, "ledger": ledger.Codes, "rows of the ledger": ledger.RowCodes, "reports": reports.Codes,
	} {
		if len(codes) == 0 {
			t.Errorf("package %s names no codes", name)
		}
		for _, c := range codes {
			used[c] = name
		}
	}
	literal := regexp.MustCompile(`(?:Code: |usage\(|fault\.Misuse\(|fault\.Stop\(|refuse\(|code: +|\.Code(?:, [^=]*)? = |Verdict, e\.Code, e\.Msg, e\.Hint = [A-Za-z.]+, )"([a-z-]+(?:\.[A-Za-z-]+)?)"`)
	var files []string
	err := filepath.WalkDir("../../loader", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "ledgertest" {
			return fs.SkipDir // its codes are invented
		}
		if err == nil && strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of package loader: %v", err)
	}
	own, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, own...) {
		if strings.HasSuffix(f, "_test.go") || f == "catalogue.go" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = f
		}
	}
	if len(used) < 100 {
		t.Fatalf("only %d codes were found: the search is broken", len(used))
	}
	for code, where := range used {
		if _, ok := lookUpCode(code); !ok {
			t.Errorf("code %q of %s is not in the catalogue", code, where)
		}
	}
	var listed []string
	for _, e := range catalogue {
		if slices.Contains(listed, e.Code) {
			t.Errorf("code %q is listed twice", e.Code)
		}
		listed = append(listed, e.Code)
		if e.What == "" || e.Do == "" || strings.HasSuffix(e.What, ".") || strings.HasSuffix(e.Do, ".") {
			t.Errorf("entry %q: a sentence without its full stop, and what to do", e.Code)
		}
	}
}
