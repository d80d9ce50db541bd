package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

// readersFolder says where outside readers are: a folder with the Node module
// exceljs. The others are commands of the machine.
const readersFolder = "LEADLOAD_READERS"

// reader prints the rows of the sheet Failed, as a list of lists of texts.
type reader struct {
	name string
	run  func(t *testing.T, path string) [][]string
}

// script runs a program that must print JSON and nothing on stderr.
func script(t *testing.T, dir string, out any, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil || complaint(name, stderr.String()) {
		t.Fatalf("%s: %v\n%s", name, err, &stderr)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		t.Fatalf("%s printed %q: %v", name, stdout.String(), err)
	}
}

// gnumericLacks are parts of workbooks that Gnumeric 1.12 does not know and
// says so: print titles of two areas, marks of ignored errors, points of charts.
var gnumericLacks = []string{"Multiple expressions are not supported", "Unexpected element", "\tchartSpace", "\tworksheet", "declared the same namespace"}

// complaint reports whether a program has said anything about the file.
func complaint(name, said string) bool {
	for line := range strings.Lines(said) {
		if line = strings.TrimRight(line, "\n"); line == "" {
			continue
		}
		if name != "ssconvert" || !slices.ContainsFunc(gnumericLacks, func(s string) bool { return strings.Contains(line, s) }) {
			return true
		}
	}
	return false
}

func readersOf(folder string) []reader {
	return []reader{
		{"exceljs", func(t *testing.T, path string) (rows [][]string) {
			script(t, folder, &rows, "node", "-e", `
const book = new (require('exceljs')).Workbook()
book.xlsx.readFile(process.argv[1]).then(() => {
  const rows = []
  book.getWorksheet('Failed').eachRow(r => { const cells = []; r.eachCell({includeEmpty: true}, c => cells.push(c.text)); rows.push(cells) })
  console.log(JSON.stringify(rows))
}).catch(e => { console.error(String(e)); process.exit(1) })`, path)
			return rows
		}},
		{"openpyxl", func(t *testing.T, path string) (rows [][]string) {
			script(t, folder, &rows, "/usr/bin/python3", "-W", "error", "-c", `
import json, openpyxl, sys
sheet = openpyxl.load_workbook(sys.argv[1])['Failed']
print(json.dumps([['' if c.value is None else str(c.value) for c in r] for r in sheet.iter_rows()]))`, path)
			return rows
		}},
		{"gnumeric", func(t *testing.T, path string) [][]string {
			out := filepath.Join(t.TempDir(), "sheet-%n.csv")
			script(t, folder, nil, "ssconvert", "--export-file-per-sheet", "--export-type=Gnumeric_stf:stf_csv", path, out)
			f, err := os.Open(strings.Replace(out, "%n", "1", 1)) // behind the Summary
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			r := csv.NewReader(f)
			r.FieldsPerRecord = -1
			rows, err := r.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}},
	}
}

// TestOutsideReaders: programs that are not ours read a results workbook as it
// was written, without a word of complaint.
func TestOutsideReaders(t *testing.T) {
	folder := os.Getenv(readersFolder)
	if folder == "" {
		t.Skip("set " + readersFolder + " to a folder with node_modules/exceljs, and have node, python3-openpyxl, ssconvert and ruby-zip, for other programs to read a results workbook")
	}
	header := []string{"Deal ID", "Name", "Note", "Created", "Amount"}
	rows := [][]converter.Cell{
		{{Kind: converter.TextCell, Text: "00123"}, {Kind: converter.TextCell, Text: "Asha Rao"}, {Kind: converter.TextCell, Text: "=1+1"}, {Kind: converter.DateCell, Text: "46022.5", Format: "dd/mm/yyyy hh:mm"}, {Kind: converter.NumberCell, Text: "1234.5"}},
		{{Kind: converter.TextCell, Text: "D-2"}, {Kind: converter.TextCell, Text: "आशा 😀"}, {Kind: converter.TextCell, Text: "two\nlines"}, {Kind: converter.TextCell, Text: "<&\"'>"}, {Kind: converter.NumberCell, Text: "42", Format: `"INV-"0000`}},
		{{Kind: converter.FaultCell, Text: "maybe"}, {Kind: converter.TextCell, Text: " blanks "}, {Kind: converter.TextCell, Text: "+91-9876543210"}, {Kind: converter.TextCell, Text: strings.Repeat("long ", 2000)}, {}},
	}
	in := inputOf(header, rows...)
	var lines []ledger.Row
	for i := range rows {
		result := ledger.ResultInvalid
		if i == 1 {
			result = ledger.ResultInDoubt // one more sheet, with a colour of its own
		}
		lines = append(lines, ledger.Row{Number: i + 2, Origin: i + 2, Result: result, Code: "cell.fault", Error: "no", Hint: "mend", Fingerprint: print(rows[i])})
	}
	path := save(t, jobOf(ledgerOf(lines...), in))
	want := [][]string{append(append(slices.Clone(source.ResultColumns[:before]), header...), source.ResultColumns[before:]...)}
	for i, r := range rows {
		line := []string{[]string{"2", "3", "4"}[i], "", "invalid", "no", "mend"}
		for _, c := range r {
			line = append(line, c.Text)
		}
		want = append(want, line)
	}
	want[2][2] = string(ledger.ResultInDoubt.String())
	want[3][before] = "#ERROR! maybe"
	for _, r := range readersOf(folder) {
		t.Run(r.name, func(t *testing.T) {
			got := r.run(t, path)
			if len(got) != len(want) {
				t.Fatalf("%d rows, want %d: %q", len(got), len(want), got)
			}
			for i, line := range want {
				for k, cell := range line {
					if i > 0 && (k == before+3 && i == 1 || k == before+4) {
						continue // a date and numbers, which each program shows in its own way
					}
					have := ""
					if k < len(got[i]) {
						have = got[i][k]
					}
					if have != cell {
						t.Errorf("row %d, column %d: %q, want %q", i+1, k+1, have, cell)
					}
				}
				if i == 1 && (len(got[1]) < before+5 || got[1][before+3] == "" || !strings.HasPrefix(strings.ReplaceAll(got[1][before+4], ",", ""), "1234.5")) {
					t.Errorf("the date and the amount are %q", got[1])
				}
			}
		})
	}
	t.Run("rubyzip", func(t *testing.T) {
		var years map[string]int
		script(t, folder, &years, "ruby", "-rzip", "-rjson", "-e", `years = {}
Zip::File.open(ARGV[0]) { |z| z.each { |e| e.get_input_stream.read; years[e.name] = e.time.year } }
puts JSON.generate(years)`, path)
		for name, year := range years {
			if year < 2000 {
				t.Errorf("%s is of the year %d", name, year)
			}
		}
		if len(years) < 8 {
			t.Errorf("%d parts", len(years))
		}
	})
}
