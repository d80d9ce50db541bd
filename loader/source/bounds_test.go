package source

import (
	"fmt"
	"strings"
	"testing"
)

// TestBounds: a small archive that would be large once it is parsed is refused
// before that, and what a spreadsheet can have is read.
func TestBounds(t *testing.T) {
	rows := texts(1, "a") + texts(2, "b")
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	styles := func(xfs string) string {
		return `<styleSheet ` + nsMain + `><cellXfs>` + xfs + `</cellXfs></styleSheet>`
	}
	for _, c := range []struct {
		name, part, content string
	}{
		{"cell formats", "xl/styles.xml", styles(many(140_000, `<xf numFmtId="0"/>`))},
		{"cell formats with a prefix", "xl/styles.xml", styles(many(140_000, `<x:xf numFmtId="0"/>`))},
		{"elements", "xl/styles.xml", `<styleSheet ` + nsMain + `><fonts>` + many(1_100_000, `<font/>`) + `</fonts></styleSheet>`},
		{"sheets", "xl/workbook.xml", `<workbook ` + nsMain + ` ` + nsRel + `><sheets>` + many(10_001, `<sheet name="s" sheetId="1" r:id="rId1"/>`) + `</sheets></workbook>`},
		{"links", "xl/_rels/workbook.xml.rels", relPkg + many(1_100_000, `<Relationship/>`) + `</Relationships>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			openFault(t, newBook(rows).set(c.part, c.content).path(t), Options{MaxBytes: 1 << 30}, codeTooLarge, fmt.Sprintf("%q", c.part), "more than any spreadsheet has")
		})
	}
	full := newBook(rows).set("xl/styles.xml", styles(many(65_490, `<xf numFmtId="14"/>`)))
	readAll(t, full.path(t), Options{}).want(t, "a", "2: b")
	var sheets strings.Builder
	for i := range 500 {
		fmt.Fprintf(&sheets, `<sheet name="s%d" sheetId="%d" r:id="rId1"/>`, i, i+1)
	}
	readAll(t, newBook(rows).workbook("", sheets.String()).path(t), Options{}).want(t, "a", "2: b")
}
