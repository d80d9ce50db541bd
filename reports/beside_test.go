package reports

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"

	"leadload/loader/ledger"
)

// TestLoadedBeside finds a results workbook of an import into the account, with an
// id, under the names that results have.
func TestLoadedBeside(t *testing.T) {
	loaded := ledger.Row{Number: 2, Result: ledger.ResultLoaded, ID: "x"}
	refused := ledger.Row{Number: 2, Result: ledger.ResultRejected}
	for _, c := range []struct {
		name    string
		row     ledger.Row
		account string
		command string
		file    string
		found   bool
		input   string // deals.xlsx unless it says so
		out     string // of --out, in the same folder
	}{
		{"a load", loaded, "api.example.com", "import", "deals-results.xlsx", true, "", ""},
		{"a load of another day", loaded, "api.example.com", "import", "deals-2026-11-28-results.xlsx", true, "", ""},
		{"the input is a results workbook", loaded, "api.example.com", "import", "deals.xlsx", true, "", ""},
		{"another account", loaded, "api.example.org", "import", "deals-results.xlsx", false, "", ""},
		{"no row has an id", refused, "api.example.com", "import", "deals-results.xlsx", false, "", ""},
		{"a check", loaded, "api.example.com", "check", "deals-results.xlsx", false, "", ""},
		{"another file's", loaded, "api.example.com", "import", "leads-results.xlsx", false, "", ""},
		{"of a packed file", loaded, "api.example.com", "import", "deals-results.xlsx", true, "deals.csv.gz", ""},
		{"in a file of another name", loaded, "api.example.com", "import", "out/tonight.xlsx", true, "", "out/tonight.xlsx"},
		{"in a second file of another name", loaded, "api.example.com", "import", "out/tonight-2.xlsx", true, "", "out/tonight.xlsx"},
		{"in another folder", loaded, "api.example.com", "import", "out/deals-results.xlsx", true, "", "out"},
		{"beside the file of another name", loaded, "api.example.com", "import", "out/yesterday.xlsx", false, "", "out/tonight.xlsx"},
		{"of standard input", loaded, "api.example.com", "import", "out/stdin-results.xlsx", true, "-", "out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := inputOf([]string{"Deal"}, texts("D1"))
			row := in.row(0)
			c.row.Fingerprint = row.Fingerprint()
			j := jobOf(ledgerOf(c.row), in)
			j.Run.AccountName, j.Run.Command = c.account, c.command
			made, dir := save(t, j), t.TempDir()
			path := filepath.Join(dir, c.file)
			if err := os.Mkdir(filepath.Join(dir, "out"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(made, path); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"deals-broken.xlsx": "PK", "deals-notes.txt": "x"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			input, out := filepath.Join(dir, cmp.Or(c.input, "deals.xlsx")), c.out
			if c.input == "-" {
				input = "-"
			}
			if out != "" {
				out = filepath.Join(dir, out)
			}
			got, err := LoadedBeside(input, out, "api.example.com")
			if err != nil || (got == path) != c.found || !c.found && got != "" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	if got, err := LoadedBeside("-", "", "api.example.com"); got != "" || err != nil {
		t.Errorf("of standard input: %q, %v", got, err)
	}
	if got, err := LoadedBeside(filepath.Join(t.TempDir(), "gone", "deals.csv"), "", "api.example.com"); got != "" || err != nil {
		t.Errorf("of a folder that is not there: %q, %v", got, err)
	}
}
