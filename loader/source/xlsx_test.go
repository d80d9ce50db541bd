package source

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"leadload/internal/fault"
)

// cellsBook has the header "v" in A1 and one cell a row below, each given as
// what stands inside <c r="An"…>: attributes, then ">" and content.
func cellsBook(cells ...string) *book {
	var b strings.Builder
	b.WriteString(texts(1, "v"))
	for i, c := range cells {
		fmt.Fprintf(&b, `<row r="%d"><c r="A%d"%s</c></row>`, i+2, i+2, c)
	}
	return newBook(b.String())
}

func TestXLSXCells(t *testing.T) {
	for _, c := range []struct{ name, cell, want string }{
		{"whole number", `><v>42</v>`, "#42"},
		{"phone", `><v>919876543210</v>`, "#919876543210"},
		{"phone as Excel stores it", `><v>9.198765432101E+12</v>`, "#9198765432101"},
		{"sixteen digits as stored", `><v>4111111111111111</v>`, "#4111111111111111"},
		{"twenty digits as stored", `><v>12345678901234567890</v>`, "#12345678901234567890"},
		{"decimals", `><v>1234.5</v>`, "#1234.5"},
		{"trailing zeros", `><v>12.50</v>`, "#12.5"},
		{"point and zeros", `><v>12.000</v>`, "#12"},
		{"seventeen digits of a double", `><v>1.1000000000000001</v>`, "#1.1"},
		{"a double that is no short decimal", `><v>0.30000000000000004</v>`, "#0.30000000000000004"},
		{"small", `><v>1.5E-7</v>`, "#0.00000015"},
		{"negative", `><v>-5.25</v>`, "#-5.25"},
		{"minus zero", `><v>-0</v>`, "#0"},
		{"minus zero with an exponent", `><v>-0E0</v>`, "#0"},
		{"minus zero, many digits", `><v>-0.0000000000000000</v>`, "#0"},
		{"minus zero point zero", `><v>-0.0</v>`, "#0"},
		{"leading zeros are not of a number", `><v>00123</v>`, "#123"},
		{"no digit before the point", `><v>.5</v>`, "#0.5"},
		{"type n", ` t="n"><v>7</v>`, "#7"},
		{"blanks around", `><v> 7 </v>`, "#7"},
		{"true", ` t="b"><v>1</v>`, "?TRUE"},
		{"false", ` t="b"><v>0</v>`, "?FALSE"},
		{"true as a word", ` t="b"><v>true</v>`, "?TRUE"},
		{"error", ` t="e"><v>#N/A</v>`, "!#N/A"},
		{"error of a formula", ` t="e"><f>1/0</f><v>#DIV/0!</v>`, "!#DIV/0!"},
		{"text that is an error's name", ` t="inlineStr"><is><t>#REF!</t></is>`, "!#REF!"},
		{"formula with a number", `><f>1+1</f><v>2</v>`, "#2"},
		{"formula with text", ` t="str"><f>"a"&amp;"b"</f><v>ab</v>`, "ab"},
		{"formula with the empty text", ` t="str"><f>""</f><v></v>`, ""},
		{"formula with a logical value", ` t="b"><f>1=1</f><v>1</v>`, "?TRUE"},
		{"shared formula", `><f t="shared" si="0"/><v>5</v>`, "#5"},
		{"formula after its value", `><v>5</v><f>2+3</f>`, "#5"},
		{"formula never calculated", `><f>A1</f>`, "!" + NeverCalculated},
		{"formula never calculated, with an empty value", `><f>A1</f><v></v>`, "!" + NeverCalculated},
		{"formula never calculated, closed at once", `><f>A1</f><v/>`, "!" + NeverCalculated},
		{"formula never calculated, text", ` t="str"><f>A1</f>`, "!" + NeverCalculated},
		{"that mark, written by us and read again", ` t="inlineStr"><is><t>` + NeverCalculated + `</t></is>`, "!" + NeverCalculated},
		{"inline text", ` t="inlineStr"><is><t>x</t></is>`, "x"},
		{"inline rich text", ` t="inlineStr"><is><r><rPr><b/></rPr><t>a</t></r><r><t xml:space="preserve"> b</t></r></is>`, "a b"},
		{"text in v", ` t="str"><v>x</v>`, "x"},
		{"empty inline text", ` t="inlineStr"><is><t/></is>`, ""},
		{"empty inline string", ` t="inlineStr"><is/>`, ""},
		{"entities", ` t="inlineStr"><is><t>a &amp; b &lt;c&gt; &quot;d&quot; &apos;e&apos; &#65;&#x1F600;</t></is>`, "a & b <c> \"d\" 'e' A😀"},
		{"spaces kept", ` t="inlineStr"><is><t xml:space="preserve">  x  </t></is>`, "  x  "},
		{"line break", " t=\"inlineStr\"><is><t>a\nb</t></is>", "a⏎b"},
		{"crlf in the XML", " t=\"inlineStr\"><is><t>a\r\nb</t></is>", "a⏎b"},
		{"escaped carriage return", " t=\"inlineStr\"><is><t>a_x000D_\nb</t></is>", "a⏎b"},
		{"carriage return alone", " t=\"inlineStr\"><is><t>a&#13;b</t></is>", "a⏎b"},
		{"escaped tab", ` t="inlineStr"><is><t>a_x0009_b</t></is>`, "a\tb"},
		{"escaped escape", ` t="inlineStr"><is><t>a_x005F_x000D_b</t></is>`, "a_x000D_b"},
		{"escaped pair", ` t="inlineStr"><is><t>_xD83D__xDE00_</t></is>`, "😀"},
		{"half a pair is no escape", ` t="inlineStr"><is><t>_xD83D_!</t></is>`, "_xD83D_!"},
		{"no escape", ` t="inlineStr"><is><t>my_xray_file _x12_ _xZZZZ_</t></is>`, "my_xray_file _x12_ _xZZZZ_"},
		{"data section", ` t="inlineStr"><is><t>a<![CDATA[ <b> & &amp; ]]>c</t></is>`, "a <b> & &amp; c"},
		{"comment in text", ` t="inlineStr"><is><t>a<!-- no -->b</t></is>`, "ab"},
		{"comment between", `><!-- <v>1</v> --><v>2</v>`, "#2"},
		{"foreign element", `><v>2</v><extLst><ext uri="x"><a:b xmlns:a="y">&lt;</a:b></ext></extLst>`, "#2"},
		{"single quotes", ` t='n' s='0'><v>3</v>`, "#3"},
		{"greater-than inside an attribute", ` cm="1" vm=">"><v>3</v>`, "#3"},
		{"white space", "\n t=\"n\"\n>\n <v>3</v>\n", "#3"},
		{"style alone", ` s="0">`, ""},
		{"phonetic guide", ` t="inlineStr"><is><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></is>`, "東京"},
		{"utf-8", ` t="inlineStr"><is><t>आशा 😀</t></is>`, "आशा 😀"},
		{"ISO date", ` t="d"><v>2026-03-29T10:30:00Z</v>`, "@46110.4375{yyyy-mm-dd hh:mm:ss}"},
		{"ISO date without time", ` t="d"><v>2026-03-29</v>`, "@46110{yyyy-mm-dd}"},
		{"ISO time", ` t="d"><v>12:00:00</v>`, "@0.5{hh:mm:ss}"},
		{"ISO date before the leap day that never was", ` t="d"><v>1900-02-28</v>`, "@59{yyyy-mm-dd}"},
		{"ISO date after it", ` t="d"><v>1900-03-01</v>`, "@61{yyyy-mm-dd}"},
		{"far ISO date", ` t="d"><v>9999-12-31</v>`, "@2958465{yyyy-mm-dd}"},
		{"no number", `><v>12a</v>`, "!12a [cell.unreadable v]"},
		{"hexadecimal is no number", `><v>0x1F</v>`, "!0x1F [cell.unreadable v]"},
		{"infinity is no number", `><v>INF</v>`, "!INF [cell.unreadable v]"},
		{"too large for a number", `><v>1E+999</v>`, "!1E+999 [cell.unreadable v]"},
		{"no logical value", ` t="b"><v>2</v>`, "!2 [cell.unreadable v]"},
		{"no date", ` t="d"><v>29/03/2026</v>`, "!29/03/2026 [cell.unreadable v]"},
		{"date with an offset", ` t="d"><v>2026-03-29T10:30:00+05:30</v>`, "!2026-03-29T10:30:00+05:30 [cell.unreadable v]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := "3: end"
			if c.want != "" {
				want = "2: " + c.want + "\n" + want
			}
			readAll(t, cellsBook(c.cell, ` t="inlineStr"><is><t>end</t></is>`).path(t), Options{}).want(t, "v", want)
		})
	}
}

func TestXLSXSharedStrings(t *testing.T) {
	cell := func(i int) string { return fmt.Sprintf(` t="s"><v>%d</v>`, i) }
	b := cellsBook(cell(0), cell(1), cell(2), cell(3), cell(4), cell(5), cell(6), cell(1), ` t="s"><v></v>`)
	b.shared(`<t>plain</t>`, `<r><rPr><b/><sz val="11"/></rPr><t>rich</t></r><r><t xml:space="preserve"> text</t></r><r><t>!</t></r>`,
		`<t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/>`, `<t/>`, ``, `<t>a &amp; b_x000D_`+"\n"+`c</t>`, `<r><t>&lt;</t></r><r><t>b</t></r><r><t>&gt;</t></r>`)
	readAll(t, b.path(t), Options{}).want(t, "v", "2: plain\n3: rich text!\n4: 東京\n7: a & b⏎c\n8: <b>\n9: rich text!")

	// Enough of them for several chunks, some as long as a cell can be.
	var si []string
	var rows strings.Builder
	rows.WriteString(texts(1, "v"))
	for i := range 1800 {
		si = append(si, fmt.Sprintf("<t>%d %s</t>", i, strings.Repeat("é", i*7%700)))
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%d" t="s"><v>%d</v></c></row>`, i+2, i+2, 1799-i)
	}
	s := readAll(t, newBook(rows.String()).shared(si...).path(t), Options{})
	for i, r := range s.rows {
		k := 1799 - i
		if want := fmt.Sprintf("%d %s", k, strings.Repeat("é", k*7%700)); r.Cells[0].Text != want {
			t.Fatalf("row %d differs", r.Number)
		}
	}
	if len(s.rows) != 1800 {
		t.Errorf("%d rows", len(s.rows))
	}

	for _, c := range []struct{ name, index, words string }{
		{"too large", "1", "shared string \"1\", and there are 1"},
		{"negative", "-1", "shared string \"-1\""},
		{"no number", "x", "shared string \"x\""},
	} {
		s := readAll(t, newBook(texts(1, "v", "w")+`<row r="2"><c r="A2" t="s"><v>0</v></c></row><row r="3"><c r="A3" t="s"><v>`+c.index+`</v></c></row>`).shared(`<t>one</t>`).path(t), Options{})
		e := wantFault(t, s.err, codeSharedText, c.words, `sheet "Deals", row 3, column "v"`)
		if e.Row != 3 || len(s.rows) != 1 {
			t.Errorf("%s: row %d after %d rows", c.name, e.Row, len(s.rows))
		}
	}
	openFault(t, cellsBook(cell(0)).path(t), Options{}, codeDamaged, "shared strings")
	for _, c := range []struct{ name, part, words string }{
		{"cut off", `<sst ` + nsMain + `><si><t>one</t></si><si><t>tw`, "at shared string 1"},
		{"not closed", `<sst ` + nsMain + `><si><t>one</t></si>`, "unexpected EOF"},
		{"mismatched", `<sst ` + nsMain + `><si><t>one</si></t></sst>`, "closed by"},
		{"unknown entity", `<sst ` + nsMain + `><si><t>&nbsp;</t></si></sst>`, "&nbsp;"},
		{"declaration", `<!DOCTYPE sst [<!ENTITY a "b">]><sst><si><t>&a;</t></si></sst>`, "declaration"},
		{"invalid bytes", `<sst ` + nsMain + `><si><t>M` + "\xfc" + `ller</t></si></sst>`, "UTF-8"},
		{"another document", `<html><si><t>x</t></si></html>`, "<html>"},
		{"utf-16", "\xff\xfe<\x00s\x00s\x00t\x00/\x00>\x00", "UTF-8"},
		{"trailing rubbish", `<sst ` + nsMain + `><si><t>one</t></si></sst>rubbish`, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			openFault(t, cellsBook(cell(0)).set("xl/sharedStrings.xml", c.part).path(t), Options{}, codeDamaged, "sharedStrings.xml", c.words)
		})
	}
	// No strings at all is fine while no cell asks for one.
	readAll(t, cellsBook(`><v>1</v>`).set("xl/sharedStrings.xml", `<sst `+nsMain+`/>`).path(t), Options{}).want(t, "v", "2: #1")
}

func TestXLSXDates(t *testing.T) {
	custom := `<numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm"/><numFmt numFmtId="165" formatCode="&quot;Day &quot;0"/>` +
		`<numFmt numFmtId="166" formatCode="[$-409]d\-mmm\-yy;@"/><numFmt numFmtId="167" formatCode="[h]:mm"/><numFmt numFmtId="168" formatCode="hh:mm"/>`
	ids := []int{0, 14, 22, 164, 165, 166, 30, 167, 168, 1, 49}
	cell := func(style int, v string) string { return fmt.Sprintf(` s="%d"><v>%s</v>`, style, v) }
	cells := []string{
		cell(0, "46000"), cell(1, "46000"), cell(2, "46000.395833333336"), cell(3, "46000.999988425923"), cell(4, "46000"),
		cell(5, "46000"), cell(6, "46000"), cell(7, "1.5"), cell(8, "0.5"), cell(9, "46000"), cell(10, "46000"),
		cell(3, "60"), cell(3, "-1"), cell(3, "4.6E+4"), ` t="str" s="3"><v>no date</v>`, ` t="b" s="3"><v>1</v>`, cell(3, "")}
	readAll(t, cellsBook(cells...).styles(custom, ids...).path(t), Options{}).want(t, "v", `
2: #46000
3: @46000{mm-dd-yy}
4: @46000.395833333336{m/d/yy h:mm}
5: @46000.99998842592{dd/mm/yyyy hh:mm}
6: #46000{"Day "0}
7: @46000{[$-409]d\-mmm\-yy;@}
8: @46000{m-d-yy}
9: @1.5{[h]:mm}
10: @0.5{hh:mm}
11: #46000
12: #46000
13: @60{dd/mm/yyyy hh:mm}
14: @-1{dd/mm/yyyy hh:mm}
15: @46000{dd/mm/yyyy hh:mm}
16: no date
17: ?TRUE
`)
	// The same serials in a workbook of the 1904 system, four years and a day later.
	for _, yes := range []string{"1", "true"} {
		b := cellsBook(cells[:9]...).styles(custom, ids...).workbook(`<workbookPr date1904="`+yes+`"/>`, `<sheet name="Deals" sheetId="1" r:id="rId1"/>`)
		readAll(t, b.path(t), Options{}).want(t, "v", `
2: #46000
3: @47462{mm-dd-yy}
4: @47462.395833333336{m/d/yy h:mm}
5: @47462.99998842592{dd/mm/yyyy hh:mm}
6: #46000{"Day "0}
7: @47462{[$-409]d\-mmm\-yy;@}
8: @47462{m-d-yy}
9: @1.5{[h]:mm}
10: @0.5{hh:mm}
`)
	}
	openFault(t, cellsBook(cell(11, "5")).styles(custom, ids...).path(t), Options{}, codeDamaged, "A2", "style 11")
}

func TestXLSXTables(t *testing.T) {
	at := func(row int, cells ...string) string { // "C=text"
		var b strings.Builder
		fmt.Fprintf(&b, `<row r="%d" spans="1:9" ht="15">`, row)
		for _, c := range cells {
			col, text, _ := strings.Cut(c, "=")
			fmt.Fprintf(&b, `<c r="%s%d" s="0" t="inlineStr"><is><t>%s</t></is></c>`, col, row, text)
		}
		b.WriteString(`</row>`)
		return b.String()
	}
	for _, c := range []struct {
		name, rows   string
		o            Options
		header, want string
	}{
		{"simple", texts(1, "a", "b") + texts(2, "1", "2") + texts(3, "", "x"), Options{}, "a|b", "2: 1|2\n3: |x"},
		{"at C5", at(5, "C=a", "D=b") + at(6, "C=1", "D=2") + at(7, "B=note", "D=4", "E=5"), Options{}, "a|b", "6: 1|2\n7: |4"},
		{"content beside the table alone", texts(1, "a", "b") + at(2, "A=1") + at(3, "D=remark"), Options{}, "a|b", "2: 1|"},
		{"gap in the header", at(1, "A=a", "C=c") + at(2, "A=1", "B=2", "C=3"), Options{}, "a||c", "2: 1|2|3"},
		{"title above", at(1, "A=Deals of March") + at(3, "A=a", "B=b") + at(4, "A=1", "B=2"), Options{}, "a|b", "4: 1|2"},
		{"title and a date above", at(1, "A=Deals") + `<row r="2"><c r="A2"><v>46000</v></c></row>` + at(3, "A=a", "B=b") + at(4, "A=1", "B=2"), Options{}, "a|b", "4: 1|2"},
		{"header row given", at(1, "A=Deals", "B=x") + at(3, "A=a", "B=b") + at(4, "A=1", "B=2"), Options{HeaderRow: 3}, "a|b", "4: 1|2"},
		{"numbers above the header", `<row r="1"><c r="A1"><v>5</v></c><c r="B1"><v>6</v></c></row>` + texts(2, "a", "b") + texts(3, "1", "2"), Options{}, "a|b", "3: 1|2"},
		{"years as names", `<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="B1"><v>2025</v></c></row>` + texts(2, "x", "y"), Options{}, "name|2025", "2: x|y"},
		{"rows without numbers", `<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row><row/><row><c/><c><v>2</v></c></row>`, Options{}, "a|b", "3: |#2"},
		{"hidden rows", texts(1, "a") + strings.Replace(texts(2, "x"), `r="2"`, `r="2" hidden="1"`, 1) + strings.Replace(texts(3, "y"), `r="3"`, `hidden="true" r="3"`, 1) + strings.Replace(texts(4, "z"), `r="4"`, `r="4" hidden="0"`, 1) + strings.Replace(texts(5, "u"), `r="5"`, `r="5" hidden="1"`, 1) + texts(6, "v"), Options{}, "a", "2~: x\n3~: y\n4: z\n5~: u\n6: v"},
		{"trailing blank rows", texts(1, "a") + texts(2, "x") + `<row r="3"><c r="A3" s="0"/></row><row r="4" ht="30"/>` + texts(1048576, ""), Options{}, "a", "2: x"},
		{"a cell in the last row", texts(1, "a") + texts(2, "x") + texts(1048576, "y"), Options{}, "a", "2: x\n1048576: y"},
		{"a cell in the last column", at(1, "A=a", "XFD=z") + at(2, "XFD=1"), Options{HeaderRow: 1}, "a" + strings.Repeat("|", 16383) + "z", "2: " + strings.Repeat("|", 16383) + "1"},
		{"lower case references", `<row r="1"><c r="a1" t="inlineStr"><is><t>a</t></is></c></row>` + texts(2, "x"), Options{}, "a", "2: x"},
		{"header names are cleaned", texts(1, " Deal&#10;ID ", "x&#8203;y&#160;"), Options{}, "Deal ID|xy", ""},
		{"error in the header", `<row r="1"><c r="A1" t="e"><v>#REF!</v></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>` + texts(2, "1", "2"), Options{}, "#REF!|b", "2: 1|2"},
		{"header only", texts(1, "a", "b"), Options{}, "a|b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			readAll(t, newBook(c.rows).path(t), c.o).want(t, c.header, c.want)
		})
	}
	for name, rows := range map[string]string{"no rows": "", "only numbers": `<row r="1"><c r="A1"><v>1</v></c></row>`, "only styles": `<row r="1"><c r="A1" s="0"/></row>`} {
		t.Run(name, func(t *testing.T) {
			openFault(t, newBook(rows).path(t), Options{}, codeSheetEmpty, `sheet "Deals"`)
		})
	}
	openFault(t, newBook(texts(1, "a")).path(t), Options{HeaderRow: 2}, codeHeaderRow, "row 2")
	openFault(t, newBook(texts(1, "a")+texts(3, "b")).path(t), Options{HeaderRow: 2}, codeHeaderRow, "row 2")
}

// Elements with a prefix, and a sheet without the parts that most have.
func TestXLSXPrefixes(t *testing.T) {
	b := newBook("")
	b.set("xl/worksheets/sheet1.xml", `<?xml version="1.0"?><!-- by hand --><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>`+
		`<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row><x:row r="2"><x:c r="A2"><x:v>5</x:v></x:c></x:row></x:sheetData></x:worksheet>`)
	readAll(t, b.path(t), Options{}).want(t, "a", "2: #5")
	b.set("xl/worksheets/sheet1.xml", "\ufeff<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>a</t></is></c></row></sheetData></worksheet>\n")
	readAll(t, b.path(t), Options{}).want(t, "a", "")
	for _, empty := range []string{`<worksheet/>`, `<worksheet></worksheet>`, `<worksheet><sheetData/></worksheet>`} {
		b.set("xl/worksheets/sheet1.xml", empty)
		openFault(t, b.path(t), Options{}, codeSheetEmpty)
	}
}

// Names with backslashes, other cases and other folders, and no styles or
// shared strings, as some exporters write.
func TestXLSXOddPackages(t *testing.T) {
	b := &book{parts: map[string]string{}}
	b.set(`_rels\.rels`, relPkg+`<Relationship Id="x" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument" Target="/Book/Main.xml"/></Relationships>`)
	b.set(`book\main.xml`, `<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main" xmlns:r="http://purl.oclc.org/ooxml/officeDocument/relationships"><workbookPr date1904="0"/><sheets><sheet name="S" sheetId="7" r:id="q"/></sheets></workbook>`)
	b.set(`book\_rels\main.xml.rels`, relPkg+`<Relationship Id="q" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet" Target="../Data/One.XML"/></Relationships>`)
	b.set(`data\one.xml`, `<worksheet><sheetData>`+texts(1, "a")+`<row r="2"><c r="A2"><v>1</v></c></row></sheetData></worksheet>`)
	s := readAll(t, b.path(t), Options{})
	s.want(t, "a", "2: #1")
	if s.info.Sheet != "S" {
		t.Errorf("sheet %q", s.info.Sheet)
	}
}

func TestXLSXSheets(t *testing.T) {
	sheets := func(list string) *book {
		return newBook(texts(1, "a")+texts(2, "first")).workbook("", list).
			set("xl/worksheets/sheet2.xml", `<worksheet `+nsMain+`><cols><col min="1" max="1" width="9"/><col min="2" max="2" hidden="1"/><col min="4" max="6" width="0" hidden="true"/></cols><sheetData>`+texts(1, "a", "b")+texts(2, "second", "x")+`</sheetData></worksheet>`).
			set("xl/chartsheets/sheet1.xml", `<chartsheet/>`)
	}
	const one, two, chart = `<sheet name="One" sheetId="1" r:id="rId1"/>`, `<sheet name="Two" sheetId="2" r:id="rId4"/>`, `<sheet name="Chart" sheetId="3" r:id="rId5"/>`
	hide := func(s, how string) string { return strings.Replace(s, "<sheet ", `<sheet state="`+how+`" `, 1) }
	for _, c := range []struct{ name, list, want, sheet, row, notes string }{
		{"the first", one + two, "", "One", "2: first", `other sheets: "Two"`},
		{"in the workbook's order", two + one, "", "Two", "2: second|x", `other sheets: "One";hidden columns are read as well: B, D–F`},
		{"the first visible", hide(one, "hidden") + two, "", "Two", "2: second|x", `hidden sheets that are not read: "One"`},
		{"very hidden", hide(one, "veryHidden") + two, "", "Two", "2: second|x", `"One"`},
		{"not a chart", chart + two, "", "Two", "2: second|x", ""},
		{"by name", one + two, "Two", "Two", "2: second|x", ""},
		{"hidden, by name", one + hide(two, "hidden"), "Two", "Two", "2: second|x", `"Two", which is read, is hidden`},
		{"all hidden", hide(one, "hidden"), "", "One", "2: first", "is hidden"},
		{"escaped name", `<sheet name="A &amp; B" sheetId="1" r:id="rId1"/>`, "A & B", "A & B", "2: first", ""},
		{"results", strings.Replace(one, "One", "Summary", 1) + strings.Replace(two, "Two", "Failed", 1) + strings.Replace(one, "One", "All rows", 1), "", "Failed", "2: second|x", `a results workbook: its sheet "Failed" is read; other sheets: "Summary", "All rows"`},
		{"results, by name", strings.Replace(one, "One", "Summary", 1) + strings.Replace(two, "Two", "Failed", 1) + strings.Replace(one, "One", "All rows", 1), "All rows", "All rows", "2: first", ``},
		{"no results", strings.Replace(one, "One", "Summary", 1) + strings.Replace(two, "Two", "Failed", 1), "", "Summary", "2: first", `other sheets: "Failed"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, sheets(c.list).path(t), Options{Sheet: c.want})
			if s.info.Sheet != c.sheet || strings.TrimSpace(s.lines()) != c.row || s.info.Format != "xlsx" {
				t.Errorf("sheet %q: %s", s.info.Sheet, s.lines())
			}
			for _, w := range strings.Split(c.notes, ";") {
				if !strings.Contains(strings.Join(s.info.Notes, "\n"), w) {
					t.Errorf("notes %q do not say %q", s.info.Notes, w)
				}
			}
			if c.name == "by name" && len(s.info.Notes) != 1 { // the hidden columns
				t.Errorf("notes %q", s.info.Notes)
			}
		})
	}
	openFault(t, sheets(one+two).path(t), Options{Sheet: "two"}, codeSheet, `there is no sheet "two"`, `did you mean "Two"?`, `"One", "Two"`)
	openFault(t, sheets(one+two).path(t), Options{Sheet: "Two "}, codeSheet, `did you mean "Two"?`)
	e := openFault(t, sheets(one+two).path(t), Options{Sheet: "Contracts"}, codeSheet, `the sheets are: "One", "Two"`)
	if strings.Contains(e.Hint, "did you mean") {
		t.Errorf("a far name is suggested: %s", e.Hint)
	}
	openFault(t, sheets(one+chart).path(t), Options{Sheet: "Chart"}, codeSheetKind, "chartsheet")
	openFault(t, sheets(chart).path(t), Options{}, codeSheetKind)
	openFault(t, sheets(`<sheet name="Ghost" sheetId="1" r:id="rId99"/>`).path(t), Options{Sheet: "Ghost"}, codeSheetKind)
	openFault(t, sheets("").path(t), Options{}, codeDamaged, "no sheet")
	b := sheets(one + two).sheet("")
	openFault(t, b.path(t), Options{}, codeSheetEmpty, `sheet "One"`, `name the sheet that holds the data: "Two"`)
}

// Damage of every kind is an error with its place, never fewer rows.
func TestXLSXDamage(t *testing.T) {
	ok := texts(1, "a", "b") + texts(2, "1", "2")
	for _, c := range []struct{ name, rows, code, words string }{
		{"rows out of order", ok + texts(4, "x") + texts(3, "y"), codeRowOrder, "row 3;after row 4"},
		{"row twice", ok + texts(2, "x"), codeRowOrder, "row 2"},
		{"cells out of order", ok + `<row r="3"><c r="B3"><v>1</v></c><c r="A3"><v>2</v></c></row>`, codeCellOrder, `row 3, column "a"`},
		{"cell twice", ok + `<row r="3"><c r="A3"><v>1</v></c><c r="A3"><v>2</v></c></row>`, codeCellOrder, `row 3, column "a"`},
		{"cell of another row", ok + `<row r="3"><c r="A4"><v>1</v></c></row>`, codeCellOrder, "A4;row 3"},
		{"row number that is none", ok + `<row r="x"/>`, codeDamaged, `"x";after row 2`},
		{"row 0", ok + `<row r="0"/>`, codeDamaged, `"0"`},
		{"row beyond the last", ok + `<row r="1048577"/>`, codeDamaged, "1048577"},
		{"row beyond the last, not numbered", ok + `<row r="1048576"/><row/>`, codeDamaged, "more rows"},
		{"column beyond the last", ok + `<row r="3"><c r="XFE3"><v>1</v></c></row>`, codeDamaged, "XFE3"},
		{"reference that is none", ok + `<row r="3"><c r="3"><v>1</v></c></row>`, codeDamaged, `"3"`},
		{"unknown type", ok + `<row r="3"><c r="A3" t="z"><v>1</v></c></row>`, codeDamaged, "A3;\"z\""},
		{"style that is none", ok + `<row r="3"><c r="A3" s="-1"><v>1</v></c></row>`, codeDamaged, "A3;\"-1\""},
		{"unclosed cell", ok + `<row r="3"><c r="A3"><v>1</v></row>`, codeDamaged, "<c> is closed by <row>"},
		{"unclosed value", ok + `<row r="3"><c r="A3"><v>1</c></row>`, codeDamaged, "<v> is closed by <c>"},
		{"unclosed row", ok + `<row r="3"><c r="A3"><v>1</v></c>`, codeDamaged, "<row> is closed by <sheetData>"},
		{"element inside a value", ok + `<row r="3"><c r="A3"><v>1<b/></v></c></row>`, codeDamaged, "element inside"},
		{"text between cells", ok + `<row r="3">x<c r="A3"><v>1</v></c></row>`, codeDamaged, "text where none belongs"},
		{"unknown entity", ok + `<row r="3"><c r="A3" t="str"><v>&euro;</v></c></row>`, codeDamaged, "&euro;"},
		{"entity for no character", ok + `<row r="3"><c r="A3" t="str"><v>&#0;</v></c></row>`, codeDamaged, "&#0;"},
		{"ampersand alone", ok + `<row r="3"><c r="A3" t="str"><v>a & b</v></c></row>`, codeDamaged, "entity"},
		{"invalid bytes", ok + `<row r="3"><c r="A3" t="str"><v>M` + "\xfc" + `ller</v></c></row>`, codeDamaged, "UTF-8;after row 2"},
		{"NUL byte", ok + `<row r="3"><c r="A3" t="str"><v>M` + "\x00" + `ller</v></c></row>`, codeDamaged, "UTF-8"},
		{"attribute without quotes", ok + `<row r=3></row>`, codeDamaged, "quotes"},
		{"wrong end tag", ok + `</row>`, codeDamaged, "</row>"},
		{"run that does not end", ok + `<row r="3"><c r="A3" t="inlineStr"><is><r><t>x</t></is></c></row>`, codeDamaged, "run"},
		{"tag without a name", ok + `< >`, codeDamaged, "no name"},
		{"declaration", ok + `<!DOCTYPE x>`, codeDamaged, "declaration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, newBook(c.rows).path(t), Options{})
			if s.err == nil {
				t.Fatalf("no error, rows\n%s", s.lines())
			}
			wantFault(t, s.err, fault.Code(c.code), append(strings.Split(c.words, ";"), `sheet "Deals"`)...)
			if len(s.rows) == 0 || !strings.HasPrefix(s.lines(), "2: 1|2\n") {
				t.Errorf("the rows before the damage are\n%s", s.lines())
			}
		})
	}
}

// The sheet's XML cut off at any place is an error, whatever was read before.
func TestXLSXCutOff(t *testing.T) {
	f := open(t, newBook(texts(1, "a")).shared("<t>s</t>").path(t), Options{})
	read := func(text string) (rows int, err error) {
		w := &workbook{f: f, sst: &sharedStrings{at: make([]place, 1)}}
		s := &sheetReader{w: w, part: "sheet1.xml", x: xmlScanner{r: strings.NewReader(text)}, n: -1}
		if err := s.prolog(); err != nil {
			return 0, s.damage(err)
		}
		for {
			if _, err := s.next(); err == io.EOF {
				return rows, nil
			} else if err != nil {
				return rows, err
			}
			rows++
		}
	}
	whole := newBook(texts(1, "a", "b") + texts(2, "1", "2") + texts(3, "x &amp; y", "z") +
		`<row r="4"><c r="A4" t="s"><v>0</v></c><!-- c --><c r="B4"><f>1</f><v>1</v><extLst><x y="z"/></extLst></c></row>`).parts["xl/worksheets/sheet1.xml"]
	if n, err := read(whole); n != 4 || err != nil {
		t.Fatalf("%d rows, %v", n, err)
	}
	for i := range len(whole) {
		_, err := read(whole[:i])
		if err == nil {
			t.Fatalf("cut after %q: no error", whole[max(0, i-30):i])
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != codeDamaged || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut after %q: %v", whole[max(0, i-30):i], err)
		}
	}
}

// One flipped byte anywhere in the archive's data is an error or harmless,
// and never another content.
func TestXLSXFlippedBytes(t *testing.T) {
	var rows strings.Builder
	rows.WriteString(texts(1, "a", "b"))
	for i := range 60 {
		rows.WriteString(texts(i+2, fmt.Sprint("text ", i), fmt.Sprint(i*i)))
	}
	good := newBook(rows.String()).bytes(t)
	dir := t.TempDir()
	read := func(b []byte) (string, error) {
		p := filepath.Join(dir, "book.xlsx")
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(p, Options{})
		if err != nil {
			return "", err
		}
		defer f.Close()
		s := seen{header: f.Header()}
		for row, err := range f.Rows() {
			if err != nil {
				return "", err
			}
			s.rows = append(s.rows, row.Clone())
		}
		return strings.Join(s.header, "|") + "\n" + s.lines(), nil
	}
	want, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	failed, tried := 0, 0
	for i := 0; i < len(good); i += 23 {
		tried++
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		got, err := read(bad)
		var e *Error
		switch {
		case err != nil && !errors.As(err, &e):
			t.Fatalf("byte %d: %v is no *Error", i, err)
		case err != nil:
			failed++
		case got != want:
			t.Fatalf("byte %d: other content without an error:\n%s", i, got)
		}
	}
	if failed < tried/2 || tried < 100 {
		t.Errorf("%d of %d flips were errors", failed, tried)
	}
}

func TestXLSXLimits(t *testing.T) {
	p := newBook(texts(1, "a") + texts(2, strings.Repeat("text ", 5000))).path(t)
	openFault(t, p, Options{MaxBytes: 10_000}, codeTooLarge, "10000")

	// A sheet that says of itself that it unpacks to a gigabyte.
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	b := newBook("")
	for _, name := range b.order {
		if name != "xl/worksheets/sheet1.xml" {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, b.parts[name])
			continue
		}
		var packed bytes.Buffer
		fw, err := flate.NewWriter(&packed, 6)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(fw, `<worksheet><sheetData>`+texts(1, "a")+`</sheetData></worksheet>`)
		fw.Close()
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		w.Write(packed.Bytes())
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	p = file(t, "bomb.xlsx", out.String())
	openFault(t, p, Options{}, codeBomb, "--max-unpacked")
	openFault(t, p, Options{MaxBytes: 1 << 30}, codeDamaged) // trusted, it turns out to be a lie
	openFault(t, p, Options{MaxBytes: 1<<30 - 1}, codeTooLarge)

	// A row that no spreadsheet can hold.
	x := xmlScanner{r: io.MultiReader(strings.NewReader("<worksheet><sheetData><row>"), blanks{}), most: 1 << 18}
	s := &sheetReader{w: &workbook{}, x: x, n: -1}
	if err := s.prolog(); err != nil {
		t.Fatal(err)
	}
	_, err := s.next()
	wantFault(t, open(t, newBook(texts(1, "a")).path(t), Options{}).place(err), codeDamaged, "larger than 262144")

	openFault(t, cellsBook(` t="s"><v>0</v>`).shared("<t>"+strings.Repeat("x", arenaChunk+1)+"</t>").path(t), Options{}, codeDamaged, "shared string 0 is longer")
}

// A wrong checksum comes to light at the end of the pass, however much stands
// behind the last row, and so does a tail that is cut off.
func TestXLSXChecksum(t *testing.T) {
	for _, tail := range []int{0, 2 * xmlBuffer} {
		for _, part := range []string{"xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"} {
			b := newBook(texts(1, "a", "b") + `<row r="2"><c r="A2" t="s"><v>0</v></c></row>`).shared("<t>one</t>")
			for _, name := range []string{part} {
				end := strings.LastIndex(b.parts[name], "</")
				b.parts[name] = b.parts[name][:end] + strings.Repeat("<x/>", tail/4) + b.parts[name][end:]
			}
			raw := b.bytes(t)
			readAll(t, file(t, "good.xlsx", string(raw)), Options{}).want(t, "a|b", "2: one|")
			wrong := bytes.Clone(raw)
			for i := range len(wrong) - 46 {
				if string(wrong[i:i+4]) == "PK\x01\x02" && bytes.HasPrefix(wrong[i+46:], []byte(part)) {
					wrong[i+16] ^= 1 // the checksum in the archive's directory
				}
			}
			f, err := Open(file(t, "wrong.xlsx", string(wrong)), Options{})
			if err == nil {
				for _, err = range f.Rows() {
				}
				f.Close()
			}
			wantFault(t, err, codeDamaged, part, "checksum")

			end := strings.LastIndex(b.parts[part], "</")
			b.parts[part] = b.parts[part][:end]
			f, err = Open(b.path(t), Options{})
			if err == nil {
				for _, err = range f.Rows() {
				}
				f.Close()
			}
			wantFault(t, err, codeDamaged)
		}
	}
}

// blanks is a stream without end.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestXLSXMissingParts(t *testing.T) {
	without := func(name string) *book {
		b := newBook(texts(1, "a"))
		delete(b.parts, name)
		for i, n := range b.order {
			if n == name {
				b.order = append(b.order[:i:i], b.order[i+1:]...)
			}
		}
		return b
	}
	for _, name := range []string{"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"} {
		openFault(t, without(name).path(t), Options{}, codeDamaged, "missing")
	}
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "xl/styles.xml"} {
		readAll(t, without(name).path(t), Options{}).want(t, "a", "")
	}
	for _, name := range []string{"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "_rels/.rels"} {
		b := newBook(texts(1, "a"))
		b.set(name, b.parts[name][:len(b.parts[name])-20])
		openFault(t, b.path(t), Options{}, codeDamaged)
	}
	// The same part twice: which one is meant?
	b := newBook(texts(1, "a"))
	b.order = append(b.order, "xl/worksheets/sheet1.xml")
	openFault(t, b.path(t), Options{}, codeDamaged, "twice")
	// A packing that nobody reads, and an archive with a password.
	raw := newBook(texts(1, "a")).bytes(t)
	method := bytes.Clone(raw)
	for i := range len(method) - 4 {
		if string(method[i:i+4]) == "PK\x01\x02" {
			method[i+10] = 99
		}
	}
	openFault(t, file(t, "method.xlsx", string(method)), Options{}, codeUnsupported)
	locked := bytes.Clone(raw)
	for i := range len(locked) - 4 {
		if string(locked[i:i+4]) == "PK\x01\x02" {
			locked[i+8] |= 1
		}
	}
	openFault(t, file(t, "locked.xlsx", string(locked)), Options{}, codeEncrypted)
}

// Rows larger than the buffer, and rows that straddle it.
func TestXLSXAcrossBuffers(t *testing.T) {
	var b strings.Builder
	b.WriteString(texts(1, "a", "b"))
	var want strings.Builder
	n := 1
	for _, size := range []int{10, xmlBuffer - 500, 30_000, 2*xmlBuffer + 7, 1} {
		for k := range 4 {
			n++
			text := strings.Repeat("é", (size+k)/2+1)
			b.WriteString(texts(n, text, "&lt;"))
			fmt.Fprintf(&want, "%d: %s|<\n", n, text)
		}
	}
	s := readAll(t, newBook(b.String()).path(t), Options{})
	if s.err != nil || s.lines() != want.String() {
		t.Errorf("%d rows, %v", len(s.rows), s.err)
	}
}

// What excelize writes reads back, in Excel's way with shared strings and in
// its stream's way with inline ones.
func TestXLSXWrittenByExcelize(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	style, err := x.NewStyle(&excelize.Style{CustomNumFmt: ptr("dd/mm/yyyy hh:mm")})
	if err != nil {
		t.Fatal(err)
	}
	set := func(cell string, v any) {
		if err := x.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	set("A1", "Monthly report")
	if err := x.MergeCell("Sheet1", "A1", "D1"); err != nil {
		t.Fatal(err)
	}
	for i, n := range []string{"id", "when", "ok", "phone"} {
		set(letters(i)+"2", n)
	}
	set("A3", "00123")
	set("B3", 46000.5)
	if err := x.SetCellStyle("Sheet1", "B3", "B3", style); err != nil {
		t.Fatal(err)
	}
	set("C3", true)
	set("D3", 919876543210)
	if err := x.SetCellRichText("Sheet1", "A4", []excelize.RichTextRun{{Text: "rich "}, {Text: "text", Font: &excelize.Font{Bold: true}}}); err != nil {
		t.Fatal(err)
	}
	if err := x.SetCellFormula("Sheet1", "D4", "1+1"); err != nil {
		t.Fatal(err)
	}
	if err := x.SetRowVisible("Sheet1", 4, false); err != nil {
		t.Fatal(err)
	}
	if _, err := x.NewSheet("Stream"); err != nil {
		t.Fatal(err)
	}
	w, err := x.NewStreamWriter("Stream")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range [][]any{{"a", "b"}, {"=1+1", excelize.Cell{StyleID: style, Value: 46000.25}}, {"  x_x0041_ ", 1e21}} {
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".xlsx", ".xlsm", ".xltx"} {
		p := filepath.Join(t.TempDir(), "book"+ext)
		if err := x.SaveAs(p); err != nil {
			t.Fatal(err)
		}
		s := readAll(t, p, Options{})
		s.want(t, "id|when|ok|phone", "3: 00123|@46000.5{dd/mm/yyyy hh:mm}|?TRUE|#919876543210\n4~: rich text|||!"+NeverCalculated)
		if s.info.HeaderRow != 2 {
			t.Errorf("header row %d", s.info.HeaderRow)
		}
		readAll(t, p, Options{Sheet: "Stream"}).want(t, "a|b", "2: =1+1|@46000.25{dd/mm/yyyy hh:mm}\n3:   x_x0041_ |#1000000000000000000000")
	}
}

func ptr[T any](v T) *T { return &v }
