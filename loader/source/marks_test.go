package source

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"leadload/converter"
)

// resultsCSV writes rows as a results CSV keeps them.
func resultsCSV(t *testing.T, header []string, rows []*Row, typed bool) string {
	t.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	write := func(own []string, letters []byte, head bool) {
		line := []string{"7", "k", "invalid", "e", "h"}
		behind := []string{"", "", "", ""}
		last := PlainTypes(letters)
		if head {
			line, behind, last = slices.Clone(ResultColumns[:ResultsBefore]), ResultColumns[ResultsBefore:], TypesColumn
		}
		for _, c := range own {
			line = append(line, Guard(c))
		}
		if line = append(line, behind...); typed {
			line = append(line, last)
		}
		if err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	write(header, nil, true)
	for _, r := range rows {
		var own []string
		var letters []byte
		for _, c := range r.Kept() {
			text, letter := Plain(c)
			own, letters = append(own, text), append(letters, letter)
		}
		write(own, letters, false)
	}
	if w.Flush(); w.Error() != nil {
		t.Fatal(w.Error())
	}
	return b.String()
}

// codes are the codes of a row's faults and their columns.
func codes(r *Row) string {
	var out []string
	for _, e := range r.Faults {
		out = append(out, string(e.Code)+" "+e.Column)
	}
	return strings.Join(out, ", ")
}

// TestFaultsAreKept: a row that the file's faults refuse is refused again when
// it comes from a results file, with what could be read of it.
func TestFaultsAreKept(t *testing.T) {
	for _, c := range []struct{ name, row, kept, codes string }{
		{"bytes", "D\xe9,x,y", `!#INVALID BYTES! D\xE9|x|y`, "cell.encoding A"},
		{"NUL", "a\x00b,x,y", `!#NUL BYTE! a\x00b|x|y`, "cell.nul A"},
		{"quotes", `a,"Dev "the" Great",y`, `a|!#QUOTES! "Dev "the" Great"|y`, "cell.after-quote B"},
		{"one cell too few", "a,b", "a|b|!#MISSING CELL!", "row.too-short C"},
		{"two cells too few", "a", "a|!#MISSING CELL!|!#MISSING CELL!", "row.too-short B, row.too-short C"},
		{"one cell too many", "a,b,c,d", "a|b|!#EXTRA CELLS! c | d", "row.too-long C"},
		{"empty, and cells too many", "a,,,,d,", "a||!#EXTRA CELLS!  |  | d | ", "row.too-long C"},
		{"bytes and too few", "D\xe9,x", `!#INVALID BYTES! D\xE9|x|!#MISSING CELL!`, "cell.encoding A, row.too-short C"},
		{"bytes in the last and too many", "a,b,\xe9,d", `a|b|!#EXTRA CELLS! \xE9 | d`, "row.too-long C"},
		{"known error", "#N/A,b,c", "!#N/A|b|c", ""},
		{"never calculated", "#NOT CALCULATED!,b,c", "!#NOT CALCULATED!|b|c", ""},
		{"formula", "=1+1,'b,c", "=1+1|'b|c", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, file(t, "in.csv", "A,B,C\n"+c.row+"\n"), Options{})
			if c.codes != "" && codes(s.rows[0]) == "" {
				t.Fatal("the first file has no fault")
			}
			for pass := range 3 { // the results of the results of the results
				s = readAll(t, file(t, "in.csv", resultsCSV(t, s.header, s.rows, false)), Options{})
				if got := strings.TrimPrefix(strings.Split(strings.TrimSpace(s.lines()), " [")[0], "2: "); got != c.kept {
					t.Errorf("pass %d: kept as %s, want %s", pass, got, c.kept)
				}
				if got := codes(s.rows[0]); got != c.codes {
					t.Errorf("pass %d: refused for %q, want %q", pass, got, c.codes)
				}
			}
		})
	}
	// A workbook's cells.
	s := readAll(t, cellsBook(` t="b"><v>maybe</v>`, `><v>NaN</v>`, ` t="e"><v>#SOMENEW!</v>`, ` t="str"><v>a_x0000_b</v>`, ` t="d"><v>yesterday</v>`, ` t="e"><v>#N/A</v>`).path(t), Options{})
	s.want(t, "v", "2: !maybe [cell.unreadable v]\n3: !NaN [cell.unreadable v]\n4: !#SOMENEW!\n5: !a\\x00b [cell.nul v]\n6: !yesterday [cell.unreadable v]\n7: !#N/A")
	for range 2 {
		s = readAll(t, file(t, "in.csv", resultsCSV(t, s.header, s.rows, true)), Options{})
		s.want(t, "v", "2: !#UNREADABLE! maybe [cell.unreadable v]\n3: !#UNREADABLE! NaN [cell.unreadable v]\n4: !#ERROR! #SOMENEW! [cell.unreadable v]\n"+
			"5: !#NUL BYTE! a\\x00b [cell.nul v]\n6: !#UNREADABLE! yesterday [cell.unreadable v]\n7: !#N/A")
	}
}

// TestMarksAreLifted: whoever writes over the mark has mended the row.
func TestMarksAreLifted(t *testing.T) {
	head := strings.Join(ResultColumns[:ResultsBefore], ",") + ",A,B," + strings.Join(ResultColumns[ResultsBefore:], ",") + "\n"
	for _, c := range []struct{ name, cells, rows string }{
		{"bytes", `#INVALID BYTES! J\xFCrgen,x`, `2: !#INVALID BYTES! J\xFCrgen|x [cell.encoding A]`},
		{"mended", `Jürgen,x`, `2: Jürgen|x`},
		{"the mark alone", `#INVALID BYTES!,x`, `2: !#INVALID BYTES!|x [cell.encoding A]`},
		{"emptied", `,x`, `2: |x`},
		{"cut", `"text… (cut, see the input)",x`, `2: !text… (cut, see the input)|x [cell.cut A]`},
		{"put back", `the whole text,x`, `2: the whole text|x`},
		{"not quite a mark", `#INVALID BYTES!x,#MISSING CELLS`, `2: #INVALID BYTES!x|#MISSING CELLS`},
		{"the row of the first file", `#UNREADABLE ROW! D-1,x`, `2: !#UNREADABLE ROW! D-1|x [row.unreadable A]`},
		{"an error's name", `#ERROR!,x`, `2: #ERROR!|x`},
	} {
		t.Run(c.name, func(t *testing.T) {
			readAll(t, file(t, "in.csv", head+"7,,invalid,,,"+c.cells+",,,,\n"), Options{}).want(t, "A|B", c.rows)
		})
	}
	// In a file of somebody's a mark is an error like #N/A, and a cut text a text.
	readAll(t, file(t, "in.csv", "A,B\n#MISSING CELL!,\"b… (cut, see the input)\"\n"), Options{}).want(t, "A|B", "2: !#MISSING CELL!|b… (cut, see the input)")
}

// TestNeed: a cell that cannot be read makes its row unusable only where its
// column is needed; what may have moved cells always does.
func TestNeed(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       [2]string // with A needed, with B
	}{
		{"bytes", "A,B\n\xe9,b\n", [2]string{"cell.encoding A", ""}},
		{"NUL", "A,B\na,\x00\n", [2]string{"", "cell.nul B"}},
		{"quotes", "A,B\na,\"b\" c\n", [2]string{"cell.after-quote B", "cell.after-quote B"}},
		{"too few", "A,B\na\n", [2]string{"row.too-short ", "row.too-short "}},
		{"too many", "A,B\na,b,c\n", [2]string{"row.too-long ", "row.too-long "}},
		{"a column without a name", ",A,B\n\xe9,a,b\n", [2]string{"", ""}},
	} {
		f := open(t, file(t, "in.csv", c.text), Options{})
		for i, want := range c.want {
			f.Need([]bool{i == 0, i == 1})
			n := 0
			for row, err := range f.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				if got := codes(row); got != want {
					t.Errorf("%s, %d: %q, want %q", c.name, i, got, want)
				}
				n++
			}
			if n != 1 {
				t.Errorf("%s: %d rows", c.name, n)
			}
		}
	}
	f := open(t, newBook(texts(1, "A", "B")+`<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>NaN</v></c></row>`).path(t), Options{})
	for need, want := range map[bool]string{false: "", true: "cell.unreadable B"} {
		f.Need([]bool{true, need})
		for row, err := range f.Rows() {
			if err != nil || codes(row) != want || row.Cells[1].Kind != converter.FaultCell {
				t.Errorf("needed %v: %q, %v, %v", need, codes(row), row.Cells, err)
			}
			if kept := row.Kept(); kept[1].Text != "#UNREADABLE! NaN" {
				t.Errorf("kept as %v", kept)
			}
		}
	}
}

// TestPlain: what Plain writes is read with the same kind and value.
func TestPlain(t *testing.T) {
	for _, c := range []struct {
		cell         converter.Cell
		text, letter string
		back         converter.Cell
	}{
		{converter.Cell{Kind: converter.TextCell, Text: "2025-12-31"}, "2025-12-31", ".", converter.Cell{Kind: converter.TextCell, Text: "2025-12-31"}},
		{converter.Cell{Kind: converter.NumberCell, Text: "1.234"}, "1.234", "n", converter.Cell{Kind: converter.NumberCell, Text: "1.234"}},
		{converter.Cell{Kind: converter.NumberCell, Text: "-12"}, "-12", "n", converter.Cell{Kind: converter.NumberCell, Text: "-12"}},
		{converter.Cell{Kind: converter.NumberCell, Text: "42", Format: "00000"}, "00042", ".", converter.Cell{Kind: converter.TextCell, Text: "00042"}},
		{converter.Cell{Kind: converter.NumberCell, Text: "4111111111111110", Format: "00000"}, "4111111111111110", "n", converter.Cell{Kind: converter.NumberCell, Text: "4111111111111110"}},
		{converter.Cell{Kind: converter.BoolCell, Text: "TRUE"}, "TRUE", "b", converter.Cell{Kind: converter.BoolCell, Text: "TRUE"}},
		{converter.Cell{Kind: converter.DateCell, Text: "46022.979166666664", Format: "dd/mm/yyyy hh:mm"}, "2025-12-31 23:30:00", "d", converter.Cell{Kind: converter.DateCell, Text: "46022.979166666664", Format: "yyyy-mm-dd hh:mm:ss"}},
		{converter.Cell{Kind: converter.DateCell, Text: "46022", Format: "d-mmm-yy"}, "2025-12-31", "d", converter.Cell{Kind: converter.DateCell, Text: "46022", Format: "yyyy-mm-dd"}},
		{converter.Cell{Kind: converter.DateCell, Text: "1"}, "1900-01-01", "d", converter.Cell{Kind: converter.DateCell, Text: "1", Format: "yyyy-mm-dd"}},
		{converter.Cell{Kind: converter.DateCell, Text: "59"}, "1900-02-28", "d", converter.Cell{Kind: converter.DateCell, Text: "59", Format: "yyyy-mm-dd"}},
		{converter.Cell{Kind: converter.DateCell, Text: "60"}, "60", "d", converter.Cell{Kind: converter.DateCell, Text: "60", Format: "yyyy-mm-dd hh:mm:ss"}},
		{converter.Cell{Kind: converter.DateCell, Text: "-5"}, "-5", "d", converter.Cell{Kind: converter.DateCell, Text: "-5", Format: "yyyy-mm-dd hh:mm:ss"}},
		{converter.Cell{Kind: converter.DateCell, Text: "0.5625", Format: "h:mm"}, "13:30:00", "d", converter.Cell{Kind: converter.DateCell, Text: "0.5625", Format: "hh:mm:ss"}},
		{converter.Cell{Kind: converter.DateCell, Text: "1.25", Format: "[h]:mm"}, "30:00:00", "h", converter.Cell{Kind: converter.DateCell, Text: "1.25", Format: "[h]:mm:ss"}},
		{converter.Cell{Kind: converter.DateCell, Text: "0.003472222222222222", Format: "[mm]:ss"}, "0:05:00", "h", converter.Cell{Kind: converter.DateCell, Text: "0.003472222222222222", Format: "[h]:mm:ss"}},
		{converter.Cell{Kind: converter.DateCell, Text: "-0.5", Format: "[h]:mm"}, "-0.5", "d", converter.Cell{Kind: converter.DateCell, Text: "-0.5", Format: "yyyy-mm-dd hh:mm:ss"}},
	} {
		text, letter := Plain(c.cell)
		if text != c.text || string(letter) != c.letter {
			t.Errorf("%v is written as %q %c, want %q %s", c.cell, text, letter, c.text, c.letter)
		}
		back := converter.Cell{Kind: converter.TextCell, Text: text}
		if retype(&back, letter); back != c.back {
			t.Errorf("%v is read as %v, want %v", c.cell, back, c.back)
		}
	}
	// What somebody has changed into something else is a text.
	for letter, text := range map[byte]string{'n': "1,5", 'b': "yes", 'd': "31/12/2025", 'h': "30:00", '.': "12"} {
		back := converter.Cell{Kind: converter.TextCell, Text: text}
		if retype(&back, letter); back.Kind != converter.TextCell || back.Text != text {
			t.Errorf("%q with %c became %v", text, letter, back)
		}
	}
	// The column stands behind ours, and names that somebody added behind it are found.
	head := strings.Join(ResultColumns[:ResultsBefore], ",") + ",A,B," + strings.Join(ResultColumns[ResultsBefore:], ",") + "," + TypesColumn
	for _, c := range []struct{ head, row, header, want string }{
		{head, "7,,invalid,,,1.5,2025-12-31,,,,,nd", "A|B", "2: #1.5|@46022{yyyy-mm-dd}"},
		{head, "7,,invalid,,,1.5,2025-12-31,,,,,", "A|B", "2: 1.5|2025-12-31"},
		{head + ",C", "7,,invalid,,,1.5,2025-12-31,,,,,nd,x", "A|B|C", "2: #1.5|@46022{yyyy-mm-dd}|x"},
		{head, "7,,invalid,,,1.5,x,,,,,n,more", "A|B", "2: #1.5|x [row.too-long ]"},
	} {
		s := readAll(t, file(t, "in.csv", c.head+"\n"+c.row+"\n"), Options{})
		s.want(t, c.header, c.want)
		if f := open(t, file(t, "in.csv", c.head+"\n"), Options{}); !f.Typed() {
			t.Errorf("%s: not typed", c.head)
		}
		for _, r := range s.rows {
			if len(r.Faults) > 0 {
				if kept := fmt.Sprint(r.Kept()[1].Text); kept != "#EXTRA CELLS! x | more" {
					t.Errorf("kept as %s", kept)
				}
			}
		}
	}
}
