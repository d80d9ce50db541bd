package source

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocarina/gocsv"
	"github.com/xuri/excelize/v2"

	"leadload/converter"
)

func TestResultsFiles(t *testing.T) {
	head := strings.Join(firstColumns, ",")
	const before, behind = "Row,Key,Result,Error,What to do", ",ID,Lead ID,Attempts,Sent at"
	for _, c := range []struct{ name, text, header, rows, origins string }{
		{"csv", head + ",Deal ID,City\n17,rejected,,,no such code,look,1,2026-04-01,D-17,D-17,Pune\n4,invalid,,,x,y,0,,,D-4,\n", "Deal ID|City", "2: D-17|Pune\n3: D-4|", "17 4"},
		{"row added by hand", head + ",Deal ID\n,,,,,,,,,D-5\n", "Deal ID", "2: D-5", "2"},
		{"nothing to load", head + ",Deal ID,City\n17,rejected,,,,,,,,,\n18,rejected,,,,,,,,x,\n", "Deal ID|City", "3: x|", "18"},
		{"row number that is none", head + ",Deal ID\nx,,,,,,,,,D-5\n0,,,,,,,,,D-6\n", "Deal ID", "2: D-5 [row.origin Row]\n3: D-6 [row.origin Row]", "2 3"},
		{"guarded cells", head + ",'=a,City\n2,,,,,,,,,'+91-98,'=1+1\n3,,,,,,,,,'-5,''quoted'\n4,,,,,,,,,'x,'\n", "=a|City", "2: +91-98|=1+1\n3: -5|'quoted'\n4: 'x|'", "2 3 4"},
		{"too short", head + ",Deal ID,City\n17,rejected,,,,,,,,D-1\n", "Deal ID|City", "2: D-1| [row.too-short ]", "17"},
		{"other columns first", "x," + head + ",Deal ID\n1,2,,,,,,,,,D\n", "x|" + strings.ReplaceAll(head, ",", "|") + "|Deal ID", "2: 1|2|||||||||D", "2"},
		{"today's order", before + ",Deal ID,City" + behind + "\n17,D-17,rejected,no such code,look,D-17,Pune,,,1,2026-04-01\n4,,invalid,x,y,D-4,,,,0,\n", "Deal ID|City", "2: D-17|Pune\n3: D-4|", "17 4"},
		{"nothing to load today", before + ",Deal ID,City" + behind + "\n17,,rejected,,,,,x,y,1,z\n18,,rejected,,,,x,,,,\n", "Deal ID|City", "3: |x", "18"},
		{"guarded cells today", before + ",'=a,City" + behind + "\n2,,,,,'+91-98,'=1+1,,,,\n", "=a|City", "2: +91-98|=1+1", "2"},
		{"too short today", before + ",Deal ID,City" + behind + "\n17,,rejected,,,D-1\n", "Deal ID|City", "2: D-1| [row.too-short ]", "17"},
		{"columns of our names", before + ",ID,Lead ID,Attempts,Sent at" + behind + "\n3,,,,,a,b,c,d,e,f,g,h\n", "ID|Lead ID|Attempts|Sent at", "2: a|b|c|d", "3"},
		{"a column added behind ours", before + ",Deal ID" + behind + ",'=City\n3,,,,,D,1,2,3,4,'+x\n", "Deal ID|=City", "2: D|+x", "3"},
		{"a column put before ours", before + ",Deal ID,City" + behind + "\n3,,,,,D,x,1,2,3,4\n", "Deal ID|City", "2: D|x", "3"},
		{"without the columns behind", before + ",Deal ID\n3,,,,,D\n", "Row|Key|Result|Error|What to do|Deal ID", "2: 3|||||D", "2"},
		{"not in that order", "Result,Row,ID,Lead ID,Error,What to do,Attempts,Sent at,Key,a\n1,2,,,,,,,,'=x\n", "Result|Row|ID|Lead ID|Error|What to do|Attempts|Sent at|Key|a", "2: 1|2||||||||'=x", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, file(t, "in.csv", c.text), Options{})
			s.want(t, c.header, c.rows)
			var got []string
			for _, r := range s.rows {
				got = append(got, fmt.Sprint(r.Origin))
			}
			if strings.Join(got, " ") != c.origins {
				t.Errorf("origins %v, want %s", got, c.origins)
			}
			if s.info.Results != (strings.HasPrefix(c.text, head) || strings.HasPrefix(c.text, before) && strings.Contains(c.text, behind)) {
				t.Errorf("results: %v", s.info.Results)
			}
		})
	}
	f := open(t, file(t, "in.csv", before+",a,b"+behind+",c\n"), Options{})
	if got := strings.Join(f.Positions(), ""); got != "FGL" {
		t.Errorf("positions %s", got)
	}
	// The columns of a file's own keep their letters.
	f = open(t, file(t, "in.csv", head+",a,b\n"), Options{})
	if got := strings.Join(f.Positions(), ""); got != "JK" {
		t.Errorf("positions %s", got)
	}
	// Nothing but our columns: the input had no columns left, which is the mapping's word to say.
	f = open(t, file(t, "in.csv", head+"\n1,,,,,,,,\n"), Options{})
	if len(f.Header()) != 0 || !f.Info().Results {
		t.Errorf("%q", f.Header())
	}
	for range f.Rows() {
		t.Error("a row without a cell")
	}
}

func TestResultsWorkbook(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	if err := x.SetSheetName("Sheet1", "Summary"); err != nil {
		t.Fatal(err)
	}
	if err := x.SetCellValue("Summary", "A1", "Loaded"); err != nil {
		t.Fatal(err)
	}
	if _, err := x.NewSheet("Failed"); err != nil {
		t.Fatal(err)
	}
	w, err := x.NewStreamWriter("Failed")
	if err != nil {
		t.Fatal(err)
	}
	row := func(cells ...any) []any { return cells }
	head := row("Row", "Key", "Result", "Error", "What to do", "Deal ID", "Phone", "ID", "Lead ID", "Attempts", "Sent at")
	for i, r := range [][]any{head,
		row(17, "D-17", "rejected", "e", "do", "D-17", "+91-98", "", "", 1, ""),
		row("23", "", "invalid", "e", "do", "'=x", "#N/A", "", "", 0)} {
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), "deals-results.xlsx")
	if err := x.SaveAs(p); err != nil {
		t.Fatal(err)
	}
	s := readAll(t, p, Options{Sheet: "Failed"})
	s.want(t, "Deal ID|Phone", "2: D-17|+91-98\n3: '=x|!#N/A")
	if s.rows[0].Origin != 17 || s.rows[1].Origin != 23 || !s.info.Results {
		t.Errorf("origins %d, %d", s.rows[0].Origin, s.rows[1].Origin)
	}
	if notes := open(t, p, Options{}).Info().Notes; !strings.Contains(strings.Join(notes, "\n"), `"Failed"`) {
		t.Errorf("notes %q", notes)
	}
}

func TestGuard(t *testing.T) {
	for _, s := range []string{"", "a", "=1+1", "+91-9876543210", "-5", "@x", "\tx", "\rx", "\nx", "'", "''", "'x", "'=x", "''=x", "x=", "₹5",
		" =1+1", "\u00a0+91", "\u200b=1", "\ufeff@x", "  \u2003-5", "＝1+1", "＋91", "－5", "＠x", "\u3000＝1", " ' =x", "' =x", " x", "\u200b", "  ", "\xff=1"} {
		g := Guard(s)
		plain := strings.TrimLeft(g, " \u00a0\u200b\ufeff\u2003\u3000")
		if g != "" && strings.ContainsAny(g[:1], "\t\r\n") || plain != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(plain)[0]) {
			t.Errorf("%q is not guarded: %q", s, g)
		}
		if got := unguard(g); got != s {
			t.Errorf("%q became %q, then %q", s, g, got)
		}
	}
}

type deal struct {
	ID    string `csv:"id"`
	Phone string `csv:"phone"`
}

func TestDecoder(t *testing.T) {
	paths := map[string]string{
		"csv":  file(t, "in.csv", "id,phone\n00123,\"+91\n98\"\n\n7,\n"),
		"xlsx": newBook(texts(1, "id", "phone") + texts(2, "00123", "+91\n98") + texts(4, "7")).path(t),
	}
	for kind, p := range paths {
		t.Run(kind, func(t *testing.T) {
			f := open(t, p, Options{})
			var got []deal
			if err := gocsv.UnmarshalDecoder(f.Decoder(), &got); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != "[{00123 +91\n98} {7 }]" {
				t.Errorf("%q", got)
			}
			c := make(chan deal)
			errs := make(chan error, 1)
			go func() { errs <- gocsv.UnmarshalDecoderToChan(f.Decoder(), c) }()
			n := 0
			for range c {
				n++
			}
			if err := <-errs; err != nil || n != 2 {
				t.Errorf("%d rows, %v", n, err)
			}
			rows, err := f.Decoder().GetCSVRows()
			if err != nil || len(rows) != 3 || rows[0][0] != "id" || rows[2][0] != "7" {
				t.Errorf("%q, %v", rows, err)
			}
		})
	}
	f := open(t, file(t, "in.csv", "id,phone\n1,2\n3\n4,5\n"), Options{})
	var got []deal
	wantFault(t, gocsv.UnmarshalDecoder(f.Decoder(), &got), codeTooShort, "row 3")
	f = open(t, file(t, "in.csv", "id,phone\n1,2\n3,\"\n"), Options{})
	wantFault(t, gocsv.UnmarshalDecoder(f.Decoder(), &got), codeQuote)
}

func TestFingerprint(t *testing.T) {
	row := func(cells ...converter.Cell) *Row { return &Row{Cells: cells} }
	text := func(s string) converter.Cell { return converter.Cell{Kind: converter.TextCell, Text: s} }
	seen := map[uint64]string{}
	n := 0
	add := func(name string, r *Row) {
		n++
		h := r.Fingerprint()
		if was, ok := seen[h]; ok {
			t.Errorf("%s has the fingerprint of %s", name, was)
		}
		seen[h] = name
	}
	add("no cell", row())
	add("empty", row(converter.Cell{}))
	add("two empty", row(converter.Cell{}, converter.Cell{}))
	add("text 1", row(text("1")))
	add("number 1", row(converter.Cell{Kind: converter.NumberCell, Text: "1"}))
	add("ab c", row(text("ab"), text("c")))
	add("a bc", row(text("a"), text("bc")))
	add("abc", row(text("abc")))
	add("c ab", row(text("c"), text("ab")))
	add("empty a", row(converter.Cell{}, text("a")))
	add("a empty", row(text("a"), converter.Cell{}))
	// Any single byte of texts of any length counts.
	for size := range 40 {
		base := strings.Repeat("x", size)
		add(fmt.Sprintf("%d x", size), row(text(base), text("y")))
		for i := range size {
			for _, b := range []byte{'y', 0, 0xff} {
				add(fmt.Sprintf("%d x, byte %d = %d", size, i, b), row(text(base[:i]+string([]byte{b})+base[i+1:]), text("y")))
			}
		}
	}
	for i := range 20000 {
		add(fmt.Sprint("row ", i), row(text(fmt.Sprint("D-", i)), text("Pune"), converter.Cell{Kind: converter.NumberCell, Text: fmt.Sprint(i % 7)}))
	}
	if n != len(seen) {
		t.Errorf("%d rows, %d fingerprints", n, len(seen))
	}
	// These are on people's disks.
	for _, c := range []struct {
		r    *Row
		want uint64
	}{
		{row(), 0xe087f6299ff1b481},
		{row(text("Asha"), converter.Cell{}, converter.Cell{Kind: converter.NumberCell, Text: "12"}), 0x749b7acc492c0a46},
		{row(text("a text of more than sixteen bytes, with ümlaut")), 0xd13173276b1b1329},
	} {
		if got := c.r.Fingerprint(); got != c.want {
			t.Errorf("%v has the fingerprint %#x, want %#x", c.r.Cells, got, c.want)
		}
	}
}
