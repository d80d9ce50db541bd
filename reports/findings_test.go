package reports

import (
	"bytes"
	"encoding/csv"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/loader/words"
)

var severalHeader = []string{"Row", "Key", "Result", "ID", "Note"}

// writeFindings writes one row on a sheet of several and two on that of all rows.
func writeFindings(t *testing.T, path string, out *bytes.Buffer) string {
	t.Helper()
	book, err := NewFindings(path, out,
		FindingSheet{Title: "Several", Tone: words.Odd, Header: severalHeader, Own: []string{"Deal"}},
		FindingSheet{Title: "Nothing", Tone: words.Bad, Header: severalHeader},
		FindingSheet{Title: "All rows", Tone: words.Known, Header: severalHeader, Own: []string{"Deal"}, Main: true})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	totals := words.Adopt.Counts()
	for i, result := range []int{words.Several, words.Adopted} {
		totals.Add(result, 1)
		word, note := &words.Adopt[result], strings.Repeat("long note ", 12)
		fixed := []string{[]string{"2", "3"}[i], "=D", word.Word, []string{"id-1\nid-2", "id-3"}[i], []string{note, ""}[i]}
		cells := []converter.Cell{{Text: "D", Kind: converter.TextCell}}
		if i == 0 {
			if err := book.Add(0, fixed, word, cells); err != nil {
				t.Fatal(err)
			}
		}
		if err := book.Add(2, fixed, word, cells); err != nil {
			t.Fatal(err)
		}
	}
	name, err := book.Finish(t.Context(), FindingSummary{Title: "Rows found", Facts: [][2]string{{"File", "deals.csv"}}, Totals: totals, Notes: []string{"a note"}, Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFindings reads a workbook again: its sheets, which are there only with rows, its
// texts, which are no formulas, and the height of a row whose note is long.
func TestFindings(t *testing.T) {
	f, err := excelize.OpenFile(writeFindings(t, filepath.Join(t.TempDir(), "deals-adopt.xlsx"), nil))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := strings.Join(f.GetSheetList(), "|"); got != "Summary|Several|All rows" {
		t.Errorf("sheets %s", got)
	}
	rows, err := f.GetRows("Several")
	if err != nil || len(rows) != 2 || strings.Join(rows[0], "|") != "Row|Key|Result|ID|Note|Deal" || rows[1][1] != "=D" || rows[1][3] != "id-1\nid-2" || rows[1][5] != "D" {
		t.Errorf("%q, %v", rows, err)
	}
	for row, want := range map[int]float64{2: 3 * lineHeight, 3: lineHeight} {
		if got, err := f.GetRowHeight("All rows", row); err != nil || got < want || row == 3 && got > want {
			t.Errorf("row %d is %v high (%v), want %v", row, got, err, want)
		}
	}
}

func TestFindingsAsCSV(t *testing.T) {
	var out bytes.Buffer
	if name := writeFindings(t, "-", &out); name != "-" {
		t.Errorf("named %q", name)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 3 || strings.Join(rows[0], "|") != "Row|Key|Result|ID|Note|Deal" || rows[1][1] != "'=D" || rows[2][2] != "adopted" {
		t.Errorf("%q, %v", rows, err)
	}
}

// TestFindingsFitAScreen adds up the columns of the sheet Differences: all of them must be
// seen at once on a screen of 1366 pixels, beside the row numbers and the scroll bar.
func TestFindingsFitAScreen(t *testing.T) {
	pixels := 26.0 + 20
	for _, h := range []string{"Row", "Key", "ID", "Field", "File", "Account", "Sent last", "Changed by"} {
		pixels += 7*findingWidth(h) + 5
	}
	if pixels > 1366 {
		t.Errorf("%v pixels wide", pixels)
	}
}
