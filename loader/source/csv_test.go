package source

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"leadload/internal/fault"
)

func TestCSVRows(t *testing.T) {
	for _, c := range []struct{ name, text, header, rows string }{
		{"simple", "a,b,c\n1,2,3\n", "a|b|c", "2: 1|2|3"},
		{"no line break at the end", "a,b\n1,2", "a|b", "2: 1|2"},
		{"empty last cell at the end", "a,b\n1,", "a|b", "2: 1|"},
		{"crlf", "a,b\r\n1,2\r\n3,4\r\n", "a|b", "2: 1|2\n3: 3|4"},
		{"cr alone, as old Macs write", "a,b\r1,2\r3,4\r", "a|b", "2: 1|2\n3: 3|4"},
		{"cr alone without one at the end", "a,b\r1,2", "a|b", "2: 1|2"},
		{"mixed line ends", "a,b\r\n1,2\n3,4\r5,6", "a|b", "2: 1|2\n3: 3|4\n4: 5|6"},
		{"quoted cells", "a,b\n\"1\",\"2\"\n", "a|b", "2: 1|2"},
		{"delimiter inside quotes", "a,b\n\"x,y\",2\n", "a|b", "2: x,y|2"},
		{"doubled quotes", "a,b\n\"say \"\"hello\"\"\",2\n", "a|b", "2: say \"hello\"|2"},
		{"nothing but doubled quotes", "a,b\n\"\"\"\",\"\"\"\"\"\"\n", "a|b", "2: \"|\"\""},
		{"json in a cell", "key,json\n1,\"{\"\"type\"\": \"\"Point\"\", \"\"at\"\": [102.0, 0.5]}\"\n", "key|json", "2: 1|{\"type\": \"Point\", \"at\": [102.0, 0.5]}"},
		{"line break inside quotes", "a,b\n\"one\ntwo\",2\n3,4\n", "a|b", "2: one⏎two|2\n3: 3|4"},
		{"crlf inside quotes becomes lf", "a,b\r\n\"one\r\ntwo\",2\r\n", "a|b", "2: one⏎two|2"},
		{"cr inside quotes becomes lf", "a,b\r\"one\rtwo\",2\r", "a|b", "2: one⏎two|2"},
		{"quoted empty cell", "a,b\n\"\",2\n", "a|b", "2: |2"},
		{"quoted cell last", "a,b\n1,\"2\"", "a|b", "2: 1|2"},
		{"blank behind a closing quote", "a,b\n\"1\" ,\"2\" \n", "a|b", "2: 1|2"},
		{"stray quote in an unquoted cell is text", "a,b\n5\" pipe,say \"hi\"\n", "a|b", "2: 5\" pipe|say \"hi\""},
		{"quotes behind blanks", "a, \"b\"\n1, \"x\"\n \"y\",  \"z,z\" \n", "a|b", "2: 1|x\n3: y|z,z"},
		{"quotes behind a tab", "a,b\n1,\t\"x\"\t\n", "a|b", "2: 1|x"},
		{"quotes behind a no-break space", "a,b\n1,\u00a0\"x\"\u00a0\n", "a|b", "2: 1|x"},
		{"quotes behind other spaces", "a,b\n1,\u2009\u202f\u3000\"x\"\n", "a|b", "2: 1|x"},
		{"quotes behind zero-width characters", "a,b\n\u200b\"1\",\u2060\u200e\u00ad\"x\"\n", "a|b", "2: 1|x"},
		{"quotes behind a byte order mark, where files were joined", "a,b\n1,2\n\ufeff\"3,3\",\"4\"\n", "a|b", "2: 1|2\n3: 3,3|4"},
		{"two byte order marks", "\ufeff\ufeff\"a\",b\n1,2\n", "a|b", "2: 1|2"},
		{"three byte order marks and a hint line", "\ufeff\ufeff\ufeffsep=;\na;b\n1,5;2\n", "a|b", "2: 1,5|2"},
		{"quotes behind blanks, with a line break and doubled quotes", "a,b\n1, \"x\n\"\"y\"\"\" \n3,4\n", "a|b", "2: 1|x⏎\"y\"\n3: 3|4"},
		{"quoted and empty behind a blank", "a\n \"\"\n \"x\"\n", "a", "3: x"},
		{"text after quotes behind a blank", "a,b\n1, \"Dev\" the Great\n3,4\n", "a|b", "2: 1| \"Dev\" the Great [cell.after-quote b]\n3: 3|4"},
		{"a tab that delimits is no blank", "a\tb\tc\n1\t\t\"x\"\n", "a|b|c", "2: 1||x"},
		{"a letter beyond ASCII is no blank", "a,b\né\"x\",आ\"y\"\n", "a|b", "2: é\"x\"|आ\"y\""},
		{"texts kept as formulas", "=\"a\",b\n=\"0001\",=\"01234\"\n\"=\"\"0002\"\"\",\"=\"\"00560\"\"\"\n", "a|b", "2: 0001|01234\n3: 0002|00560"},
		{"texts kept as formulas, among blanks", "a,b\n =\"01\" ,= \"02\"\t\n", "a|b", "2: 01|02"},
		{"an empty text kept as a formula", "a,b\n1,=\"\"\n=\"\",\"=\"\"\"\"\"\n", "a|b", "2: 1|"},
		{"quotes in a text kept as a formula", "a\n\"=\"\"5\"\"\"\" pipe\"\"\"\n", "a", "2: 5\" pipe"},
		{"an error kept as a formula", "a\n=\"#N/A\"\n", "a", "2: !#N/A"},
		{"formulas that only a spreadsheet calculates", "a,b\n=\"x\"&\"y\",=A1\n=\",=\"\"\n", "a|b", "2: =\"x\"&\"y\"|=A1\n3: =\"|"},
		{"blanks are kept", "a,b\n 1 ,\t2\n", "a|b", "2:  1 |\t2"},
		{"leading zeros, pluses and long numbers stay text", "a,b,c\n00123,+91-98,12345678901234567890\n", "a|b|c", "2: 00123|+91-98|12345678901234567890"},
		{"blank lines count and are left out", "a,b\n\n1,2\n\n\n3,4\n\n", "a|b", "3: 1|2\n6: 3|4"},
		{"rows of delimiters or blanks are left out", "a,b\n,\n \t,\u00a0\n1,2\n\"\",\"\"\n", "a|b", "4: 1|2"},
		{"blank lines above the header", "\n\na,b\n1,2\n", "a|b", "4: 1|2"},
		{"header only", "a,b\n", "a|b", ""},
		{"header only without line break", "a,b", "a|b", ""},
		{"one column", "email\nx@example.com\n\ny@example.com\n", "email", "2: x@example.com\n4: y@example.com"},
		{"utf-8", "name,city\nआशा,ಬೆಂಗಳೂರು\nŞule,İstanbul\n", "name|city", "2: आशा|ಬೆಂಗಳೂರು\n3: Şule|İstanbul"},
		{"byte order mark", "\ufeffa,b\n1,2\n", "a|b", "2: 1|2"},
		{"byte order mark before a quoted header", "\ufeff\"a\",\"b\"\n1,2\n", "a|b", "2: 1|2"},
		{"too short", "a,b,c\n1,2\n3,4,5\n", "a|b|c", "2: 1|2| [row.too-short ]\n3: 3|4|5"},
		{"one cell alone", "a,b,c\nTotal 5\n", "a|b|c", "2: Total 5|| [row.too-short ]"},
		{"too long", "a,b\n1,2,3\n4,5\n", "a|b", "2: 1|2 [row.too-long ]\n3: 4|5"},
		{"nothing but a cell too many", "a,b\n,,3\n", "a|b", "2: | [row.too-long ]"},
		{"empty cells too many do no harm", "a,b\n1,2,,\n", "a|b", "2: 1|2"},
		{"nameless columns at the end of the header", "a,b,,\n1,2,note,\n3,4\n5,6,,,x\n", "a|b", "2: 1|2\n3: 3|4\n4: 5|6 [row.too-long ]"},
		{"nameless first column", ",a,b\n0,1,2\n1,3,4\n2,,\n", "a|b", "2: 1|2\n3: 3|4"},
		{"nameless column in the middle", "a,,b\n1,2,3\n", "a||b", "2: 1|2|3"},
		{"names twice", "a,b,a\n1,2,3\n", "a|b|a", "2: 1|2|3"},
		{"text after a closing quote", "a,b\n\"x\"y,2\n3,4\n", "a|b", "2: \"x\"y|2 [cell.after-quote a]\n3: 3|4"},
		{"two faults of one row", "a,b,c\n\"x\"y,2\n", "a|b|c", "2: \"x\"y|2| [row.too-short ] [cell.after-quote a]"},
		{"errors of a spreadsheet", "a,b\n#N/A,#REF!\n#hash,x #N/A\n", "a|b", "2: !#N/A|!#REF!\n3: #hash|x #N/A"},
		{"NUL byte", "a,b\n1,x\x00y\n3,4\n", "a|b", "2: 1|!x\\x00y [cell.nul b]\n3: 3|4"},
		{"NUL beside a line break is no utf-16", "aa,b\n1,2\n\x003,4\n5,66\n7,88\n", "aa|b", "2: 1|2\n3: !\\x003|4 [cell.nul aa]\n4: 5|66\n5: 7|88"},
		{"invalid utf-8", "a,b\n1,M\xfcller\n3,4\n", "a|b", "2: 1|!M\\xFCller [cell.encoding b]\n3: 3|4"},
		{"invalid utf-8 beyond the header", "a\n1,\xff\n", "a", "2: 1 [row.too-long ] [cell.encoding B]"},
		{"cut character at the end", "a,b\n1,\xe0\xa4", "a|b", "2: 1|!\\xE0\\xA4 [cell.encoding b]"},
		{"a lost character of an earlier program is text", "a\nM\ufffdller\n", "a", "2: M\ufffdller"},
		{"header names are cleaned", "\" Deal\r\n ID \",Am\u200bount\u00a0, \u202aStage\u202c,\"Two  blanks\"\n1,2,3,4\n", "Deal ID|Amount|Stage|Two  blanks", "2: 1|2|3|4"},
		{"joiners that spell words stay", "शक्\u200dति,\u200dx\n1,2\n", "शक्\u200dति|x", "2: 1|2"},
		{"hint line of a spreadsheet", "sep=;\na;b\n1,5;2\n", "a|b", "2: 1,5|2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			readAll(t, file(t, "in.csv", c.text), Options{}).want(t, c.header, c.rows)
		})
	}
}

func TestCSVDelimiter(t *testing.T) {
	for _, c := range []struct{ name, text, given, found, header, rows string }{
		{"comma", "a,b\n1,2\n", "", ",", "a|b", "2: 1|2"},
		{"semicolon", "a;b\n1,5;2\n", "", ";", "a|b", "2: 1,5|2"},
		{"tab", "a\tb\n1\t2\n", "", "\t", "a|b", "2: 1|2"},
		{"pipe", "a|b\n1|2\n", "", "|", "a|b", "2: 1|2"},
		{"quotes in the header are respected", "\"Name, first, last, full\";\"City\"\nx;y\n", "", ";", "Name, first, last, full|City", "2: x|y"},
		{"the rows decide, not the count", "Deal;Value, in EUR;Stage, step, reason\n1;2,5;x\n2;3,5;y\n", "", ";", "Deal|Value, in EUR|Stage, step, reason", "2: 1|2,5|x\n3: 2|3,5|y"},
		{"a few ragged rows do not decide", "a,b,c;d\n1,2,3\n1,2,3\n1,2,3\n1,2\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n", "", ",", "a|b|c;d",
			"2: 1|2|3\n3: 1|2|3\n4: 1|2|3\n5: 1|2| [row.too-short ]\n6: 1|2|3\n7: 1|2|3\n8: 1|2|3\n9: 1|2|3\n10: 1|2|3\n11: 1|2|3\n12: 1|2|3\n13: 1|2|3"},
		{"a tie goes to the comma", "a,b;c\n", "", ",", "a|b;c", ""},
		{"declared", "a,b;c\n1,2;3\n", ";", ";", "a,b|c", "2: 1,2|3"},
		{"declared by name", "a\tb\n1\t2\n", "tab", "\t", "a|b", "2: 1|2"},
		{"declared wins over the hint line", "sep=;\na,b\n", ",", ",", "a|b", ""},
		{"one column has the comma", "notes\nhello; world\n", "", ",", "notes", "2: hello; world"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, file(t, "in.csv", c.text), Options{Delimiter: c.given})
			s.want(t, c.header, strings.ReplaceAll(c.rows, "\u2502", "|"))
			if s.info.Delimiter != c.found || s.info.Format != "csv" {
				t.Errorf("delimiter %q, want %q (%s)", s.info.Delimiter, c.found, s.info.Format)
			}
		})
	}
	openFault(t, file(t, "in.csv", "a\n"), Options{Delimiter: "::"}, codeDelimiter, `"::"`, "one of , ; | or tab")
}

func TestCSVPlaces(t *testing.T) {
	// Row 2 is blank, row 3 reaches over three lines, row 5 has a fault.
	text := "a,b\n\n\"one\ntwo\r\nthree\",x\n1,2\n3\n\"x\"y\n"
	s := readAll(t, file(t, "in.csv", text), Options{})
	s.want(t, "a|b", "3: one⏎two⏎three|x\n4: 1|2\n5: 3| [row.too-short ]\n6: \"x\"y| [row.too-short ] [cell.after-quote a]")
	var got []string
	for _, r := range s.rows {
		got = append(got, fmt.Sprintf("%d@%d", r.Number, r.Line))
		if r.Origin != r.Number {
			t.Errorf("row %d has origin %d", r.Number, r.Origin)
		}
	}
	if strings.Join(got, " ") != "3@3 4@6 5@7 6@8" {
		t.Errorf("rows at lines %v", got)
	}
	if e := s.rows[2].Faults[0]; e.Line != 7 || !strings.Contains(e.Error(), "row 5 (line 7)") || !strings.Contains(e.Error(), "1 cell, the header has 2") {
		t.Errorf("the fault says %q", e)
	}
}

func TestCSVAfterQuoteNamesTheLines(t *testing.T) {
	s := readAll(t, file(t, "in.csv", "a,b\n1,\"5 inch\n2,6\" pipe\n3,x\n"), Options{})
	s.want(t, "a|b", "2: 1|\"5 inch⏎2,6\" pipe [cell.after-quote b]\n3: 3|x")
	wantFault(t, s.rows[0].Faults[0], codeAfterQuote, "reaches to line 3", "stray quote at line 2")
}

func TestCSVUnclosedQuote(t *testing.T) {
	s := readAll(t, file(t, "in.csv", "a,b\n1,\"x\ny\",\"zzz\n4,5\n6,7\n"), Options{})
	if len(s.rows) != 0 {
		t.Errorf("%d rows before the error", len(s.rows))
	}
	e := wantFault(t, s.err, codeQuote, "line 3", "never closed")
	if e.Line != 3 || e.Row != 2 || e.Column != "C" {
		t.Errorf("at line %d, row %d, column %s", e.Line, e.Row, e.Column)
	}
	openFault(t, file(t, "in.csv", "a,\"b\n1,2\n"), Options{}, codeQuote, "line 1")
}

// An unclosed quote in a large file is found without reading all of it into
// memory, and so is a row that never ends.
func TestCSVRowTooLarge(t *testing.T) {
	end := func(text string) error {
		s := newCSVReader(io.MultiReader(strings.NewReader(text), broken{}), 0, ',', "utf-8")
		s.most = 1 << 16
		for {
			if _, err := s.next(); err != nil {
				return open(t, file(t, "in.csv", "a\n"), Options{}).place(err)
			}
		}
	}
	filler := strings.Repeat("4,some \"\"text that\r\nfills the file\n", 1<<12)
	for text, col := range map[string]string{
		"a,b\n1,2\n3,\"open\n" + filler:                             "B",
		"a,b\n1,2\n\"x\"\" \",y\"z,\"open\n" + filler:               "C",
		"a,b\n\"1\n\",2\n\"three\",\"\",\"\",\"\"\"open\n" + filler: "D",
	} {
		e := wantFault(t, end(text), codeQuote, "never closed")
		if want := 3 + strings.Count(text[:9], "\"1"); e.Line != want || e.Row != 3 || e.Column != col {
			t.Errorf("at line %d, row %d, column %s", e.Line, e.Row, e.Column)
		}
	}
	if e := wantFault(t, end("a,b\n1,2\n"+strings.Repeat("x", 1<<17)), codeRowSize, "65536 bytes"); e.Row != 3 {
		t.Errorf("at row %d", e.Row)
	}
	s := readAll(t, file(t, "in.csv", "a,b\n1,2\n"+strings.Repeat(",", 10*maxColumns)), Options{})
	wantFault(t, s.err, codeRowSize, "16384 cells", "delimiter")
}

func TestCSVHeaderRow(t *testing.T) {
	preamble := "Deals of March\nexported,2026-04-01\n\nid,name\n1,Asha\n"
	s := readAll(t, file(t, "in.csv", preamble), Options{HeaderRow: 4})
	s.want(t, "id|name", "5: 1|Asha")
	if s.info.HeaderRow != 4 || len(s.info.Notes) != 1 || !strings.Contains(s.info.Notes[0], "row 4") {
		t.Errorf("info %+v", s.info)
	}
	openFault(t, file(t, "in.csv", preamble), Options{HeaderRow: 3}, codeHeaderRow, "row 3")
	openFault(t, file(t, "in.csv", preamble), Options{HeaderRow: 40}, codeHeaderRow, "row 40")
	openFault(t, file(t, "in.csv", preamble), Options{HeaderRow: -1}, codeHeaderRow, "-1")

	// A title over the table is told from the table.
	for _, title := range []string{"Deals of March\n", "Deals of March,,\n", "Deals of March\nfor internal use\n\n"} {
		s := readAll(t, file(t, "in.csv", title+"id,name,when\n1,Asha,today\n2,Ravi,tomorrow\n"), Options{})
		if got := strings.Join(s.header, "|"); got != "id|name|when" || len(s.rows) != 2 {
			t.Errorf("%q: header %q, %d rows", title, got, len(s.rows))
		}
		if len(s.info.Notes) != 1 {
			t.Errorf("%q: notes %q", title, s.info.Notes)
		}
	}
	// But one column is one column, and data are no names.
	for _, c := range []struct{ text, header string }{
		{"notes\nhello, world\nbye\n", "notes"},
		{"amount\n\"1\",5\n\"2\",6\n", "amount"},
		{"notes\nfirst\nsecond\n", "notes"},
	} {
		if s := readAll(t, file(t, "in.csv", c.text), Options{}); strings.Join(s.header, "|") != c.header {
			t.Errorf("%q: header %q", c.text, s.header)
		}
	}
}

func TestCSVHeaderFaults(t *testing.T) {
	openFault(t, file(t, "in.csv", "Gr\xf6\xdfe,b\n1,2\n"), Options{}, codeHeaderBytes, "0xF6", "windows-1252", "Größe")
	openFault(t, file(t, "in.csv", "a\x00,b\n1,2\n"), Options{}, codeHeaderBytes, "NUL")
	openFault(t, file(t, "in.csv", "\"a\"x,b\n1,2\n"), Options{}, codeHeaderQuote, "row 1", `"A"`)
	openFault(t, file(t, "in.csv", "\n , \n\n"), Options{}, codeEmpty)
	openFault(t, file(t, "in.csv", ""), Options{}, codeEmpty)
	openFault(t, file(t, "in.csv", "\ufeff"), Options{}, codeEmpty)
	openFault(t, file(t, "in.csv", "\u200b,\u200b\n1,2\n3,4"), Options{HeaderRow: 1}, codeHeaderRow)
}

func TestCSVPositions(t *testing.T) {
	f := open(t, file(t, "in.csv", ",a,b,,c,\n"), Options{})
	if got := strings.Join(f.Positions(), " "); got != "B C D E" {
		t.Errorf("positions %s", got)
	}
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := letters(i); got != want {
			t.Errorf("letters(%d) = %s, want %s", i, got, want)
		}
	}
}

func TestGzip(t *testing.T) {
	pack := func(parts ...string) string {
		var b bytes.Buffer
		for _, p := range parts {
			z := gzip.NewWriter(&b)
			io.WriteString(z, p)
			z.Close()
		}
		return b.String()
	}
	text := "a,b\n" + strings.Repeat("1,some text of a row\n", 20000)
	s := readAll(t, file(t, "in.csv.gz", pack(text)), Options{})
	if len(s.rows) != 20000 || s.err != nil {
		t.Errorf("%d rows, %v", len(s.rows), s.err)
	}
	readAll(t, file(t, "two members.gz", pack("a,b\n1,", "2\n")), Options{}).want(t, "a|b", "2: 1|2")
	readAll(t, file(t, "utf-16.gz", pack("\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00")), Options{}).want(t, "a|b", "2: 1|2")

	cut := pack(text)
	s = readAll(t, file(t, "cut.gz", cut[:len(cut)-100]), Options{})
	wantFault(t, s.err, codeDamaged, "gzip", "cut off")
	flipped := []byte(pack(text))
	flipped[len(flipped)-6] ^= 1 // in the checksum
	s = readAll(t, file(t, "flipped.gz", string(flipped)), Options{})
	wantFault(t, s.err, codeDamaged)
	openFault(t, file(t, "head.gz", "\x1f\x8b\x08"), Options{}, codeDamaged)
	openFault(t, file(t, "empty.gz", pack("")), Options{}, codeEmpty)
	openFault(t, file(t, "book.gz", pack("PK\x03\x04...")), Options{}, codeCompressed)
	openFault(t, file(t, "pdf.gz", pack("%PDF-1.7...")), Options{}, codePDF)

	openFault(t, file(t, "large.gz", pack(text)), Options{MaxBytes: 100_000}, codeTooLarge, "100000")
}

// zeros is a stream without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestGzipBomb(t *testing.T) {
	f := open(t, file(t, "in.csv", "a\n"), Options{})
	n, err := io.Copy(io.Discard, &limited{r: zeros{}, limit: 1 << 40, packed: 1 << 10})
	wantFault(t, f.place(err), codeBomb, "--max-unpacked")
	if n < bombFloor/2 || n > bombFloor {
		t.Errorf("stopped after %d bytes", n)
	}
	// What packs well and is no larger than its ratio allows goes on, and a
	// limit of the user's own decides alone.
	for _, l := range []*limited{{limit: 100 << 20, packed: 1 << 20}, {limit: 100 << 20, packed: 1, trusted: true}} {
		l.r = zeros{}
		n, err = io.Copy(io.Discard, l)
		wantFault(t, f.place(err), codeTooLarge, "104857600")
		if n < 99<<20 {
			t.Errorf("stopped after %d bytes", n)
		}
	}
}

func TestStdin(t *testing.T) {
	dir := t.TempDir()
	f, err := Open("-", Options{Stdin: strings.NewReader("a,b\n1,2\n3\n"), TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		// The copy has no name, so that nothing stays behind.
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("the copy is there: %v", left)
		}
	}
	for range 2 {
		n := 0
		for row, err := range f.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 2 {
				wantFault(t, row.Faults[0], codeTooShort, "standard input, row 3")
			}
		}
		if n != 2 {
			t.Errorf("%d rows", n)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("the second close: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}

	if _, err := Open("-", Options{Stdin: bytes.NewReader(newBook(texts(1, "a", "b")).bytes(t)), TempDir: dir}); err != nil {
		t.Errorf("a workbook from standard input: %v", err)
	}
	openFault(t, "-", Options{Stdin: strings.NewReader(""), TempDir: dir}, codeEmpty, "standard input")
	openFault(t, "-", Options{Stdin: strings.NewReader("a,b\n1,2\n"), TempDir: dir, MaxBytes: 5}, codeTooLarge)
	openFault(t, "-", Options{Stdin: strings.NewReader("a"), TempDir: filepath.Join(dir, "none")}, codeTemp)
	openFault(t, "-", Options{Stdin: io.MultiReader(strings.NewReader("a,b\n"), broken{}), TempDir: dir}, codeTemp, "pulled out")
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("the plug was pulled out") }

// Rows that straddle the reader's buffer are those that a scanner gets wrong.
func TestCSVAcrossBuffers(t *testing.T) {
	for _, size := range []int{csvBuffer - 40, csvBuffer - 1, csvBuffer, 2*csvBuffer + 1} {
		for _, cell := range []string{strings.Repeat("x", size), "\"" + strings.Repeat("y\r\n\"\"", size/5) + "\"", "\"" + strings.Repeat("é\n", size/3) + "\""} {
			text := "a,b\r\n1," + cell + "\r\n2,\"end\"\r\n"
			s := readAll(t, file(t, "in.csv", text), Options{})
			want, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if s.err != nil || len(s.rows) != 2 {
				t.Fatalf("size %d: %d rows, %v", size, len(s.rows), s.err)
			}
			for i, r := range s.rows {
				for k, c := range r.Cells {
					if c.Text != want[i+1][k] {
						t.Fatalf("size %d: cell %d of row %d differs", size, k, i)
					}
				}
			}
			if wantLine := 3 + strings.Count(want[1][1], "\n"); s.rows[1].Line != wantLine {
				t.Errorf("size %d: the last row is at line %d, want %d", size, s.rows[1].Line, wantLine)
			}
		}
	}
}

func TestKeptRowsOutliveTheirBuffers(t *testing.T) {
	const n = 9000
	var text, sheet strings.Builder
	text.WriteString("a,b,c,d\n")
	sheet.WriteString(texts(1, "a", "b"))
	for i := range n {
		fmt.Fprintf(&text, "%d,\"%s \"\"%d\"\"\",%s\n", i, strings.Repeat("x", i%70), i, strings.Repeat("y", i%300)+",")
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%d"><v>%d.5</v></c><c r="B%d" t="inlineStr"><is><t>text &lt;%d&gt; %s</t></is></c></row>`, i+2, i+2, i, i+2, i, strings.Repeat("z", i%200))
	}
	if text.Len() < 4*csvBuffer || sheet.Len() < 4*textChunk {
		t.Fatal("the files fit into too few buffers")
	}
	for name, content := range map[string][]byte{"csv": []byte(text.String()), "xlsx": newBook(sheet.String()).bytes(t)} {
		src := openBytes(t, content, Options{MaxBytes: 1 << 30})
		if rows := checkKept(t, src); rows != n {
			t.Errorf("%s: %d rows, want %d", name, rows, n)
		}
	}
}

// On well-formed input the reader agrees with encoding/csv in every cell and
// line, whatever the cells hold and however the bytes arrive.
func TestCSVAgreesWithEncodingCSV(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	pieces := []string{"a", "bc", "12345678", " ", "\"", "\"\"", ",", ";", "\n", "é", "आशा", "😀", "#", "=", "x\ty", "quite a long piece of text", "\r\n"}
	cells := 0
	for n := range 300 {
		cols := 1 + rng.IntN(8)
		delim := rune(delimiters[rng.IntN(len(delimiters))])
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = delim
		w.UseCRLF = rng.IntN(2) == 0
		head := make([]string, cols)
		for i := range head {
			head[i] = fmt.Sprintf("name %d", i)
		}
		w.Write(head)
		for range rng.IntN(60) {
			rec := make([]string, cols)
			for i := range rec {
				for range rng.IntN(5) {
					rec[i] += pieces[rng.IntN(len(pieces))]
				}
			}
			if strings.TrimSpace(strings.Join(rec, "")) != "" {
				w.Write(rec)
			}
		}
		w.Flush()
		s := newCSVReader(&drip{b: b.Bytes(), rng: rng}, int64(rng.IntN(2000)), byte(delim), "utf-8")
		r := csv.NewReader(bytes.NewReader(b.Bytes()))
		r.Comma = delim
		for {
			want, err := r.Read()
			got, gotErr := s.next()
			if err != nil || gotErr != nil {
				if err != io.EOF || gotErr != io.EOF {
					t.Fatalf("file %d: %v and %v", n, gotErr, err)
				}
				break
			}
			line, _ := r.FieldPos(0)
			if got.line != line || len(got.cells) != len(want) || len(got.faults) != 0 {
				t.Fatalf("file %d: line %d with %d cells and %d faults, want line %d with %d cells", n, got.line, len(got.cells), len(got.faults), line, len(want))
			}
			for i := range want {
				cells++
				if text := string(formulaText([]byte(want[i]))); got.cells[i].Text != text {
					t.Fatalf("file %d line %d: %q, want %q", n, line, got.cells[i].Text, text)
				}
			}
		}
	}
	if cells < 10000 {
		t.Errorf("only %d cells were compared", cells)
	}
}

// drip gives a few bytes at a time.
type drip struct {
	b   []byte
	rng *rand.Rand
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.b[:min(len(d.b), 1+d.rng.IntN(40))])
	d.b = d.b[n:]
	return n, nil
}

// A pass allocates for the file, not for the row.
func TestCSVAllocations(t *testing.T) {
	count := func(rows int) float64 {
		f := open(t, file(t, "in.csv", "a,b,c\n"+strings.Repeat("1,\"two \"\"2\"\"\",\"x\r\ny\"\n", rows)), Options{})
		return testing.AllocsPerRun(3, func() {
			for _, err := range f.Rows() {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if few, many := count(10), count(10_000); many > few+10 {
		t.Errorf("%v allocations for 10 rows, %v for 10,000", few, many)
	}
}

// MySQL writes \" for a quote; no cell may take in rows without a word.
func TestCSVQuotesWithBackslashes(t *testing.T) {
	for _, c := range []struct{ name, text, code, column string }{
		{"the last cell of the file", "id,Name\n1,\"5\\\" pipe\"\n2,\"x\\\"\"\n", codeAfterQuote, "Name"},
		{"the last cell of a row, and no quote after it", "id,Name\n2,\"x\\\"\"\n3,y\n", codeQuote, "Name"},
		{"the last cell of a row, and quotes after it", "id,Name\n2,\"x\\\"\"\n3,\"y\"\n", codeAfterQuote, "Name"},
		{"a column beyond the header", "id,Name\n2,z,\"x\\\"\"\n3,y\n", codeQuote, "C"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Open(file(t, "in.csv", c.text), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var found *Error
			for row, err := range f.Rows() {
				if err == nil && len(row.Faults) > 0 {
					err = row.Faults[0]
				}
				if errors.As(err, &found) {
					break
				}
			}
			if found == nil || found.Code != fault.Code(c.code) || found.Column != c.column || !strings.Contains(found.Hint, "MySQL") {
				t.Errorf("got %+v, want %s in column %s", found, c.code, c.column)
			}
		})
	}
}
