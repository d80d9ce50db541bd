package source

import "testing"

func TestFind(t *testing.T) {
	names := []string{"Deal ID", "Email", "Name"}
	two := `<worksheet ` + nsMain + `><sheetData>` + texts(1, "Sales") + texts(4, "Deal ID", "Email", "Name ") + texts(5, "North") + texts(6, "D-1", "a", "b") + `</sheetData></worksheet>`
	b := newBook(texts(1, "x", "Name")+texts(2, "1", "2")).workbook("", `<sheet name="One" sheetId="1" r:id="rId1"/><sheet name="Two" sheetId="2" r:id="rId4"/><sheet name="Chart" sheetId="3" r:id="rId5"/>`).
		set("xl/worksheets/sheet2.xml", two).set("xl/chartsheets/sheet1.xml", "<chartsheet/>")
	if got, want := open(t, b.path(t), Options{}).Find(names), (Place{Sheet: "Two", Row: 4, Found: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// A sheet that cannot be read is left out.
	b.set("xl/worksheets/sheet2.xml", "<worksheet><sheetData><row")
	if got, want := open(t, b.path(t), Options{}).Find(names), (Place{Sheet: "One", Row: 1, Found: 1, Chosen: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for text, want := range map[string]Place{
		"Sales\nx,y\nDeal ID,Email\n1,2\n": {Row: 3, Found: 2},
		"a,b\n1,2\n":                       {},
		"Email,Name\nEmail,Name\n":         {Row: 1, Found: 2, Chosen: true},
	} {
		if got := open(t, file(t, "in.csv", text), Options{HeaderRow: 1}).Find(names); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
