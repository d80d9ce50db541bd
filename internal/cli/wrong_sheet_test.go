package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"leadload/internal/fault"
)

// run runs a command in a folder of its own state and returns all it says.
func run(t *testing.T, dir string, args ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	code = Main(context.Background(), args, strings.NewReader(""), &out, &out, func(name string) string {
		if name == "HOME" || name == "XDG_STATE_HOME" {
			return dir
		}
		return ""
	})
	return code, out.String()
}

// rows are the rows of a sheet of a test's workbook, each from column A on.
type rows [][]any

// saveSheets writes a workbook with the sheets in the order of their names' list.
func saveSheets(t *testing.T, path string, names []string, sheets map[string]rows) {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, name := range names {
		if i == 0 {
			if err := f.SetSheetName("Sheet1", name); err != nil {
				t.Fatal(err)
			}
		} else if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for n, r := range sheets[name] {
			at, err := excelize.CoordinatesToCellName(1, n+1)
			if err == nil {
				err = f.SetSheetRow(name, at, &r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
}

const sheetMapping = `version: 1
target: opportunity
key: Deal ID
search_by: EmailAddress
LeadDetails: {EmailAddress: {column: Email, type: email}, FirstName: Name}
Opportunity: {OpportunityEventCode: 12000, Fields: {mx_Custom_1: City}}
`

// TestWrongSheet: where the columns are not there, one message names what was
// read, where the columns are, and what to write.
func TestWrongSheet(t *testing.T) {
	t.Parallel()
	head, deal := []any{"Deal ID", "Email", "Name", "City"}, []any{"D-1", "a@example.com", "Asha", "Pune"}
	for _, c := range []struct {
		name   string
		names  []string
		sheets map[string]rows
		want   []string
	}{
		{"a cover sheet", []string{"Instructions", "Deals"}, map[string]rows{"Instructions": {{"How to fill", "Step"}, {"Type", 1}}, "Deals": {head, deal}},
			[]string{`in.xlsx (sheet "Instructions", header in row 1) has 0 of the 4 columns that map.yaml names; not there: "Deal ID", "Email", "Name", "City"`, `the sheet "Deals" has these columns: add --sheet "Deals", or write sheet: "Deals"`}},
		{"titles and a group row", []string{"S"}, map[string]rows{"S": {{"Sales Register"}, {"Apr 2025"}, {"Pune"}, {}, head, {"North"}, deal}},
			[]string{`(sheet "S", header in row 1) has 0 of the 4 columns`, `row 5 has these names: write header_row: 5 under input:`}},
		{"both", []string{"Notes", "Data"}, map[string]rows{"Notes": {{"a", "b"}, {1, 2}}, "Data": {{"Sales Register"}, {"Apr 2025"}, head, {"North"}, deal}},
			[]string{`row 3 of the sheet "Data" has these names: write sheet: "Data" and header_row: 3 under input:`}},
		{"another file", []string{"Stock"}, map[string]rows{"Stock": {{"Item", "Price"}, {"Bolt", 1}}},
			[]string{`in.xlsx (sheet "Stock", header in row 1) has 0 of the 4 columns`, `check that this is the right file; its columns are "Item", "Price"`}},
		{"a spelling", []string{"Deals"}, map[string]rows{"Deals": {{"Deal ID", "E-Mail", "Name", "City"}, deal}},
			[]string{`LeadDetails.EmailAddress names the column "Email", which in.xlsx (sheet "Deals", header in row 1) does not have`, `did you mean "E-Mail"?`}},
		{"more columns elsewhere", []string{"Old", "New"}, map[string]rows{"Old": {head[:3], deal[:3]}, "New": {head, deal}},
			[]string{`has 3 of the 4 columns that map.yaml names; not there: "City"`, `the sheet "New" has these columns`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			input, mapping := filepath.Join(dir, "in.xlsx"), filepath.Join(dir, "map.yaml")
			saveSheets(t, input, c.names, c.sheets)
			if err := os.WriteFile(mapping, []byte(sheetMapping), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"check", input, "-m", mapping}, {"import", input, "-m", mapping, "--sandbox", "--yes"}} {
				code, said := run(t, dir, args...)
				said = strings.ReplaceAll(said, dir+string(filepath.Separator), "")
				if code != fault.Usage.Exit() {
					t.Errorf("%s: exit %d", args[0], code)
				}
				for _, w := range c.want {
					if strings.Count(said, w) != 1 {
						t.Errorf("%s does not say once %q:\n%s", args[0], w, said)
					}
				}
				if strings.Count(said, "leadload: ") != 1 {
					t.Errorf("%s says more than one thing:\n%s", args[0], said)
				}
			}
		})
	}
}

// TestStrayFile: the file of a folder that has other columns is named.
func TestStrayFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	drop := filepath.Join(dir, "drop")
	if err := os.Mkdir(drop, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"map.yaml": sheetMapping, "drop/a.csv": "Deal ID,Email,Name,City\nD-1,a@example.com,Asha,Pune\n", "drop/stray.csv": "Item,Price\nBolt,1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, said := run(t, dir, "import", drop, "-m", filepath.Join(dir, "map.yaml"), "--sandbox", "--yes", "--drop-age", "0s")
	if !strings.Contains(said, `stray.csv has 0 of the 4 columns`) || !strings.Contains(said, `its columns are "Item", "Price"`) {
		t.Errorf("the stray file is not named:\n%s", said)
	}
}

// TestResultsUnderTheirMapping: a results file is read as leadload wrote it,
// whatever the mapping says about the first file.
func TestResultsUnderTheirMapping(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	saveSheets(t, path("in.xlsx"), []string{"Notes", "Deals"}, map[string]rows{"Deals": {{"Sales"}, {}, {"Deal ID", "Email", "Name", "City"}, {"D-1", "bad@", "Asha", "Pune"}, {"D-2", "b@example.com", "Bina", "Pune"}}})
	if err := os.WriteFile(path("in.csv"), []byte("Sales\n\nDeal ID;Email;Name;City\nD-1;bad@;J\xfcrgen;Pune\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, input := range map[string]string{"in.xlsx": "input: {sheet: Deals, header_row: 3}\n", "in.csv": "input: {header_row: 3, delimiter: \";\", encoding: windows-1252}\n"} {
		if err := os.WriteFile(path("map.yaml"), []byte(sheetMapping+input), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, out := range []string{"r.xlsx", "r.csv"} {
			if code, said := run(t, dir, "check", path(name), "-m", path("map.yaml"), "-o", path(name+out)); code != fault.Person.Exit() {
				t.Fatalf("exit %d\n%s", code, said)
			}
			if code, said := run(t, dir, "check", path(name+out), "-m", path("map.yaml")); code != fault.Person.Exit() || !strings.Contains(said, "invalid 1") || !strings.Contains(said, "@") {
				t.Errorf("%s of %s: exit %d\n%s", out, name, code, said)
			}
		}
	}
}
