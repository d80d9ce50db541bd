package source

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/internal/fault"
)

// file writes content to a fresh file and gives its path.
func file(t testing.TB, name, content string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// seen is what a test compares of a file: every row as one line.
type seen struct {
	header []string
	info   Info
	rows   []*Row
	err    error // that ended the pass
}

func open(t testing.TB, path string, o Options) *File {
	t.Helper()
	f, err := Open(path, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return f
}

// readAll reads a file whole and checks what holds for any file: as many cells
// as names, placed errors, and a second pass equal to the first.
func readAll(t testing.TB, path string, o Options) seen {
	t.Helper()
	f := open(t, path, o)
	s := seen{header: f.Header(), info: f.Info()}
	var prints []uint64
	for row, err := range f.Rows() {
		if err != nil {
			s.err = err
			break
		}
		if len(row.Cells) != len(s.header) {
			t.Fatalf("row %d has %d cells, the header %d", row.Number, len(row.Cells), len(s.header))
		}
		for _, e := range row.Faults {
			if e.File != path || e.Row != row.Number || e.Code == "" || e.Msg == "" || e.Hint == "" {
				t.Errorf("a fault lacks its place or words: %#v", e)
			}
		}
		s.rows = append(s.rows, row.Clone())
		prints = append(prints, row.Fingerprint())
	}
	i := 0
	for row, err := range f.Rows() {
		if err != nil {
			if s.err == nil || err.Error() != s.err.Error() {
				t.Errorf("the second pass ended with %v, the first with %v", err, s.err)
			}
			break
		}
		if i >= len(prints) || row.Fingerprint() != prints[i] || s.rows[i].Fingerprint() != prints[i] {
			t.Fatalf("row %d of the second pass differs", row.Number)
		}
		i++
	}
	if i != len(prints) {
		t.Errorf("the second pass had %d rows, the first %d", i, len(prints))
	}
	return s
}

// lines shows the rows as "5: a|b|" with a letter before what is no text:
// #number, ?bool, @date{format}, !fault; "~" marks a hidden row, and codes of
// faults follow in brackets.
func (s seen) lines() string {
	var b strings.Builder
	for _, r := range s.rows {
		fmt.Fprintf(&b, "%d", r.Number)
		if r.Hidden {
			b.WriteByte('~')
		}
		b.WriteString(": ")
		for i, c := range r.Cells {
			if i > 0 {
				b.WriteByte('|')
			}
			switch c.Kind {
			case converter.NumberCell:
				b.WriteByte('#')
			case converter.BoolCell:
				b.WriteByte('?')
			case converter.DateCell:
				b.WriteByte('@')
			case converter.FaultCell:
				b.WriteByte('!')
			case converter.EmptyCell:
				if c.Text != "" {
					b.WriteString("EMPTY WITH TEXT ")
				}
			case converter.TextCell:
				if c.Text == "" {
					b.WriteString("TEXT WITHOUT TEXT")
				}
			}
			b.WriteString(strings.ReplaceAll(c.Text, "\n", "⏎"))
			if c.Format != "" {
				b.WriteString("{" + c.Format + "}")
			}
		}
		for _, e := range r.Faults {
			fmt.Fprintf(&b, " [%s %s]", e.Code, e.Column)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (s seen) want(t testing.TB, header, lines string) {
	t.Helper()
	if s.err != nil {
		t.Errorf("the pass ended with: %v", s.err)
	}
	if got := strings.Join(s.header, "|"); got != header {
		t.Errorf("header %q, want %q", got, header)
	}
	if got := s.lines(); strings.TrimSpace(got) != strings.TrimSpace(lines) {
		t.Errorf("rows\n%swant\n%s", got, lines)
	}
}

// wantFault checks an error's code, its place and its words.
func wantFault(t testing.TB, err error, code fault.Code, words ...string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v (%T), want an *Error with code %s", err, err, code)
	}
	if e.Code != code {
		t.Errorf("code %s, want %s (%v)", e.Code, code, e)
	}
	if e.Hint == "" || e.File == "" {
		t.Errorf("no hint or file: %#v", e)
	}
	if strings.HasSuffix(e.Msg, ".") || strings.ToUpper(e.Msg[:1]) == e.Msg[:1] && e.Msg[0] >= 'A' && e.Msg[0] <= 'Z' {
		t.Errorf("message is not in the house's style: %q", e.Msg)
	}
	all := e.Error() + " — " + e.Hint
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("%q does not say %q", all, w)
		}
	}
	return e
}

// openFault opens what cannot be opened.
func openFault(t testing.TB, path string, o Options, code string, words ...string) *Error {
	t.Helper()
	f, err := Open(path, o)
	if err == nil {
		f.Close()
		t.Fatalf("opened without error, want %s", code)
	}
	return wantFault(t, err, fault.Code(code), words...)
}

// book is a workbook written by hand, part by part.
type book struct {
	parts map[string]string
	order []string
}

const (
	nsMain = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	nsRel  = `xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	relDoc = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	relPkg = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
)

// newBook is a workbook with one sheet, "Deals", that holds the given rows.
func newBook(rows string) *book {
	b := &book{parts: map[string]string{}}
	b.set("[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`+
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`+
		`<Default Extension="xml" ContentType="application/xml"/>`+
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>`+
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`+
		`<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>`+
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`)
	b.set("_rels/.rels", relPkg+`<Relationship Id="rId1" Type="`+relDoc+`officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	b.workbook("", `<sheet name="Deals" sheetId="1" r:id="rId1"/>`)
	b.set("xl/_rels/workbook.xml.rels", relPkg+
		`<Relationship Id="rId1" Type="`+relDoc+`worksheet" Target="worksheets/sheet1.xml"/>`+
		`<Relationship Id="rId2" Type="`+relDoc+`styles" Target="styles.xml"/>`+
		`<Relationship Id="rId3" Type="`+relDoc+`sharedStrings" Target="sharedStrings.xml"/>`+
		`<Relationship Id="rId4" Type="`+relDoc+`worksheet" Target="/xl/worksheets/sheet2.xml"/>`+
		`<Relationship Id="rId5" Type="`+relDoc+`chartsheet" Target="chartsheets/sheet1.xml"/></Relationships>`)
	b.styles("", 0)
	b.sheet(rows)
	return b
}

func (b *book) set(name, content string) *book {
	if _, ok := b.parts[name]; !ok {
		b.order = append(b.order, name)
	}
	b.parts[name] = content
	return b
}

func (b *book) workbook(props, sheets string) *book {
	return b.set("xl/workbook.xml", `<workbook `+nsMain+` `+nsRel+`>`+props+`<sheets>`+sheets+`</sheets></workbook>`)
}

// sheet sets the rows of the first sheet.
func (b *book) sheet(rows string) *book {
	return b.set("xl/worksheets/sheet1.xml", `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\r\n"+
		`<worksheet `+nsMain+`><dimension ref="A1"/><sheetData>`+rows+`</sheetData><pageMargins left="0.7"/></worksheet>`)
}

// styles sets number formats: cell style i has the number format ids[i].
func (b *book) styles(custom string, ids ...int) *book {
	var xfs strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&xfs, `<xf numFmtId="%d" fontId="0" fillId="0" borderId="0" xfId="0"/>`, id)
	}
	return b.set("xl/styles.xml", `<styleSheet `+nsMain+`><numFmts>`+custom+`</numFmts><cellXfs count="9">`+xfs.String()+`</cellXfs></styleSheet>`)
}

// shared sets the shared strings, each given as what stands inside <si>.
func (b *book) shared(si ...string) *book {
	return b.set("xl/sharedStrings.xml", `<sst `+nsMain+`><si>`+strings.Join(si, "</si><si>")+`</si></sst>`)
}

func (b *book) bytes(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range b.order {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, b.parts[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (b *book) path(t testing.TB) string {
	t.Helper()
	return file(t, "book.xlsx", string(b.bytes(t)))
}

// texts is a row of inline texts from column A on; "" leaves a cell out.
func texts(row int, cells ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<row r="%d">`, row)
	for i, c := range cells {
		if c != "" {
			fmt.Fprintf(&b, `<c r="%s%d" t="inlineStr"><is><t>%s</t></is></c>`, letters(i), row, c)
		}
	}
	b.WriteString(`</row>`)
	return b.String()
}
