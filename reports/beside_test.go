package reports

import (
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
	}{
		{"a load", loaded, "api.example.com", "import", "deals-results.xlsx", true},
		{"a load of another day", loaded, "api.example.com", "import", "deals-2026-11-28-results.xlsx", true},
		{"the input is a results workbook", loaded, "api.example.com", "import", "deals.xlsx", true},
		{"another account", loaded, "api.example.org", "import", "deals-results.xlsx", false},
		{"no row has an id", refused, "api.example.com", "import", "deals-results.xlsx", false},
		{"a check", loaded, "api.example.com", "check", "deals-results.xlsx", false},
		{"another file's", loaded, "api.example.com", "import", "leads-results.xlsx", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := inputOf([]string{"Deal"}, texts("D1"))
			row := in.row(0)
			c.row.Fingerprint = row.Fingerprint()
			j := jobOf(ledgerOf(c.row), in)
			j.Run.AccountName, j.Run.Command = c.account, c.command
			made, dir := save(t, j), t.TempDir()
			path := filepath.Join(dir, c.file)
			if err := os.Rename(made, path); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"deals-broken.xlsx": "PK", "deals-notes.txt": "x"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := LoadedBeside(filepath.Join(dir, "deals.xlsx"), "", "api.example.com")
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
