package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"leadload/converter"
	"leadload/internal/fault"
)

// impl is what a File keeps between passes.
type impl struct {
	name  string
	opt   Options
	info  Info
	table table
	disk  io.ReaderAt // one descriptor for all passes: a file replaced by rename stays the one that was opened
	size  int64
	// opened is the state of the descriptor when it was opened; nil for standard input.
	opened fs.FileInfo
	// trusted: the limit was given by the user, so that it alone decides what is absurd.
	trusted bool
	book    *workbook
	needed  []bool // by column of the table; nil: all
	temp    string // the copy of standard input, while it has a name
	raw     func() (rowReader, error)
}

// rowReader gives the rows of a file from its first one on, header and
// preamble included, without knowing the table's columns.
type rowReader interface {
	// next gives the next row, valid until the following call; io.EOF after the last.
	next() (*rawRow, error)
	// columns says which columns matter from now on; a reader may leave the rest out.
	columns(first, n int)
	close()
}

// rawRow is a row as it stands in the file.
type rawRow struct {
	number int
	line   int
	cells  []converter.Cell // from the sheet's first column on
	faults []rawFault
	hidden bool
}

// rawFault is a fault of a row whose columns have no names yet.
type rawFault struct {
	col int // counted from 0; -1 is the row as a whole
	err *Error
}

func (f *File) pass(kept bool) (*pass, error) {
	r, err := f.raw()
	if err != nil {
		return nil, err
	}
	r.columns(f.table.begin, f.table.end-f.table.begin)
	p := &pass{f: f, raw: r}
	if c, ok := r.(*csvReader); ok {
		c.kept = kept
	} else if kept {
		p.texts = &textKeeper{}
	}
	return p, nil
}

func (f *File) openFile() error {
	if f.name == "-" {
		if err := f.spool(); err != nil {
			return err
		}
	} else if err := f.openPath(); err != nil {
		return err
	}
	if f.size == 0 {
		return &Error{Code: codeEmpty, Msg: "the file is empty",
			Hint: "export it again, with a header row"}
	}
	return f.detect()
}

func (f *File) openPath() error {
	st, err := os.Stat(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Code: codeMissing, Msg: "there is no such file",
			Hint: "check the spelling and the folder; names with blanks need quotes"}
	case err != nil:
		return unreadable(err)
	case st.IsDir():
		return &Error{Code: codeFolder, Msg: "this is a folder, not a file",
			Hint: "name the file inside it"}
	case !st.Mode().IsRegular():
		return &Error{Code: codeUnreadable, Msg: "this is neither a file nor a folder",
			Hint: "a pipe can be read as standard input: give - as the file"}
	}
	d, err := os.Open(f.name)
	if err != nil {
		return unreadable(err)
	}
	f.disk = d
	// The size comes from the open descriptor, since the name may have been given to another file meanwhile.
	if st, err = d.Stat(); err != nil {
		return unreadable(err)
	}
	f.size, f.opened = st.Size(), st
	return nil
}

// At reports whether path is the file that was opened, with the bytes that it had then
// as far as size and time of change tell. It holds for a closed File, too.
func (f *File) At(path string) bool {
	now, err := os.Lstat(path)
	return err == nil && f.opened != nil && os.SameFile(f.opened, now) && now.Size() == f.opened.Size() && now.ModTime().Equal(f.opened.ModTime())
}

func unreadable(err error) error {
	return &Error{Code: codeUnreadable, Msg: "the file cannot be opened", Err: fault.Pathless(err),
		Hint: "check who may read it, and that no other program keeps it locked"}
}

// spool keeps standard input in a private file, because a load reads its
// input more than once.
func (f *File) spool() error {
	in := f.opt.Stdin
	if in == nil {
		in = os.Stdin
	}
	d, err := os.CreateTemp(f.opt.TempDir, "leadload-stdin-*") // mode 0600
	if err != nil {
		return tempError(err)
	}
	f.disk, f.temp = d, d.Name()
	// Where the system lets an open file lose its name, nothing of the input
	// stays behind even after a crash. Elsewhere Close removes it.
	if os.Remove(f.temp) == nil {
		f.temp = ""
	}
	n, err := io.Copy(writerOnly{d}, io.LimitReader(in, f.opt.MaxBytes+1))
	if err != nil {
		return tempError(err)
	}
	if n > f.opt.MaxBytes {
		return tooLarge(f.opt.MaxBytes)
	}
	f.size = n
	return nil
}

// writerOnly hides the file's ReadFrom, whose error would not tell reading from writing.
type writerOnly struct{ io.Writer }

func tempError(err error) error {
	return &Error{Code: codeTemp, Msg: "standard input cannot be kept in a temporary file", Err: err,
		Hint: "make room in the folder for temporary files, or save the input to a file and name that"}
}

func tooLarge(limit int64) error {
	return &Error{Code: codeTooLarge, Msg: fmt.Sprintf("the content is larger than the limit of %d bytes", limit),
		Hint: "raise the limit with --max-unpacked if the file is meant to be this large, or split it"}
}

func (f *File) closeFile() error {
	var err error
	if c, ok := f.disk.(io.Closer); ok {
		err = c.Close()
		f.disk = nil
	}
	if f.temp != "" {
		err = errors.Join(err, os.Remove(f.temp))
		f.temp = ""
	}
	return err
}

// content is a fresh reader over the whole file.
func (f *File) content() *io.SectionReader { return io.NewSectionReader(f.disk, 0, f.size) }

const sampleSize = 64 << 10

// detect finds the format by the first bytes and opens the file as that.
func (f *File) detect() error {
	head, err := f.sample(f.content())
	if err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return f.openXLSX()
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return f.refuseOLE()
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return f.openGzip()
	}
	if err := refuse(head, f.opt.Encoding); err != nil {
		return err
	}
	return f.openCSV(head, f.size, func() (io.Reader, error) { return bufio.NewReaderSize(f.content(), sampleSize), nil })
}

// sample is the beginning of a stream.
func (f *File) sample(r io.Reader) ([]byte, error) {
	b := make([]byte, sampleSize)
	n, err := io.ReadFull(r, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return b[:n], nil
}

// foreign are beginnings of files that people pass by mistake.
var foreign = []struct {
	magic      string
	code       fault.Code
	what, hint string
	word       bool // might as well be the first word of a header
}{
	{"%PDF-", codePDF, "this is a PDF, not a table", "export the data as CSV or XLSX", false},
	{"Rar!", codeCompressed, "this is a RAR archive", "unpack it and load the file inside", true},
	{"7z\xbc\xaf\x27\x1c", codeCompressed, "this is a 7-Zip archive", "unpack it and load the file inside", false},
	{"BZh", codeCompressed, "this file is packed with bzip2", "unpack it first; gzip is read as it is", true},
	{"\xfd7zXZ", codeCompressed, "this file is packed with xz", "unpack it first; gzip is read as it is", false},
	{"\x28\xb5\x2f\xfd", codeCompressed, "this file is packed with zstd", "unpack it first; gzip is read as it is", false},
	{"SQLite format 3\x00", codeBinary, "this is an SQLite database", "export the table as CSV", false},
	{"PAR1", codeBinary, "this is a Parquet file", "export the table as CSV", true},
	{"\x89PNG", codeBinary, "this is a picture", "name the CSV or XLSX file", false},
	{"\xff\xd8\xff", codeBinary, "this is a picture", "name the CSV or XLSX file", false},
	{"GIF8", codeBinary, "this is a picture", "name the CSV or XLSX file", true},
	{"{\\rtf", codeBinary, "this is a rich text document", "export the data as CSV or XLSX", false},
	{"\x09\x08", codeXLS, "this is a workbook of a very old Excel", "open it in Excel or LibreOffice and save it as .xlsx", false},
}

// refuse names files that are neither CSV nor a workbook.
func refuse(head []byte, declared string) error {
	for _, m := range foreign {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			if m.word && looksLikeText(head) {
				continue
			}
			return &Error{Code: m.code, Msg: m.what, Hint: m.hint}
		}
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head[:min(len(head), 2048)], []byte("\xef\xbb\xbf")), " \t\r\n"))
	for _, p := range []string{"<!doctype html", "<html", "<table", "<head", "<meta", "<body", "<style", "<div", "mime-version:", "<?xml", "<workbook", "<!--"} {
		if bytes.HasPrefix(text, []byte(p)) {
			return &Error{Code: codeHTML, Msg: "this is a web page or XML, whatever its name says; some systems export those as .xls or .csv",
				Hint: "open it in Excel or LibreOffice and save it as .xlsx or CSV"}
		}
	}
	if declared == "" && utf16Pattern(head) == "" && !hasBOM(head) && controls(head) > max(8, len(head)/10) {
		return &Error{Code: codeBinary, Msg: "this is neither text nor a workbook",
			Hint: "name a CSV or XLSX file"}
	}
	return nil
}

// looksLikeText reports a line break or delimiter and no NUL.
func looksLikeText(head []byte) bool {
	return bytes.IndexByte(head, 0) < 0 && bytes.ContainsAny(head, "\n\r,;\t|")
}

// controls counts the bytes that no text holds.
func controls(head []byte) int {
	n := 0
	for _, c := range head {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b && c != 0x1a {
			n++
		}
	}
	return n
}

// refuseOLE tells the kinds of compound file apart by the names of their
// streams, which are UTF-16 in the file's directory.
func (f *File) refuseOLE() error {
	has := func(name string) bool {
		var want []byte
		for i := range len(name) {
			want = append(want, name[i], 0)
		}
		r := f.content()
		buf := make([]byte, 256<<10)
		keep := 0
		for {
			n, err := io.ReadFull(r, buf[keep:])
			n += keep
			if bytes.Contains(buf[:n], want) {
				return true
			}
			if err != nil {
				return false
			}
			keep = copy(buf, buf[n-len(want):n])
		}
	}
	switch {
	case has("EncryptedPackage"):
		return &Error{Code: codeEncrypted, Msg: "the workbook is protected by a password",
			Hint: "open it in Excel, remove the password under File, Info, Protect Workbook, and save it"}
	case has("Workbook"), has("Book"):
		return &Error{Code: codeXLS, Msg: "this is a workbook of Excel 97–2003 (.xls)",
			Hint: "open it in Excel or LibreOffice and save it as .xlsx"}
	}
	return &Error{Code: codeBinary, Msg: "this is an old office document, not a workbook",
		Hint: "export the data as CSV or XLSX"}
}
