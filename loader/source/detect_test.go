package source

import (
	"archive/zip"
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"leadload/internal/fault"
)

func TestRefusedFiles(t *testing.T) {
	ole := func(stream string) string {
		return "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 300_000) + as16("Root Entry", false) + as16(stream, false) + strings.Repeat("\xff", 2000)
	}
	archive := func(files ...string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := 0; i < len(files); i += 2 {
			w, err := z.CreateHeader(&zip.FileHeader{Name: files[i], Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			w.Write([]byte(files[i+1]))
		}
		z.Close()
		return b.String()
	}
	for _, c := range []struct{ name, content, code, words string }{
		{"password.xlsx", ole("EncryptedPackage"), codeEncrypted, "remove the password"},
		{"old.xls", ole("Workbook"), codeXLS, "save it as .xlsx"},
		{"older.xls", ole("Book"), codeXLS, ".xls"},
		{"letter.doc", ole("WordDocument"), codeBinary, "not a workbook"},
		{"binary.xlsb", archive("[Content_Types].xml", "<Types/>", "xl/workbook.bin", "x"), codeXLSB, "save it as .xlsx"},
		{"libre.ods", archive("mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), codeODS, "LibreOffice"},
		{"apple.numbers", archive("Index/Document.iwa", "x"), codeNotWorkbook, "Apple"},
		{"letter.docx", archive("_rels/.rels", "<x/>", "word/document.xml", "<x/>"), codeNotWorkbook, "Word"},
		{"slides.pptx", archive("_rels/.rels", "<x/>", "ppt/presentation.xml", "<x/>"), codeNotWorkbook, "presentation"},
		{"data.zip", archive("deals.csv", "a,b\n"), codeNotWorkbook, `"deals.csv";unpack it`},
		{"photos.zip", archive("a.png", "x"), codeNotWorkbook, "zip archive"},
		{"empty.zip", archive(), codeNotWorkbook, "zip archive"},
		{"no-document.xlsx", archive("_rels/.rels", `<Relationships/>`), codeNotWorkbook, "without a document"},
		{"cut.xlsx", string(newBook("").bytes(t)[:300]), codeDamaged, "damaged"},
		{"page.xls", "\ufeff \r\n<!DOCTYPE html>\n<html><table><tr><td>a</td></tr></table></html>", codeHTML, "save it as .xlsx"},
		{"table.xls", "<table><tr><td>a</td></tr></table>", codeHTML, "web page"},
		{"2003.xml", `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>`, codeHTML, "XML"},
		{"mail.xls", "MIME-Version: 1.0\nContent-Type: multipart/related", codeHTML, "web page"},
		{"report.csv", "%PDF-1.4\n1,2,3\n", codePDF, "PDF"},
		{"a.rar", "Rar!\x1a\x07\x00", codeCompressed, "RAR"},
		{"a.7z", "7z\xbc\xaf\x27\x1c\x00\x04", codeCompressed, "7-Zip"},
		{"a.bz2", "BZh91AY&SY\x00\x01", codeCompressed, "bzip2"},
		{"a.xz", "\xfd7zXZ\x00", codeCompressed, "xz"},
		{"a.zst", "\x28\xb5\x2f\xfd\x00", codeCompressed, "zstd"},
		{"a.db", "SQLite format 3\x00", codeBinary, "SQLite"},
		{"a.parquet", "PAR1\x15\x00", codeBinary, "Parquet"},
		{"a.png", "\x89PNG\r\n\x1a\n", codeBinary, "picture"},
		{"a.rtf", "{\\rtf1\\ansi\n,;}", codeBinary, "rich text"},
		{"a.xls", "\x09\x08\x10\x00\x00\x06\x05\x00", codeXLS, "old Excel"},
		{"a.exe", "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00\xb8\x00\x00\x00" + strings.Repeat("\x00\x01\x02\x05ab", 100), codeBinary, "neither text nor a workbook"},
	} {
		t.Run(c.name, func(t *testing.T) {
			openFault(t, file(t, c.name, c.content), Options{}, c.code, strings.Split(c.words, ";")...)
		})
	}
	// Words that are also magic numbers may begin a header.
	for _, text := range []string{"PAR1,b\n1,2\n", "Rar!;b\n1;2\n", "GIF8\n1\n"} {
		if _, err := Open(file(t, "in.csv", text), Options{}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	// The name says nothing: text named like a workbook, a workbook named like text.
	readAll(t, file(t, "export.xlsx", "a,b\n1,2\n"), Options{}).want(t, "a|b", "2: 1|2")
	readAll(t, file(t, "export.csv", string(newBook(texts(1, "a", "b")+texts(2, "1", "2")).bytes(t))), Options{}).want(t, "a|b", "2: 1|2")
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	openFault(t, filepath.Join(dir, "none.csv"), Options{}, codeMissing, "none.csv: there is no such file", "spelling")
	openFault(t, dir, Options{}, codeFolder, "folder")
	openFault(t, filepath.Join(dir, "a\x00b"), Options{}, codeUnreadable)
	if runtime.GOOS != "windows" {
		openFault(t, os.DevNull, Options{}, codeUnreadable, "give - as the file")
	}
	if runtime.GOOS != "windows" && os.Getuid() != 0 {
		p := file(t, "secret.csv", "a\n1\n")
		if err := os.Chmod(p, 0); err != nil {
			t.Fatal(err)
		}
		openFault(t, p, Options{}, codeUnreadable, "permission denied")
	}
}

// A file that vanishes under the reader ends the pass with an error.
func TestReadErrorsEndThePass(t *testing.T) {
	f := open(t, file(t, "in.csv", "a,b\n1,2\n"), Options{})
	was := f.disk
	t.Cleanup(func() { was.(io.Closer).Close() })
	f.disk = gone{}
	n := 0
	for _, err := range f.Rows() {
		if n++; n > 1 {
			t.Fatal("the pass went on")
		}
		wantFault(t, err, codeFileRead, "in.csv: the file cannot be read: input/output error")
	}
	if n != 1 {
		t.Error("no error")
	}
}

// gone is a disk that was there a moment ago.
type gone struct{}

func (gone) ReadAt([]byte, int64) (int, error) { return 0, errors.New("input/output error") }

// Codes is complete, each code is there once, and each is the code of a fault
// that the tests of this package provoke.
func TestCodes(t *testing.T) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	consts := map[string]string{} // code by constant
	for _, d := range parsed.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			consts[v.Names[0].Name] = code
		}
	}
	if len(consts) < 30 || len(consts) != len(Codes) {
		t.Errorf("%d constants, %d codes", len(consts), len(Codes))
	}
	listed := map[fault.Code]bool{}
	for _, c := range Codes {
		if listed[c] {
			t.Errorf("%s is listed twice", c)
		}
		listed[c] = true
	}
	var tests bytes.Buffer
	names, _ := filepath.Glob("*_test.go")
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(b)
	}
	for name, code := range consts {
		if !listed[fault.Code(code)] {
			t.Errorf("%s (%s) is not listed", name, code)
		}
		if !bytes.Contains(tests.Bytes(), []byte(name)) && !bytes.Contains(tests.Bytes(), []byte("["+code+" ")) {
			t.Errorf("no test provokes %s", code)
		}
	}
}
