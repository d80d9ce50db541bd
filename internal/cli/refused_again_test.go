package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leadload/internal/fault"
	"leadload/loader/source"
)

// againMapping has a field of each type, and leaves the column Spare alone.
const againMapping = `version: 1
target: opportunity
timezone: Asia/Kolkata
key: ID
search_by: EmailAddress
LeadDetails: {EmailAddress: {column: Email, type: email}, Phone: {column: Mobile, type: phone, region: IN}}
Opportunity:
  OpportunityEventCode: 12000
  OpportunityDateTime: {column: Created, type: datetime, format: dd/MM/yyyy HH:mm}
  Fields:
    mx_Custom_1: Name
    mx_Custom_2: {column: Amount, type: number, decimal: ","}
    mx_Custom_3: {column: Day, type: date, format: dd/MM/yyyy}
    mx_Custom_4: {column: Paid, type: boolean}
`

var againHeader = []string{"ID", "Email", "Mobile", "Created", "Name", "Amount", "Day", "Paid", "Spare"}

// results runs leadload check and returns the result of each row of the first file.
func results(t *testing.T, dir, input, out string) map[int]string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := []string{"check", input, "-m", filepath.Join(dir, "map.yaml"), "-o", out}
	code := Main(context.Background(), args, strings.NewReader(""), &stdout, &stderr, func(name string) string {
		if name == "HOME" || name == "XDG_STATE_HOME" {
			return dir
		}
		return ""
	})
	if _, err := os.Stat(out); err != nil {
		if code == fault.Usage.Exit() && strings.Contains(stderr.String(), "holds a header but no rows") {
			return map[int]string{}
		}
		t.Fatalf("%v: exit %d\n%s%s", args, code, &stdout, &stderr)
	}
	sheet := ""
	if strings.HasSuffix(out, ".xlsx") {
		sheet = allRows
	}
	f, err := source.Open(out, source.Options{Sheet: sheet})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := map[int]string{}
	for row, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		got[row.Origin] = strings.Clone(row.Outcome[slices.Index(source.ResultColumns, "Result")].Text)
	}
	return got
}

// only returns the rows that have the result.
func only(rows map[int]string, result string) map[int]string {
	return maps.Collect(func(yield func(int, string) bool) {
		for n, r := range rows {
			if r == result && !yield(n, r) {
				return
			}
		}
	})
}

// refusedAgain checks a file, and then what its results say to correct, with
// nothing corrected: as a workbook and as CSV, twice each.
func refusedAgain(t *testing.T, name string, content []byte) (rows map[int]string) {
	t.Helper()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for n, b := range map[string][]byte{"map.yaml": []byte(againMapping), name: content} {
		if err := os.WriteFile(path(n), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := results(t, dir, path(name), path("first.xlsx"))
	same := func(what string, got, want map[int]string) {
		t.Helper()
		for n := range max(len(got), len(want)) + 5 {
			if got[n] != want[n] {
				t.Errorf("%s, row %d was %q, and is %q from %s", name, n, want[n], got[n], what)
				if strings.HasSuffix(name, ".csv") {
					t.Logf("%q", strings.Split(string(content), "\n")[n-1])
				}
			}
		}
	}
	refused := only(first, "invalid")
	if len(refused) > 0 {
		same("the sheet Failed", results(t, dir, path("first.xlsx"), path("second.xlsx")), refused)
		same("the results of the results", results(t, dir, path("second.xlsx"), path("third.csv")), refused)
	}
	if len(first) > 0 {
		results(t, dir, path(name), path("plain.csv"))
		same("the CSV results", results(t, dir, path("plain.csv"), path("again.csv")), first)
		same("the CSV results of CSV results", results(t, dir, path("again.csv"), path("last.xlsx")), first)
	}
	return first
}

// csvCells are cells as bad files have them.
var csvCells = []string{
	"", "x", "Asha Rao", "a@example.com", "bad@", "9876543210", "+91-9876543210", "12", "1.234", "1.234,50", "1200.50", "12345678901234567", "5.01E+15", "-5", "=1+1", "'quoted", "00123",
	"31/12/2025 23:30", "31/12/2025", "2025-12-31 23:30:00", "2025-12-31", "13:30:00", "true", "no", "#N/A", "#SOMENEW!", "#NOT CALCULATED!", "####",
	"J\xfcrgen", "a\x00b", "\xff\xfe", "a\x07b", "\uFFFE", "\U0001FFFE", "_x0041_", `"a, b"`, `"Dev "the" Great"`, `"two` + "\n" + `lines"`, `"a ""b"" c"`, ` "blank before"`, `"after" x`,
	"#INVALID BYTES! J", "#EXTRA CELLS! a | b", "#MISSING CELL!", "… (cut, see the input)", "  ", "\u200b",
}

func randomCSV(rng *rand.Rand) []byte {
	var b strings.Builder
	b.WriteString(strings.Join(againHeader, ",") + "\n")
	for n := range 1 + rng.IntN(12) {
		cells := goodCells(n)
		for range rng.IntN(4) {
			cells[rng.IntN(len(cells))] = csvCells[rng.IntN(len(csvCells))]
		}
		switch rng.IntN(8) {
		case 0:
			cells = cells[:1+rng.IntN(len(cells))]
		case 1:
			cells = append(cells, csvCells[rng.IntN(len(csvCells))], "more")
		}
		b.WriteString(strings.Join(cells, ",") + "\n")
	}
	return []byte(b.String())
}

// goodCells are a row that can be sent.
func goodCells(n int) []string {
	return []string{fmt.Sprintf("D-%d", n), fmt.Sprintf("p%d@example.com", n), "9876543210", "31/12/2025 23:30", "Asha", "12", "31/12/2025", "yes", ""}
}

// xlsxCells are cells of a workbook, each as what stands inside <c r="An"…>.
var xlsxCells = []string{
	`><v>12</v>`, `><v>1.234</v>`, `><v>-0.5</v>`, `><v>9876543210</v>`, `><v>12345678901234567</v>`, `><v>4111111111111110</v>`, `><v>4111111111111111</v>`, `><v>9007199254740993</v>`, `><v>1E+30</v>`, `><v>NaN</v>`, `><v>1e400</v>`, `><v>1,5</v>`,
	` s="1"><v>46022.979166666664</v>`, ` s="1"><v>46022</v>`, ` s="1"><v>0.5</v>`, ` s="1"><v>-5</v>`, ` s="1"><v>60</v>`, ` s="1"><v>4000000</v>`, ` s="2"><v>1.25</v>`, ` s="2"><v>-1</v>`, ` s="3"><v>42</v>`,
	` t="b"><v>1</v>`, ` t="b"><v>maybe</v>`, ` t="e"><v>#N/A</v>`, ` t="e"><v>#SOMENEW!</v>`, ` t="e"><v>#¡VALOR!</v>`, ` t="d"><v>yesterday</v>`, ` t="d"><v>2025-12-31T10:00:00</v>`, `><f>1+1</f>`, `><f>1+1</f><v>2</v>`,
	` t="str"><v>text</v>`, ` t="str"><v>a_x0000_b</v>`, ` t="str"><v>a_x0007_b</v>`, ` t="str"><v>_x005F_x0007_</v>`, ` t="str"><v>_xFFFE_</v>`, ` t="str"><v>31/12/2025 23:30</v>`, ` t="str"><v>31/12/2025</v>`, ` t="str"><v>2025-12-31</v>`,
	` t="str"><v>1.234</v>`, ` t="str"><v>bad@</v>`, ` t="str"><v>00123</v>`, ` t="str"><v>=1+1</v>`, ` t="str"><v>'+91</v>`, ` t="str"><v>#UNREADABLE! maybe</v>`, ` t="str"><v>` + strings.Repeat("long ", 8000) + `</v>`, ` t="str"><v>  </v>`,
}

func randomXLSX(t *testing.T, rng *rand.Rand) []byte {
	var rows strings.Builder
	row := func(n int, cells []string) {
		fmt.Fprintf(&rows, `<row r="%d">`, n)
		for i, c := range cells {
			if c != "" {
				fmt.Fprintf(&rows, `<c r="%c%d"%s</c>`, 'A'+i, n, c)
			}
		}
		rows.WriteString(`</row>`)
	}
	text := func(cells []string) (out []string) {
		for _, c := range cells {
			out = append(out, ` t="str"><v>`+c+`</v>`)
		}
		return out
	}
	row(1, text(againHeader))
	for n := range 1 + rng.IntN(12) {
		cells := text(goodCells(n))
		for range rng.IntN(4) {
			cells[rng.IntN(len(cells))] = xlsxCells[rng.IntN(len(xlsxCells))]
		}
		row(n+2, cells)
	}
	return workbook(t, rows.String())
}

// workbook is a workbook of one sheet with the formats that xlsxCells name.
func workbook(t *testing.T, rows string) []byte {
	t.Helper()
	const main, rel = ` xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`, "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	const links = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range [][2]string{
		{"_rels/.rels", links + `<Relationship Id="rId1" Type="` + rel + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook` + main + ` xmlns:r="` + rel + `"><sheets><sheet name="Deals" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", links + `<Relationship Id="rId1" Type="` + rel + `/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="` + rel + `/styles" Target="styles.xml"/></Relationships>`},
		{"xl/styles.xml", `<styleSheet` + main + `><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm"/><numFmt numFmtId="165" formatCode="[h]:mm"/><numFmt numFmtId="166" formatCode="00000"/></numFmts><cellXfs>` +
			`<xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>`},
		{"xl/worksheets/sheet1.xml", `<worksheet` + main + `><sheetData>` + rows + `</sheetData></worksheet>`},
	} {
		w, err := z.Create(p[0])
		if err == nil {
			_, err = w.Write([]byte(p[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRefusedAgain: each fault of a file alone, in a column that is mapped and
// in one that is not.
func TestRefusedAgain(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(strings.Join(againHeader, ",") + "\n")
	n := 0
	for _, c := range csvCells {
		for _, col := range []int{4, 8} {
			cells := goodCells(n)
			cells[col] = c
			text.WriteString(strings.Join(cells, ",") + "\n")
			n++
		}
	}
	text.WriteString("S-1,s@example.com\nL-1,l@example.com,,,Asha,,,,,more,cells\n")
	if rows := refusedAgain(t, "all.csv", []byte(text.String())); len(only(rows, "invalid")) < 15 || len(only(rows, "would send")) < 30 {
		t.Errorf("the file proves too little: %v", rows)
	}
	var rows strings.Builder
	n = 1
	for _, c := range append([]string{""}, xlsxCells...) {
		for _, col := range []int{0, 2, 3, 4, 5, 6, 7, 8} {
			cells := againHeader
			if n > 1 {
				cells = goodCells(n)
			}
			fmt.Fprintf(&rows, `<row r="%d">`, n)
			for i, v := range cells {
				if n > 1 && i == col {
					fmt.Fprintf(&rows, `<c r="%c%d"%s</c>`, 'A'+i, n, c)
				} else {
					fmt.Fprintf(&rows, `<c r="%c%d" t="str"><v>%s</v></c>`, 'A'+i, n, v)
				}
			}
			rows.WriteString(`</row>`)
			n++
			if c == "" {
				break
			}
		}
	}
	if rows := refusedAgain(t, "all.xlsx", workbook(t, rows.String())); len(only(rows, "invalid")) < 100 || len(only(rows, "would send")) < 60 {
		t.Errorf("the file proves too little: %d, %d", len(only(rows, "invalid")), len(only(rows, "would send")))
	}
}

// TestRefusedAgainAtRandom: whatever faults a file has, its refused rows are
// refused again until somebody corrects them, and nothing else is.
func TestRefusedAgainAtRandom(t *testing.T) {
	t.Parallel()
	invalid, sent := 0, 0
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 17))
		for name, content := range map[string][]byte{"in.csv": randomCSV(rng), "in.xlsx": randomXLSX(t, rng)} {
			rows := refusedAgain(t, name, content)
			invalid += len(only(rows, "invalid"))
			sent += len(only(rows, "would send"))
		}
	}
	if invalid < 40 || sent < 20 {
		t.Errorf("%d rows refused, %d taken: too few to prove anything", invalid, sent)
	}
}
