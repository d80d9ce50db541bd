package source

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/xuri/excelize/v2"
)

const benchCols = 15

// benchCSV is a table like those of an ERP: fifteen columns, one row in ten
// with a quoted cell of two lines.
func benchCSV(b *testing.B, rows int) string {
	b.Helper()
	var out bytes.Buffer
	out.WriteString("Deal ID,Contact,Email,Mobile,City,Created at,Amount,Stage,Product,Owner,Source,Score,Remarks,Region,Notes\n")
	for i := range rows {
		fmt.Fprintf(&out, "D-%07d,Asha Verma %d,asha%d@example.com,98%08d,Bengaluru,%02d/03/2026 %02d:%02d,%d.50,Closed Won,Home Loan,ravi@example.in,Website,%d,",
			i, i, i, i, i%28+1, i%24, i%60, 100000+i, i%100)
		if i%10 == 0 {
			out.WriteString("\"called twice,\nsaid \"\"later\"\"\"")
		} else {
			out.WriteString("no remark to speak of")
		}
		out.WriteString(",South,follow up next week please\n")
	}
	name := filepath.Join(b.TempDir(), "bench.csv")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkCSV reads 100,000 rows. encoding/csv with ReuseRecord doing
// nothing stands beside it, so that the ratio can be read off in one run:
//
//	go test -run - -bench CSV ./loader/source/
func BenchmarkCSV(b *testing.B) {
	const rows = 100_000
	name := benchCSV(b, rows)
	report := func(b *testing.B) {
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			benchRead(b, name, rows, false)
		}
		report(b)
	})
	b.Run("source with fingerprints", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			benchRead(b, name, rows, true)
		}
		report(b)
	})
	b.Run("encoding csv", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, err := os.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			r := csv.NewReader(f)
			r.ReuseRecord = true
			n := -1
			for {
				if _, err := r.Read(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
				n++
			}
			f.Close()
			if n != rows {
				b.Fatalf("%d rows", n)
			}
		}
		report(b)
	})
}

func benchRead(b *testing.B, name string, rows int, hash bool) {
	b.Helper()
	f, err := Open(name, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	n := 0
	var sum uint64
	for row, err := range f.Rows() {
		if err != nil {
			b.Fatal(err)
		}
		if len(row.Faults) > 0 {
			b.Fatal(row.Faults[0])
		}
		if hash {
			sum ^= row.Fingerprint()
		}
		n++
	}
	if n != rows || (hash && sum == 0) {
		b.Fatalf("%d rows, %x", n, sum)
	}
}

// benchXLSX writes a workbook as Excel does: texts shared, numbers and dates
// as numbers with styles.
func benchXLSX(b *testing.B, rows int) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "bench.xlsx")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	z := zip.NewWriter(f)
	part := func(name, content string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	part("[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`)
	part("_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	part("xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Deals" sheetId="1" r:id="rId1"/></sheets></workbook>`)
	part("xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>`)
	part("xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\ hh:mm"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>`)
	var shared bytes.Buffer
	count := 0
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		b.Fatal(err)
	}
	io.WriteString(w, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"+`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	var row bytes.Buffer
	for i := range rows + 1 {
		row.Reset()
		fmt.Fprintf(&row, `<row r="%d" spans="1:15">`, i+1)
		for c := range benchCols {
			ref := letters(c) + strconv.Itoa(i+1)
			switch {
			case i == 0:
				fmt.Fprintf(&row, `<c r="%s" t="s"><v>%d</v></c>`, ref, count)
				fmt.Fprintf(&shared, "<si><t>Column %d</t></si>", c)
				count++
			case c == 3:
				fmt.Fprintf(&row, `<c r="%s"><v>%d</v></c>`, ref, 919800000000+i)
			case c == 5:
				fmt.Fprintf(&row, `<c r="%s" s="1"><v>%v</v></c>`, ref, 46000+float64(i%1440)/1440)
			case c == 6:
				fmt.Fprintf(&row, `<c r="%s"><v>%d.5</v></c>`, ref, i)
			case c == 7 || c > 10:
				fmt.Fprintf(&row, `<c r="%s" t="s"><v>%d</v></c>`, ref, c)
			default:
				fmt.Fprintf(&row, `<c r="%s" t="s"><v>%d</v></c>`, ref, count)
				fmt.Fprintf(&shared, "<si><t>text %d of column %d</t></si>", i, c)
				count++
			}
		}
		row.WriteString("</row>")
		w.Write(row.Bytes())
	}
	io.WriteString(w, `</sheetData></worksheet>`)
	part("xl/sharedStrings.xml", `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`+shared.String()+`</sst>`)
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkXLSX reads 20,000 rows of fifteen columns, excelize's raw row
// iteration beside it.
func BenchmarkXLSX(b *testing.B) {
	rows := 20_000
	if s := os.Getenv("LEADLOAD_BENCH_ROWS"); s != "" {
		rows, _ = strconv.Atoi(s)
	}
	name := benchXLSX(b, rows)
	report := func(b *testing.B) {
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			benchRead(b, name, rows, false)
		}
		report(b)
	})
	b.Run("excelize raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, err := excelize.OpenFile(name, excelize.Options{RawCellValue: true})
			if err != nil {
				b.Fatal(err)
			}
			it, err := f.Rows("Deals")
			if err != nil {
				b.Fatal(err)
			}
			n := -1
			for it.Next() {
				if _, err := it.Columns(); err != nil {
					b.Fatal(err)
				}
				n++
			}
			it.Close()
			f.Close()
			if n != rows {
				b.Fatalf("%d rows", n)
			}
		}
		report(b)
	})
}

// BenchmarkOpen opens a small file of each kind, as every start of the
// program does.
func BenchmarkOpen(b *testing.B) {
	for _, c := range []struct{ name, path string }{
		{"csv", file(b, "in.csv", "a,b\n1,2\n")},
		{"xlsx", newBook(texts(1, "a", "b") + texts(2, "1", "2")).path(b)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := Open(c.path, Options{})
				if err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
	}
}
