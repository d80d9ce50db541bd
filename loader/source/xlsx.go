package source

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/xuri/excelize/v2"

	"leadload/internal/fault"
)

// workbook is what a pass over a sheet needs besides the sheet.
type workbook struct {
	f       *File
	parts   map[string]*zip.File // by name in lower case
	sheets  []sheet
	styles  []numFormat // by the style index of a cell
	sst     *sharedStrings
	sstPart string // "" when the workbook has no shared strings
	is1904  bool
	// recalc: the file asks for all formulas to be calculated when it is
	// opened, so that a stored 0 may be a stand-in.
	recalc bool

	merged   []area // of the sheet, in the order of their rows
	unlooked bool   // it was too large to be looked through for them
}

// sheet is one entry of the workbook's list.
type sheet struct {
	name, part string
	hidden     bool
	kind       string // the last word of its relationship's type: worksheet, chartsheet, …
}

// numFormat is a cell style's number format as far as reading needs it.
type numFormat struct {
	code string
	date bool
	day  bool // shows a day, month or year, not only a time
	// elapsed: counts hours, minutes or seconds beyond a day, as [h]:mm does.
	elapsed bool
	// id: makes an identifier of a number, as 00000 does.
	id bool
}

func damaged(part string, err error) error {
	e := &Error{Code: codeDamaged, Msg: "the workbook is damaged", Err: err,
		Hint: "copy or download it again, or open it in Excel or LibreOffice, let it repair the file, and save it"}
	if part != "" {
		e.Msg = fmt.Sprintf("the workbook is damaged in its part %q", part)
	}
	return e
}

// openXLSX reads everything of a workbook but the sheet's rows.
func (f *File) openXLSX() error {
	zr, err := zip.NewReader(f.content(), f.size)
	if err != nil {
		return damaged("", err)
	}
	// The same format, unpacked in about two thirds of the time.
	zr.RegisterDecompressor(zip.Deflate, flate.NewReader)
	w := &workbook{f: f, parts: make(map[string]*zip.File, len(zr.File))}
	for _, p := range zr.File {
		name := partName(p.Name)
		if _, twice := w.parts[name]; twice && strings.HasSuffix(name, ".xml") {
			return damaged(p.Name, errors.New("the archive holds it twice"))
		}
		w.parts[name] = p
	}
	if err := w.refuseOther(zr.File); err != nil {
		return err
	}
	f.info.Format = "xlsx"
	if err := w.metadata(); err != nil {
		return err
	}
	s, err := w.choose(f.opt.Sheet)
	if err != nil {
		return err
	}
	f.info.Sheet, f.book = s.name, w
	f.raw = func() (rowReader, error) { return w.open(s) }
	if err := w.findMerged(s); err != nil {
		return err
	}
	r, err := w.open(s)
	if err != nil {
		return err
	}
	defer r.close()
	h, err := f.findHeader(r, f.opt.HeaderRow)
	if err != nil {
		return w.elsewhere(err, s)
	}
	f.info.Notes = append(f.info.Notes, r.notes()...)
	if err := f.setHeader(h); err != nil {
		return err
	}
	if note := w.mergedNote(); note != "" {
		f.info.Notes = append(f.info.Notes, note)
	}
	return nil
}

// partName is a part's name as parts refer to each other. Some writers use
// backslashes or a leading slash, and names do not depend on case.
func partName(s string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(s, `\`, "/"), "/"))
}

// refuseOther names archives that are no workbook we read.
func (w *workbook) refuseOther(files []*zip.File) error {
	if m := w.parts["mimetype"]; m != nil && m.UncompressedSize64 < 200 {
		if b, err := w.read("mimetype"); err == nil && bytes.Contains(b, []byte("opendocument")) {
			return &Error{Code: codeODS, Msg: "this is an OpenDocument file (.ods)",
				Hint: "open it in LibreOffice and save it as .xlsx"}
		}
	}
	has := func(prefix string) bool {
		for name := range w.parts {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	}
	switch {
	case has("xl/workbook.bin"):
		return &Error{Code: codeXLSB, Msg: "this is Excel's binary workbook (.xlsb)",
			Hint: "open it in Excel or LibreOffice and save it as .xlsx"}
	case has("index/document.iwa"), has("index.zip"):
		return notWorkbook("this is an Apple document", "export it from Numbers as Excel or CSV")
	case has("word/"):
		return notWorkbook("this is a Word document", "export the data as CSV or XLSX")
	case has("ppt/"):
		return notWorkbook("this is a presentation", "export the data as CSV or XLSX")
	case w.parts["_rels/.rels"] != nil || w.parts["xl/workbook.xml"] != nil:
		return nil
	}
	for _, p := range files {
		switch strings.ToLower(path.Ext(p.Name)) {
		case ".csv", ".xlsx", ".txt", ".tsv":
			return notWorkbook(fmt.Sprintf("this is a zip archive with %q in it", p.Name), "unpack it and load the file inside")
		}
	}
	return notWorkbook("this is a zip archive, not a workbook", "name a CSV or XLSX file")
}

func notWorkbook(msg, hint string) error {
	return &Error{Code: codeNotWorkbook, Msg: msg, Hint: hint}
}

// part opens a part, which must be read to its end for its checksum to be seen.
func (w *workbook) part(name string) (io.ReadCloser, *zip.File, error) {
	p := w.parts[name]
	if p == nil {
		return nil, nil, damaged(name, errors.New("it is missing"))
	}
	if p.Flags&1 != 0 {
		return nil, nil, &Error{Code: codeEncrypted, Msg: "the archive is protected by a password",
			Hint: "save the workbook without a password"}
	}
	limit := w.f.opt.MaxBytes
	if p.UncompressedSize64 > uint64(limit) {
		return nil, nil, tooLarge(limit)
	}
	if !w.f.trusted && p.UncompressedSize64 > bombFloor && p.UncompressedSize64/bombRatio > p.CompressedSize64 {
		return nil, nil, bomb(int64(p.UncompressedSize64), int64(p.CompressedSize64))
	}
	rc, err := p.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, nil, &Error{Code: codeUnsupported, Msg: "the workbook is packed in an unusual way", Err: err,
			Hint: "open it in Excel or LibreOffice and save it again"}
	}
	if err != nil {
		return nil, nil, damaged(name, err)
	}
	return rc, p, nil
}

const maxMetadata = 64 << 20 // no list of sheets or styles is larger

// read gives a small part whole.
func (w *workbook) read(name string) ([]byte, error) {
	rc, p, err := w.part(name)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	if p.UncompressedSize64 > maxMetadata {
		return nil, tooLarge(maxMetadata)
	}
	b, err := io.ReadAll(rc)
	if err != nil {
		return nil, damaged(p.Name, err)
	}
	return b, nil
}

// Bounds on what is made of a part: parsed, an element takes some hundred
// bytes, however few it has in the archive. A spreadsheet has at most 65,490
// cell formats, in two lists, and nobody has ten thousand sheets.
const (
	maxTags    = 1_000_000
	maxFormats = 2 * 65_490
	maxSheets  = 10_000
)

// bounded refuses a part that lists more than any spreadsheet has.
func bounded(part string, b []byte) error {
	for _, x := range []struct {
		tag  string
		most int
	}{{"<", maxTags}, {"xf ", maxFormats}, {"sheet ", maxSheets}} {
		if n := bytes.Count(b, []byte(x.tag)); n > x.most && (x.tag == "<" || countTags(b, x.tag) > x.most) {
			return &Error{Code: codeTooLarge, Msg: fmt.Sprintf("the workbook's part %q lists more than any spreadsheet has", part),
				Hint: "copy the rows into a new workbook and save that"}
		}
	}
	return nil
}

// countTags counts the elements of a name, with or without a prefix.
func countTags(b []byte, name string) int {
	return bytes.Count(b, []byte("<"+name)) + bytes.Count(b, []byte(":"+name))
}

// relation is a link from one part to another.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
	Mode   string `xml:"TargetMode,attr"`
}

func (r relation) is(kind string) bool { return path.Base(r.Type) == kind }

// relations gives the links that leave a part, their targets as part names.
func (w *workbook) relations(part string) ([]relation, error) {
	dir, base := path.Split(part)
	name := partName(dir + "_rels/" + base + ".rels")
	b, err := w.read(name)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Relationship []relation
	}
	if err := bounded(name, b); err != nil {
		return nil, err
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		return nil, damaged(name, err)
	}
	for i := range doc.Relationship {
		r := &doc.Relationship[i]
		if t := strings.ReplaceAll(r.Target, `\`, "/"); strings.HasPrefix(t, "/") {
			r.Target = partName(path.Clean(t))
		} else {
			r.Target = partName(path.Join(dir, t))
		}
	}
	return doc.Relationship, nil
}

// metadata reads the list of sheets, the date system and the styles.
// excelize parses them out of a copy of the archive in memory that holds
// nothing else, so that a workbook of any size costs the same.
func (w *workbook) metadata() error {
	main := "xl/workbook.xml"
	if w.parts["_rels/.rels"] != nil {
		top, err := w.relations("")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(top, func(r relation) bool { return r.is("officeDocument") })
		if i < 0 {
			return notWorkbook("this is an office archive without a document", "name a CSV or XLSX file")
		}
		main = top[i].Target
	}
	book, err := w.read(main)
	if err != nil {
		return err
	}
	if err := bounded(main, book); err != nil {
		return err
	}
	links, err := w.relations(main)
	if err != nil {
		return err
	}
	var styles []byte
	stylesPart := ""
	for _, l := range links {
		switch {
		case l.is("styles") && w.parts[l.Target] != nil:
			stylesPart = l.Target
			if styles, err = w.read(l.Target); err != nil {
				return err
			}
			if err := bounded(l.Target, styles); err != nil {
				return err
			}
		case l.is("sharedStrings") && w.parts[l.Target] != nil:
			w.sstPart = l.Target
		}
	}
	x, err := parseMetadata(book, styles)
	if err != nil {
		part := main
		if styles != nil {
			// Both were parsed at once; without the styles it shows which one is broken.
			if _, alone := parseMetadata(book, nil); alone == nil {
				part = stylesPart
			}
		}
		return damaged(part, err)
	}
	w.recalc = x.WorkBook.CalcPr != nil && x.WorkBook.CalcPr.FullCalcOnLoad
	w.is1904 = x.WorkBook.WorkbookPr != nil && x.WorkBook.WorkbookPr.Date1904
	byID := make(map[string]*relation, len(links))
	for i := range links {
		if byID[links[i].ID] == nil {
			byID[links[i].ID] = &links[i]
		}
	}
	for _, s := range x.WorkBook.Sheets.Sheet {
		sh := sheet{name: s.Name, hidden: s.State != "" && s.State != "visible"}
		if l := byID[s.ID]; l != nil {
			sh.part, sh.kind = l.Target, path.Base(l.Type)
		}
		w.sheets = append(w.sheets, sh)
	}
	if x.Styles == nil || x.Styles.CellXfs == nil {
		return nil
	}
	codes := map[int]string{}
	if x.Styles.NumFmts != nil {
		for _, n := range x.Styles.NumFmts.NumFmt {
			if n != nil {
				codes[n.NumFmtID] = n.FormatCode
			}
		}
	}
	formats := map[int]numFormat{} // many cell styles share a few
	for _, xf := range x.Styles.CellXfs.Xf {
		id := 0
		if xf.NumFmtID != nil {
			id = *xf.NumFmtID
		}
		f, known := formats[id]
		if !known {
			f = formatOf(id, codes)
			formats[id] = f
		}
		w.styles = append(w.styles, f)
	}
	return nil
}

// parseMetadata hands the parts to excelize under its customary names.
func parseMetadata(book, styles []byte) (x *excelize.File, err error) {
	// A library that meets a damaged file may panic; that is a damaged file, not our end.
	defer func() {
		if p := recover(); p != nil {
			x, err = nil, fmt.Errorf("%v", p)
		}
	}()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, e := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if e == nil {
			_, e = w.Write(content)
		}
		err = errors.Join(err, e)
	}
	add("_rels/.rels", []byte(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`+
		`<Relationship Id="rId1" Type="`+excelize.SourceRelationshipOfficeDocument+`" Target="xl/workbook.xml"/></Relationships>`))
	add("xl/workbook.xml", book)
	if styles != nil {
		add("xl/styles.xml", styles)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	x, err = excelize.OpenReader(&b)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	x.GetSheetList() // loads WorkBook
	if x.WorkBook == nil || len(x.WorkBook.Sheets.Sheet) == 0 {
		return nil, errors.New("it lists no sheet")
	}
	return x, nil
}

// choose finds the sheet asked for, or the first visible one that has rows.
func (w *workbook) choose(want string) (sheet, error) {
	var names, hidden, others []string
	found := -1
	for i, s := range w.sheets {
		names = append(names, s.name)
		if want != "" && s.name == want {
			found = i
		}
	}
	if want == "" {
		for i, s := range w.sheets {
			if s.kind == "worksheet" && !s.hidden {
				found = i
				break
			}
		}
		if found < 0 {
			found = slices.IndexFunc(w.sheets, func(s sheet) bool { return s.kind == "worksheet" })
		}
		if found < 0 {
			return sheet{}, &Error{Code: codeSheetKind, Msg: "the workbook has no sheet with rows", Hint: "name another file"}
		}
		if i := w.failedSheet(); i >= 0 {
			found = i
		}
	}
	if found < 0 {
		e := &Error{Code: codeSheet, Msg: fmt.Sprintf("there is no sheet %q", want),
			Hint: "the sheets are: " + quoted(names)}
		if n := fault.Nearest(cleanName(want), names); n != "" {
			e.Hint = fmt.Sprintf("did you mean %q? %s", n, e.Hint)
		}
		return sheet{}, e
	}
	s := w.sheets[found]
	if s.kind != "worksheet" || s.part == "" {
		return sheet{}, &Error{Code: codeSheetKind, Place: fault.Place{Sheet: s.name}, Msg: "this sheet holds no rows (" + s.kind + ")",
			Hint: "the sheets are: " + quoted(names)}
	}
	for i, o := range w.sheets {
		switch {
		case i == found:
		case o.hidden:
			hidden = append(hidden, o.name)
		case o.kind == "worksheet":
			others = append(others, o.name)
		}
	}
	note := func(format string, a ...any) { w.f.info.Notes = append(w.f.info.Notes, fmt.Sprintf(format, a...)) }
	if s.hidden {
		note("the sheet %q, which is read, is hidden", s.name)
	}
	switch {
	case want != "":
	case found == w.failedSheet():
		w.f.opt.HeaderRow = 0 // that of the mapping is the first file's
		note("this is a results workbook: its sheet %q is read; other sheets: %s", s.name, quoted(others))
	case len(others) > 0:
		note("the sheet %q is read; other sheets: %s", s.name, quoted(others))
	}
	if len(hidden) > 0 {
		note("hidden sheets that are not read: %s", quoted(hidden))
	}
	return s, nil
}

// failedSheet finds the sheet of a results workbook that has the rows to
// correct, or -1 where the workbook is another one.
func (w *workbook) failedSheet() int {
	has := func(name string) int {
		return slices.IndexFunc(w.sheets, func(s sheet) bool { return s.name == name && s.kind == "worksheet" })
	}
	if has("Summary") < 0 || has("All rows") < 0 {
		return -1
	}
	return has("Failed")
}

// elsewhere adds the other sheets to the error for an empty one.
func (w *workbook) elsewhere(err error, s sheet) error {
	var e *Error
	if !errors.As(err, &e) || e.Code != codeSheetEmpty {
		return err
	}
	var names []string
	for _, o := range w.sheets {
		if o.name != s.name && o.kind == "worksheet" {
			names = append(names, o.name)
		}
	}
	if len(names) > 0 {
		e.Hint = "name the sheet that holds the data: " + quoted(names)
	} else {
		e.Hint = "export the workbook again with a header row"
	}
	return e
}

// quoted lists names for a message.
func quoted(names []string) string {
	const most = 20
	var b strings.Builder
	for i, n := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", n)
	}
	return b.String()
}
