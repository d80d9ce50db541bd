package source

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
)

// Workbooks of random content read as excelize's own raw row iteration reads
// them, cell by cell: in memory with shared strings, streamed with inline ones.
func TestXLSXAgreesWithExcelize(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 4))
	pieces := []string{"a", "Asha ", " ", "\n", "\t", "&", "<b>", "\"", "'", "é", "आशा", "😀", "_x", "_x0041_", "=1+1", "00123", "]]>", "a longer piece of text "}
	compared := 0
	for n := range 12 {
		x := excelize.NewFile()
		stream, err := x.NewStreamWriter("Sheet1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.NewSheet("Second"); err != nil {
			t.Fatal(err)
		}
		cols := 2 + rng.IntN(30)
		head := make([]any, cols)
		for i := range head {
			head[i] = fmt.Sprintf("name %d", i)
		}
		rows := [][]any{head}
		for range rng.IntN(60) {
			row := make([]any, cols)
			for i := range row {
				switch rng.IntN(6) {
				case 0:
					row[i] = rng.Int64N(1 << 53)
				case 1:
					row[i] = math.Round(rng.NormFloat64()*1e6) / 100
				case 2:
					row[i] = rng.IntN(2) == 0
				case 3, 4:
					var s string
					for range rng.IntN(6) {
						s += pieces[rng.IntN(len(pieces))]
					}
					if strings.Contains(s, "_x") {
						s = strings.ReplaceAll(s, "\n", "") // its own escapes meet line ends
					}
					row[i] = s
				}
			}
			rows = append(rows, row)
		}
		for i, row := range rows {
			at := fmt.Sprintf("A%d", i+1)
			if err := stream.SetRow(at, row); err != nil {
				t.Fatal(err)
			}
			if err := x.SetSheetRow("Second", at, &row); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.Flush(); err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(t.TempDir(), "book.xlsx")
		if err := x.SaveAs(p); err != nil {
			t.Fatal(err)
		}
		x.Close()
		again, err := excelize.OpenFile(p, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, sheet := range []string{"Sheet1", "Second"} {
			want, err := again.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			f := open(t, p, Options{Sheet: sheet, HeaderRow: 1})
			next := 2
			for row, err := range f.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				for ; next < row.Number; next++ {
					if strings.TrimSpace(strings.Join(want[next-1], "")) != "" {
						t.Fatalf("book %d %s: row %d is left out: %q", n, sheet, next, want[next-1])
					}
				}
				next++
				for i, c := range row.Cells {
					w := ""
					if i < len(want[row.Number-1]) {
						w = want[row.Number-1][i]
					}
					switch c.Kind {
					case converter.NumberCell:
						v, err := strconv.ParseFloat(w, 64)
						if err != nil {
							t.Fatal(err)
						}
						w = strconv.FormatFloat(v, 'f', -1, 64)
					case converter.BoolCell:
						w = map[string]string{"1": "TRUE", "0": "FALSE"}[w]
					}
					if c.Text != w {
						t.Fatalf("book %d %s: %s%d is %q, want %q", n, sheet, letters(i), row.Number, c.Text, w)
					}
					compared++
				}
			}
			for ; next <= len(want); next++ {
				if strings.TrimSpace(strings.Join(want[next-1], "")) != "" {
					t.Fatalf("book %d %s: row %d is left out: %q", n, sheet, next, want[next-1])
				}
			}
		}
		again.Close()
	}
	if compared < 5000 {
		t.Errorf("only %d cells were compared", compared)
	}
}

// A pass over a sheet allocates for the sheet, not for the row.
func TestXLSXAllocations(t *testing.T) {
	count := func(rows int) float64 {
		var b strings.Builder
		b.WriteString(texts(1, "a", "b", "c", "d"))
		for i := range rows {
			fmt.Fprintf(&b, `<row r="%d"><c r="A%d" t="s"><v>0</v></c><c r="B%d"><v>1.1000000000000001</v></c><c r="C%d" s="1"><v>46000.5</v></c><c r="D%d" t="inlineStr"><is><t>a &amp; b</t></is></c></row>`, i+2, i+2, i+2, i+2, i+2)
		}
		f := open(t, newBook(b.String()).shared("<t>x</t>").styles("", 0, 14).path(t), Options{})
		return testing.AllocsPerRun(3, func() {
			for _, err := range f.Rows() {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if few, many := count(10), count(5_000); many > few+100 { // the archive's blocks have tables of their own
		t.Errorf("%v allocations for 10 rows, %v for 5,000", few, many)
	}
}
