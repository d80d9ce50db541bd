package reports

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/loader/ledger"
)

var update = flag.Bool("update", false, "write the golden files anew")

// save writes a job's workbook and gives its path.
func save(t testing.TB, j *job) string {
	t.Helper()
	name, err := j.write(context.Background(), filepath.Join(t.TempDir(), "deals-results.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// rowsOf reads a sheet's cells as they are stored.
func rowsOf(t testing.TB, path, sheet string) [][]string {
	t.Helper()
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func sheetsOf(t testing.TB, path string) []string {
	t.Helper()
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.GetSheetList()
}

// every is one row of each result, with an input that has what is hard to keep.
func every() *job {
	at := time.Date(2026, 11, 22, 4, 30, 5, 0, time.UTC)
	in := inputOf([]string{"Deal ID", "Mobile", "Remarks"},
		texts("00123", "09876543210", "=1+1"),
		texts("00124", "+91-9876543210", "@home"),
		texts("00125", "91987654321012345678", "-"),
		texts("00126", "", "two\nlines"),
		texts("00127", "1E5", " padded "),
		texts("00128", "", "हिन्दी 😀"),
		texts("00129", "", "a<b&c>\"d\""),
		texts("00130", "", "_x0041_"),
		texts("00131", "", "x"),
		texts("00132", "", "x"),
		texts("00133", "", "x"),
		texts("00134", "", "x"),
	)
	kinds := []ledger.Row{
		{Result: ledger.ResultLoaded, ID: "11111111-0000-0000-0000-000000000001", LeadID: "22222222-0000-0000-0000-000000000001", Attempts: 1, SentAt: at},
		{Result: ledger.ResultAlready, ID: "11111111-0000-0000-0000-000000000002"},
		{Result: ledger.ResultDuplicate, ID: "00000000000000000012345", LeadID: "22222222-0000-0000-0000-000000000003", Attempts: 2, SentAt: at.Add(time.Second)},
		{Result: ledger.ResultPending, RequestID: "33333333-0000-0000-0000-000000000004", Attempts: 1, SentAt: at},
		{Result: ledger.ResultRejected, Code: "MXInvalidOptionValueException", Error: "the account says: Invalid value", Hint: "use one of the field's values", Attempts: 1, SentAt: at},
		{Result: ledger.ResultInvalid, Code: "datetime.format", Error: `Created at: "31/02/2025" is no date`, Hint: "correct the date", Origin: 1007},
		{Result: ledger.ResultInDoubt, Code: "call.timeout", Error: "no answer came within 60 s", Hint: "run leadload settle", Attempts: 1, SentAt: at, Candidates: []string{"aaa", "bbb"}},
		{Result: ledger.ResultNotSent},
		{Result: ledger.ResultSkipped},
		{Result: ledger.ResultRepeated, Code: "row.repeated", Error: "the key 00123 is already in row 2", Hint: "delete one of the two rows"},
		{Result: ledger.ResultChanged, Code: "row.changed", Error: "loaded on 2026-11-02 with other values: Amount", Hint: "correct the record in LeadSquared"},
		{Result: ledger.ResultInvalid, Code: "datetime.format", Error: `Created at: "32/01/2025" is no date`, Hint: "correct the date"},
	}
	for i := range kinds {
		cells := in.row(i).Cells
		kinds[i].Number, kinds[i].Fingerprint, kinds[i].Key = i+2, print(cells), cells[0].Text
		if kinds[i].Origin == 0 {
			kinds[i].Origin = i + 2
		}
	}
	j := jobOf(ledgerOf(kinds...), in)
	j.Next = []string{"leadload import deals-results.xlsx --sheet Failed -m deals.yaml", "leadload settle"}
	j.Notes = []string{"the mapping uses neither Column A nor Column B"}
	return j
}

// TestWorkbookGolden compares every cell of every sheet with testdata/workbook.golden.
func TestWorkbookGolden(t *testing.T) {
	path := save(t, every())
	var b strings.Builder
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for r, row := range rows {
			for c, v := range row {
				if v == "" {
					continue
				}
				at, err := excelize.CoordinatesToCellName(c+1, r+1)
				if err != nil {
					t.Fatal(err)
				}
				kind, err := f.GetCellType(sheet, at)
				if err != nil {
					t.Fatal(err)
				}
				what := "text"
				if kind == excelize.CellTypeUnset || kind == excelize.CellTypeNumber {
					what = "number"
				}
				fmt.Fprintf(&b, "%s!%s %s %q\n", sheet, at, what, v)
			}
		}
	}
	golden := filepath.Join("testdata", "workbook.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wants := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wants)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(wants) {
			w = wants[i]
		}
		if g != w {
			t.Fatalf("line %d of the golden file:\n got %s\nwant %s\n(go test -run Golden -update writes it anew)", i+1, g, w)
		}
	}
}

// TestWorkbookIsSound reads every part as XML and looks for what must not be.
func TestWorkbookIsSound(t *testing.T) {
	path := save(t, every())
	if info, err := os.Stat(path); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0) {
		t.Errorf("mode %v, %v; others may read it", info.Mode(), err)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	sheets := 0
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		dec := xml.NewDecoder(r)
		for {
			tok, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", part.Name, err)
			}
			if el, ok := tok.(xml.StartElement); ok && strings.HasPrefix(part.Name, "xl/worksheets/") {
				switch el.Name.Local {
				case "f":
					t.Errorf("%s has a formula", part.Name)
				case "dimension":
					if part.Name != "xl/worksheets/sheet1.xml" {
						t.Errorf("%s states a size that it cannot know", part.Name)
					}
				case "worksheet":
					sheets++
				}
			}
		}
		r.Close()
	}
	if sheets != 5 {
		t.Errorf("%d sheets, want Summary, Failed, All rows, In doubt and Pending", sheets)
	}
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, want := fmt.Sprint(f.GetSheetList()), "[Summary Failed All rows In doubt Pending]"; got != want {
		t.Errorf("sheets %s, want %s", got, want)
	}
	if f.GetActiveSheetIndex() != 0 {
		t.Errorf("the workbook opens at sheet %d", f.GetActiveSheetIndex())
	}
	panes, err := f.GetPanes("Failed")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("header not frozen: %+v, %v", panes, err)
	}
	filters := map[string]string{}
	for _, d := range f.GetDefinedName() {
		filters[d.Scope+" "+d.Name] = d.RefersTo
	}
	for name, want := range map[string]string{
		"All rows _xlnm._FilterDatabase": "'All rows'!$A$1:$L$13",
		"All rows _xlnm.Print_Titles":    "'All rows'!$A:$C,'All rows'!$1:$1",
		"Pending _xlnm._FilterDatabase":  "'Pending'!$A$1:$M$2",
	} {
		if filters[name] != want {
			t.Errorf("%s is %q, want %q", name, filters[name], want)
		}
	}
	if charts, err := f.GetPictures("Summary", "H4"); err != nil || len(charts) != 0 {
		t.Errorf("%d pictures, %v; the chart is to be a native one", len(charts), err)
	}
	if _, ok := f.Pkg.Load("xl/charts/chart1.xml"); !ok {
		t.Error("no chart")
	}
}

func TestSheetsOnlyWhenNeeded(t *testing.T) {
	path := save(t, jobOf(ledgerOf(ledger.Row{Number: 2, Origin: 2, Result: ledger.ResultLoaded, ID: "x"}), nil))
	if got, want := fmt.Sprint(sheetsOf(t, path)), "[Summary Failed All rows]"; got != want {
		t.Errorf("sheets %s, want %s", got, want)
	}
	if rows := rowsOf(t, path, "Failed"); len(rows) != 1 || rows[0][0] != "Row" {
		t.Errorf("Failed holds %q, want the header alone", rows)
	}
}

func TestWithoutRows(t *testing.T) {
	j := newJob(Report{})
	path := save(t, j)
	if got := rowsOf(t, path, "Summary")[0][0]; got != "There was no row to load." {
		t.Errorf("headline %q", got)
	}
}

// TestManySheetsInOrder: the sheets are in order also when a sheet beyond the
// first is begun before those in front of it.
func TestManySheetsInOrder(t *testing.T) {
	defer func(n, m int) { sheetRows, sampleRows = n, m }(sheetRows, sampleRows)
	sheetRows, sampleRows = 10, 3
	var rows []ledger.Row
	for i := range 31 {
		r := ledger.Row{Number: i + 2, Origin: i + 2, Result: ledger.ResultLoaded, ID: strconv.Itoa(i)}
		if i >= 19 {
			r.Result, r.ID = ledger.ResultInDoubt, ""
		}
		rows = append(rows, r)
	}
	path := save(t, jobOf(ledgerOf(rows...), nil))
	want := "[Summary Failed Failed (2) All rows All rows (2) All rows (3) All rows (4) In doubt In doubt (2)]"
	if got := fmt.Sprint(sheetsOf(t, path)); got != want {
		t.Fatalf("sheets\n%s, want\n%s", got, want)
	}
	n := 2
	for i, sheet := range []string{"All rows", "All rows (2)", "All rows (3)", "All rows (4)"} {
		got := rowsOf(t, path, sheet)
		if got[0][0] != "Row" {
			t.Errorf("%s has no header", sheet)
		}
		if size := min(10, 31-10*i); len(got)-1 != size {
			t.Errorf("%s has %d rows, want %d", sheet, len(got)-1, size)
		}
		for _, r := range got[1:] {
			if r[0] != strconv.Itoa(n) {
				t.Fatalf("%s: row %s, want %d", sheet, r[0], n)
			}
			n++
		}
	}
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, d := range f.GetDefinedName() {
		if !strings.HasPrefix(d.RefersTo, "'"+d.Scope+"'!") && d.Scope != "Summary" {
			t.Errorf("%s of sheet %s points to %s", d.Name, d.Scope, d.RefersTo)
		}
	}
}

// TestSheetLimit: the sheet's limit is Excel's.
func TestSheetLimit(t *testing.T) {
	if sheetRows+1 != excelize.TotalRows {
		t.Errorf("%d rows and a header, a sheet has %d", sheetRows, excelize.TotalRows)
	}
}

func TestTextThatDoesNotFit(t *testing.T) {
	long := strings.Repeat("ab😀", 10000) // 40,000 units
	in := inputOf([]string{"A", "B", "C", "D"}, texts(long, strings.Repeat("x", cellLimit), "a\x00b\x1fc", "bad \xff\xfe bytes"))
	row := ledger.Row{Number: 2, Origin: 2, Result: ledger.ResultRejected, Fingerprint: print(in.row(0).Cells)} // on two sheets, counted once
	path := save(t, jobOf(ledgerOf(row), in))
	got := rowsOf(t, path, "All rows")[1][before:]
	if units(got[0]) > cellLimit || !strings.HasSuffix(got[0], cutMark) || !strings.HasPrefix(long, strings.TrimSuffix(got[0], cutMark)) {
		t.Errorf("the long text became %d units ending in %q", units(got[0]), got[0][len(got[0])-40:])
	}
	if units(got[0]) < cellLimit-2 {
		t.Errorf("cut to %d units, more than needed", units(got[0]))
	}
	if got[1] != strings.Repeat("x", cellLimit) {
		t.Errorf("a text of just the limit became %d characters", len(got[1]))
	}
	if got[2] != "a\x00b\x1fc" || !strings.HasPrefix(got[3], "bad \uFFFD") {
		t.Errorf("control characters became %q and %q", got[2], got[3])
	}
	notes := fmt.Sprint(rowsOf(t, path, "Summary"))
	for _, want := range []string{"1 cell was longer", "1 cell has bytes that are no text"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the Summary does not say %q", want)
		}
	}
}

func TestTooManyColumns(t *testing.T) {
	if maxColumns != excelize.MaxColumns {
		t.Errorf("%d columns, a sheet has %d", maxColumns, excelize.MaxColumns)
	}
	defer func(n int) { maxColumns = n }(maxColumns)
	maxColumns = 300 // more than get a width of their own
	header := make([]string, maxColumns)
	for i := range header {
		header[i] = "c" + strconv.Itoa(i)
	}
	in := inputOf(header, texts(header...))
	row := ledger.Row{Number: 2, Origin: 2, Result: ledger.ResultLoaded, Fingerprint: print(in.row(0).Cells)}
	path := save(t, jobOf(ledgerOf(row), in))
	rows := rowsOf(t, path, "All rows")
	own := maxColumns - numColumns
	if len(rows[0]) != maxColumns || rows[0][maxColumns-1] != "Sent at" || rows[1][before+own-1] != "c"+strconv.Itoa(own-1) || len(rows[1]) != before+own {
		t.Errorf("%d columns in the header, %d below", len(rows[0]), len(rows[1]))
	}
	if notes := fmt.Sprint(rowsOf(t, path, "Summary")); !strings.Contains(notes, "10 columns of the input do not fit") {
		t.Error("the Summary does not say that columns are left out")
	}
}

// TestCellsOfAWorkbook writes what an XLSX input holds.
func TestCellsOfAWorkbook(t *testing.T) {
	cells := []converter.Cell{
		{Kind: converter.DateCell, Text: "46000.395833333336", Format: "dd/mm/yyyy hh:mm"},
		{Kind: converter.DateCell, Text: "46001", Format: ""},
		{Kind: converter.NumberCell, Text: "919876543210"},
		{Kind: converter.NumberCell, Text: "1.234"},
		{Kind: converter.NumberCell, Text: "0.1000000000000000055511151231257827"},
		{Kind: converter.BoolCell, Text: "TRUE"},
		{Kind: converter.FaultCell, Text: "#N/A"},
		{Kind: converter.EmptyCell},
		{Kind: converter.TextCell, Text: "0.50"},
		{Kind: converter.DateCell, Text: "no number", Format: "dd/mm/yyyy"},
	}
	in := inputOf([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, cells)
	row := ledger.Row{Number: 2, Origin: 2, Result: ledger.ResultRejected, Fingerprint: print(cells)}
	path := save(t, jobOf(ledgerOf(row), in))
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, want := range []struct{ kind, text string }{
		{"number", "46000.395833333336"}, {"number", "46001"}, {"text", "919876543210"}, {"number", "1.234"},
		{"text", "0.1000000000000000055511151231257827"}, {"text", "TRUE"}, {"text", "#N/A"}, {"", ""}, {"text", "0.50"}, {"text", "no number"},
	} {
		at, err := excelize.CoordinatesToCellName(before+i+1, 2)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.GetCellValue("Failed", at, excelize.Options{RawCellValue: true})
		if err != nil || got != want.text {
			t.Errorf("%s is %q, %v; want %q", at, got, err, want.text)
		}
		typ, err := f.GetCellType("Failed", at)
		if err != nil {
			t.Fatal(err)
		}
		if kind := map[excelize.CellType]string{excelize.CellTypeUnset: "number", excelize.CellTypeNumber: "number", excelize.CellTypeInlineString: "text"}[typ]; want.kind != "" && kind != want.kind {
			t.Errorf("%s %q is a %s, want %s", at, got, kind, want.kind)
		}
	}
	for i, least := range []float64{float64(len("dd/mm/yyyy hh:mm")), float64(len(defaultDateFormat))} { // narrower columns show #### for a date
		name, err := excelize.ColumnNumberToName(before + i + 1)
		if err != nil {
			t.Fatal(err)
		}
		if w, err := f.GetColWidth("Failed", name); err != nil || w < least {
			t.Errorf("column %s is %v wide, %v; its dates take %v", name, w, err, least)
		}
	}
	style, err := f.GetCellStyle("Failed", "F2")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.GetStyle(style); err != nil || s.CustomNumFmt == nil || *s.CustomNumFmt != "dd/mm/yyyy hh:mm" {
		t.Errorf("the date's number format is %+v, %v", s, err)
	}
}

// TestEndlessFormats: a file with a number format for each cell does not grow
// the styles beyond what Excel opens.
func TestEndlessFormats(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	s, err := newStyles(f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		s.date(fmt.Sprintf("yyyy %q", strconv.Itoa(i)))
	}
	if n := len(f.Styles.NumFmts.NumFmt); n > 200 {
		t.Errorf("%d number formats", n)
	}
	if len(s.dates) > 4*maxFormats {
		t.Errorf("%d remembered", len(s.dates))
	}
}

// TestColours computes the contrast of every look as WCAG defines it; 4.5 is
// its bound for text.
func TestColours(t *testing.T) {
	light := func(hex string) float64 {
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		part := func(v uint64) float64 {
			c := float64(v&0xff) / 255
			if c <= 0.03928 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
	}
	var seen ledger.Counts
	for _, r := range shownOrder {
		seen.Add(r, 1)
		l := looks[r]
		if l.ground == "" || l.ink == "" || l.bar == "" {
			t.Errorf("%s has no look", r)
			continue
		}
		if c := (light(l.ground) + 0.05) / (light(l.ink) + 0.05); c < 4.5 {
			t.Errorf("%s: contrast %.1f", r, c)
		}
	}
	for r := ledger.ResultLoaded; int(r) < ledger.NumResults; r++ {
		if seen[r] != 1 {
			t.Errorf("%s is %d times in the order shown, want once", r, seen[r])
		}
	}
}

// TestLargeParts: a part beyond 4 GiB says so in its own header.
func TestLargeParts(t *testing.T) {
	defer func(n int64) { zip64From = n }(zip64From)
	zip64From = 5000
	path := save(t, every())
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	large := 0
	for _, part := range z.File {
		data, err := part.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		header := data - localHeader - int64(len(part.Name)) - int64(len(part.Extra))
		if string(b[header:header+4]) != "PK\x03\x04" {
			t.Fatalf("%s: no header where it should be", part.Name)
		}
		version := binary.LittleEndian.Uint16(b[header+4:])
		want := uint16(20)
		if part.UncompressedSize64 >= 5000 {
			want = 45
			large++
		}
		if version != want {
			t.Errorf("%s of %d bytes asks for version %d, want %d", part.Name, part.UncompressedSize64, version, want)
		}
	}
	if large == 0 {
		t.Error("no part was large enough to prove anything")
	}
	if rows := rowsOf(t, path, "All rows"); len(rows) != 13 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestArchiveForgetsNoError(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	a := newArchive(context.Background(), f, 0, time.Now())
	w, err := a.Create("one")
	if err != nil {
		t.Fatal(err)
	}
	f.Close() // from here on every write fails
	var failed error
	for range 200 {
		block := make([]byte, 1<<16)
		for i := range block {
			block[i] = byte(i * i >> 3)
		}
		if _, err := w.Write(block); err != nil {
			failed = err
		}
	}
	if err := a.Close(); err == nil || !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close gave %v after a write gave %v", err, failed)
	}
}
