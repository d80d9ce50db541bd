package source

import (
	"fmt"
	"strings"
	"testing"
)

// TestFormulaPlaceholders: a result of 0 is none where the file asks for its
// formulas to be calculated when it is opened.
func TestFormulaPlaceholders(t *testing.T) {
	const never = "!" + NeverCalculated
	for _, c := range []struct{ name, cell, plain, recalc string }{
		{"a stand-in", `><f>A1*2</f><v>0</v>`, "#0", never},
		{"of type n", ` t="n"><f>A1</f><v>0</v>`, "#0", never},
		{"with a date's format", ` s="1"><f>A1</f><v>0</v>`, "@0{mm-dd-yy}", never},
		{"empty text", ` t="str"><f>A1</f><v></v>`, "", never},
		{"value first", `><v>0</v><f>A1</f>`, "#0", never},
		{"blanks", `><f>A1</f><v> 0 </v>`, "#0", never},
		{"a value that somebody gave", `><f>A1</f><v>42</v>`, "#42", "#42"},
		{"a text that somebody gave", ` t="str"><f>A1</f><v>x</v>`, "x", "x"},
		{"false", ` t="b"><f>1=2</f><v>0</v>`, "?FALSE", "?FALSE"},
		{"an error", ` t="e"><f>1/0</f><v>#DIV/0!</v>`, "!#DIV/0!", "!#DIV/0!"},
		{"no formula", `><v>0</v>`, "#0", "#0"},
		{"shared formula", `><f t="shared" si="0"/><v>0</v>`, "#0", never},
		{"array of one cell", `><f t="array" ref="A2">A1</f><v>0</v>`, "#0", never},
	} {
		for props, want := range map[string]string{"": c.plain, `<calcPr calcId="124519" fullCalcOnLoad="1"/>`: c.recalc, `<calcPr fullCalcOnLoad="true"/>`: c.recalc, `<calcPr fullCalcOnLoad="0"/>`: c.plain, `<calcPr calcId="191029"/>`: c.plain} {
			b := cellsBook(c.cell, ` t="inlineStr"><is><t>end</t></is>`).styles("", 0, 14)
			b.set("xl/workbook.xml", strings.Replace(b.parts["xl/workbook.xml"], "</workbook>", props+"</workbook>", 1))
			lines := "3: end"
			if want != "" {
				lines = "2: " + want + "\n" + lines
			}
			t.Run(c.name, func(t *testing.T) { readAll(t, b.path(t), Options{}).want(t, "v", lines) })
		}
	}
	// The other cells of an array formula hold such a 0 without a formula.
	b := newBook(texts(1, "a", "b", "c") +
		`<row r="2"><c r="A2"><f t="array" ref="A2:B3">C2:C3</f><v>0</v></c><c r="B2"><v>0</v></c><c r="C2"><v>0</v></c></row>` +
		`<row r="3"><c r="A3"><v>0</v></c><c r="B3"><v>7</v></c></row><row r="4"><c r="A4"><v>0</v></c></row>`)
	b.set("xl/workbook.xml", strings.Replace(b.parts["xl/workbook.xml"], "</workbook>", `<calcPr fullCalcOnLoad="1"/></workbook>`, 1))
	readAll(t, b.path(t), Options{}).want(t, "a|b|c", "2: "+never+"|"+never+"|#0\n3: "+never+"|#7|\n4: #0||")
}

// TestISOTimes: times and durations that a writer gives a date of 1899.
func TestISOTimes(t *testing.T) {
	custom := `<numFmt numFmtId="164" formatCode="[h]:mm"/><numFmt numFmtId="165" formatCode="h:mm"/>`
	for _, c := range []struct {
		name  string
		style int
		text  string
		want  string
	}{
		{"time", 0, "1899-12-30T10:15:30.000Z", "@0.42743055555555554{hh:mm:ss}"},
		{"time under a date's format", 1, "1899-12-30T10:15:30.000Z", "@0.42743055555555554{mm-dd-yy}"},
		{"time under its own", 3, "1899-12-30T06:00:00.000Z", "@0.25{h:mm}"},
		{"midnight", 0, "1899-12-30T00:00:00", "@0{hh:mm:ss}"},
		{"36 hours", 0, "1899-12-31T12:00:00.000Z", "@1.5{[h]:mm:ss}"},
		{"36 hours under a date's format", 1, "1899-12-31T12:00:00.000Z", "@1.5{[h]:mm:ss}"},
		{"36 hours under their own", 2, "1899-12-31T12:00:00.000Z", "@1.5{[h]:mm}"},
		{"60 hours", 2, "1900-01-01T12:00:00.000Z", "@2.5{[h]:mm}"},
		{"60 days", 2, "1900-02-28T00:00:00.000Z", "@60{[h]:mm}"},
		{"61 days", 2, "1900-03-01T00:00:00.000Z", "@61{[h]:mm}"},
		{"a date of 1900", 1, "1900-01-01T12:00:00.000Z", "@1.5{mm-dd-yy}"},
		{"time without a date", 0, "10:15:30", "@0.42743055555555554{hh:mm:ss}"},
		{"a date of 1899", 0, "1899-12-29T10:00:00", "!1899-12-29T10:00:00 [cell.unreadable v]"},
		{"a date alone", 0, "1899-12-31", "!1899-12-31 [cell.unreadable v]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := cellsBook(fmt.Sprintf(` t="d" s="%d"><v>%s</v>`, c.style, c.text)).styles(custom, 0, 14, 164, 165)
			readAll(t, b.path(t), Options{}).want(t, "v", "2: "+c.want)
		})
	}
}

// Test1904Times: in a workbook of the 1904 system a date stays one whatever
// format shows it, and times and spans of time stay as they are.
func Test1904Times(t *testing.T) {
	custom := `<numFmt numFmtId="164" formatCode="[h]:mm"/><numFmt numFmtId="165" formatCode="h:mm"/><numFmt numFmtId="166" formatCode="mm:ss"/><numFmt numFmtId="167" formatCode="dd/mm/yyyy"/>`
	for _, c := range []struct {
		style int
		value string
		want  string
	}{
		{1, "1.25", "@1.25{[h]:mm}"}, {1, "400", "@400{[h]:mm}"}, {1, "44559.5", "@46021.5{yyyy-mm-dd hh:mm:ss}"},
		{2, "0.5", "@0.5{h:mm}"}, {2, "44559.5", "@46021.5{h:mm}"}, {2, "1", "@1463{h:mm}"}, {2, "-0.5", "@-0.5{h:mm}"},
		{3, "44559.5", "@46021.5{mm:ss}"}, {3, "0.001", "@0.001{mm:ss}"}, {4, "0", "@1462{dd/mm/yyyy}"}, {4, "44559.5", "@46021.5{dd/mm/yyyy}"}, {0, "44559.5", "#44559.5"},
	} {
		b := cellsBook(fmt.Sprintf(` s="%d"><v>%s</v>`, c.style, c.value)).styles(custom, 0, 164, 165, 166, 167)
		b.workbook(`<workbookPr date1904="1"/>`, `<sheet name="Deals" sheetId="1" r:id="rId1"/>`)
		readAll(t, b.path(t), Options{}).want(t, "v", "2: "+c.want)
	}
}

// TestDamagedPart: the part that is broken is the one that is named.
func TestDamagedPart(t *testing.T) {
	for part, content := range map[string]string{
		"xl/styles.xml":              `<styleSheet><fonts><font>`,
		"xl/workbook.xml":            `<workbook><sheets>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData><row`,
		"_rels/.rels":                `no XML`,
	} {
		e := openFault(t, newBook(texts(1, "a")+texts(2, "b")).set(part, content).path(t), Options{}, codeDamaged)
		if !strings.Contains(e.Msg, fmt.Sprintf("%q", part)) {
			t.Errorf("%s is broken, and the message is %q", part, e.Msg)
		}
	}
}

// TestNULInWorkbook: a NUL is a fault as in a CSV file, in each kind of text.
func TestNULInWorkbook(t *testing.T) {
	b := cellsBook(` t="str"><v>a_x0000_b</v>`, ` t="inlineStr"><is><t>_x0000_</t></is>`, ` t="s"><v>0</v>`, ` t="s"><v>1</v>`, ` t="str"><v>_x005F_x0000_</v>`).shared("<t>n_x0000_</t>", "<t>fine</t>")
	readAll(t, b.path(t), Options{}).want(t, "v", "2: !a\\x00b [cell.nul v]\n3: !\\x00 [cell.nul v]\n4: !n\\x00 [cell.nul v]\n5: fine\n6: _x0000_")
}
