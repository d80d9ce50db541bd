package source

import (
	"fmt"
	"strings"
	"testing"
)

// merge adds merged cells to a sheet.
func (b *book) merge(refs ...string) *book {
	sheet := b.parts["xl/worksheets/sheet1.xml"]
	list := fmt.Sprintf(`<mergeCells count="%d">`, len(refs))
	for _, r := range refs {
		list += `<mergeCell ref="` + r + `"/>`
	}
	return b.set("xl/worksheets/sheet1.xml", strings.Replace(sheet, "</sheetData>", "</sheetData>"+list+"</mergeCells>", 1))
}

func TestMergedCells(t *testing.T) {
	rows := texts(1, "A", "B", "C") + texts(2, "a2", "b2", "c2") + texts(3, "a3", "", "c3") + texts(4, "a4", "", "c4") + texts(5, "a5", "b5", "")
	plain := "2: a2|b2|c2\n3: a3||c3\n4: a4||c4\n5: a5|b5|"
	for _, c := range []struct {
		name, rows string
		refs       []string
		want, note string
	}{
		{"two rows", rows, []string{"B2:B3"}, "2: a2|b2|c2\n3: a3|b2|c3\n4: a4||c4\n5: a5|b5|", `merged cells: "B" in rows 2–3; the value`},
		{"three rows", rows, []string{"B2:B4"}, "2: a2|b2|c2\n3: a3|b2|c3\n4: a4|b2|c4\n5: a5|b5|", `"B" in rows 2–4`},
		{"out of order", rows, []string{"C4:C5", "B2:B3"}, "2: a2|b2|c2\n3: a3|b2|c3\n4: a4||c4\n5: a5|b5|c4", `"B" in rows 2–3, "C" in rows 4–5`},
		{"an empty one", rows, []string{"B3:B4"}, plain, `"B" in rows 3–4`},
		{"a covered cell that has a value", rows, []string{"A2:A3"}, plain, `"A" in rows 2–3`},
		{"side by side", texts(1, "A", "B", "C") + texts(2, "a2", "b2", ""), []string{"B2:C2"}, "2: a2|b2|!#MERGED! [cell.merged C]", `"B" to "C" in row 2`},
		{"two columns and rows", texts(1, "A", "B", "C") + texts(2, "a2", "b2", "") + texts(3, "a3", "", ""), []string{"B2:C3"}, "2: a2|b2|!#MERGED! [cell.merged C]\n3: a3|b2|!#MERGED! [cell.merged C]", `"B" to "C" in rows 2–3`},
		{"a title among the rows", texts(1, "A", "B", "C") + texts(2, "North") + texts(3, "a3", "b3", "c3"), []string{"A2:C2"}, "2: North||\n3: a3|b3|c3", `"A" to "C" in row 2`},
		{"blank rows within", texts(1, "A", "B") + texts(2, "a2", "b2") + texts(3, "", "") + `<row r="4"/>` + texts(5, "a5", ""), []string{"B2:B5"}, "2: a2|b2\n5: a5|b2", `"B" in rows 2–5`},
		{"the first row is not there", texts(1, "A", "B") + texts(3, "a3", ""), []string{"B2:B3"}, "3: a3|", `"B" in rows 2–3`},
		{"the header", rows, []string{"A1:B1", "A1:A2"}, plain, ""},
		{"above the header", texts(1, "Title") + texts(3, "A", "B") + texts(4, "a4", "b4"), []string{"A1:B1"}, "4: a4|b4", ""},
		{"beside the table", rows, []string{"E2:E3", "D2:XFD9"}, plain, ""},
		{"no place", rows, []string{"", "x", "B3:B2", "B2"}, plain, `"B" in row 2`},
		{"a number and a date", texts(1, "A", "B", "C") + `<row r="2"><c r="A2"><v>1</v></c><c r="B2" s="1"><v>46000</v></c><c r="C2" t="e"><v>#N/A</v></c></row>` + texts(3, "a3"), []string{"B2:B3", "C2:C3"}, "2: #1|@46000{mm-dd-yy}|!#N/A\n3: a3|@46000{mm-dd-yy}|!#N/A", `"B" in rows 2–3, "C" in rows 2–3`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, newBook(c.rows).styles("", 0, 14).merge(c.refs...).path(t), Options{})
			s.want(t, strings.Join(s.header, "|"), c.want)
			notes := strings.Join(s.info.Notes, "\n")
			if c.note == "" && strings.Contains(notes, "merged") || !strings.Contains(notes, c.note) {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
	var refs []string
	var many strings.Builder
	many.WriteString(texts(1, "A", "B"))
	for i := range 3000 {
		if i%2 == 0 {
			refs = append(refs, fmt.Sprintf("B%d:B%d", i+2, i+3))
			many.WriteString(texts(i+2, "a", fmt.Sprint("b", i)))
		} else {
			many.WriteString(texts(i+2, "a"))
		}
	}
	s := readAll(t, newBook(many.String()).merge(refs...).path(t), Options{})
	for i, r := range s.rows {
		if want := fmt.Sprint("b", i&^1); r.Cells[1].Text != want {
			t.Fatalf("row %d has %q, want %q", r.Number, r.Cells[1].Text, want)
		}
	}
	if notes := strings.Join(s.info.Notes, "\n"); !strings.Contains(notes, "rows 10–11, 1495 more") {
		t.Errorf("notes %q", notes)
	}
}

// TestMergedInALargeSheet: a sheet that is too large to be looked through for
// merged cells ends with them, unless nobody needs their columns.
func TestMergedInALargeSheet(t *testing.T) {
	defer func(n uint64) { mergedLook = n }(mergedLook)
	mergedLook = 100
	rows := texts(1, "A", "B", "C") + texts(2, "a2", "b2", "c2") + texts(3, "a3", "", "c3")
	p := newBook(rows).merge("B2:B3", "A1:C1", "E2:E3").path(t)
	s := readAll(t, p, Options{})
	e := wantFault(t, s.err, codeMergedSheet, `"B" in rows 2–3`, "unmerge")
	if e.Row != 2 || len(s.rows) != 2 {
		t.Errorf("%v after %d rows", e, len(s.rows))
	}
	for _, c := range []struct {
		refs []string
		need []bool
	}{{nil, nil}, {[]string{"A1:C1"}, nil}, {[]string{"B2:B3"}, []bool{true, false, true}}, {[]string{"D2:F3"}, nil}} {
		f := open(t, newBook(rows).merge(c.refs...).path(t), Options{})
		f.Need(c.need)
		n := 0
		for _, err := range f.Rows() {
			if err != nil {
				t.Errorf("%v: %v", c.refs, err)
			}
			n++
		}
		if n != 2 {
			t.Errorf("%v: %d rows", c.refs, n)
		}
	}
}

// TestMergeFinder: merged cells are found however the text is cut into pieces,
// and only behind the rows.
func TestMergeFinder(t *testing.T) {
	text := `<worksheet><sheetData><row><c><is><t>x:mergeCell ref="Z1:Z2">&lt;</t></is></c></row></sheetData><x:mergeCells count='3'><x:mergeCell ref='B2:C3'/><mergeCell foo="1" ref="D5:D6" /><mergeCell ref="E1"></mergeCell><mergeCell/></mergeCells></worksheet>`
	want := "[{2 1 3 2} {5 3 6 3} {1 4 1 4}]"
	for size := 1; size <= len(text); size++ {
		var m mergeFinder
		for b := []byte(text); len(b) > 0; b = b[min(size, len(b)):] {
			if n, err := m.Write(b[:min(size, len(b))]); err != nil || n != min(size, len(b)) {
				t.Fatal(n, err)
			}
		}
		if got := fmt.Sprint(m.found); got != want {
			t.Fatalf("in pieces of %d: %s, want %s", size, got, want)
		}
	}
}
