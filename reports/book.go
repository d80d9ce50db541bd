package reports

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
	"leadload/loader/source"
)

// The titles of the workbook's sheets.
const (
	titleSummary = "Summary"
	titleFailed  = "Failed"
	titleAll     = "All rows"
	titleDoubt   = "In doubt"
	titlePending = "Pending"
)

// book is a results workbook in the making.
type book struct {
	f      *excelize.File
	styles *styles
	trims  trims
	failed *sheet
	all    *sheet
	doubt  *sheet // these two are written only when they have a row
	wait   *sheet
	moved  *changes
	gone   *table // rows that the file no longer has
}

// saveBook writes the workbook to out. dir is a folder for temporary files.
func (j *job) saveBook(ctx context.Context, dir string, out *os.File) (err error) {
	b, err := j.newBook(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.f.Close()) }()
	if b.moved, err = j.newChanges(ctx, b); err != nil {
		return err
	}
	defer b.moved.stop()
	var t tally
	if err := j.each(ctx, &t, b.add); err != nil {
		return err
	}
	if b.gone, err = j.addRemoved(ctx, b); err != nil {
		return err
	}
	if err := b.finish(); err != nil {
		return err
	}
	if err := j.writeSummary(ctx, b, &t); err != nil {
		return err
	}
	j.remark(&t, b.trims)
	for _, s := range b.sheets() {
		if err := s.close(b.f); err != nil {
			return err
		}
	}
	if err := errors.Join(b.moved.close(b.f), b.gone.close(b.f)); err != nil {
		return err
	}
	a := newArchive(ctx, out, t.lines, j.made())
	b.f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return a })
	// excelize closes the archive; what comes out here is always empty.
	return errors.Join(b.f.Write(io.Discard), a.err)
}

func (j *job) newBook(dir string) (*book, error) {
	b := &book{f: excelize.NewFile(excelize.Options{TmpDir: dir})}
	err := b.f.SetSheetName("Sheet1", titleSummary)
	if err == nil {
		b.styles, err = newStyles(b.f)
	}
	if err == nil {
		err = b.setProperties(j.title(), j.made())
	}
	if err != nil {
		return nil, errors.Join(err, b.f.Close())
	}
	header := j.inputHeader()
	b.failed = b.sheet(titleFailed, "FFC0392B", header, nil, "")
	b.failed.faulty = newFaultFinder(header, j.Key, j.Fields)
	b.all = b.sheet(titleAll, "FF1F3864", header, nil, "")
	b.all.trims = &b.trims // has every cell; what is on other sheets as well counts once
	b.doubt = b.sheet(titleDoubt, "FF7D5BA6", header, func(r *ledger.Row) string { return strings.Join(r.Candidates, "\n") }, "Could be")
	b.wait = b.sheet(titlePending, "FFF0B429", header, func(r *ledger.Row) string { return r.RequestID }, "Request ID")
	return b, nil
}

// made is the time that the workbook and its parts carry.
func (j *job) made() time.Time {
	t := j.Run.Started.UTC()
	if t.Year() < 1980 { // the first year that an archive can name
		t = time.Now().UTC()
	}
	return t.Truncate(2 * time.Second) // as an archive counts
}

// setProperties writes the workbook's title and author. excelize would write
// the elements of the package's own namespace without a prefix, which ExcelJS
// cannot read.
func (b *book) setProperties(title string, made time.Time) error {
	var text strings.Builder
	if err := xml.EscapeText(&text, []byte(title)); err != nil {
		return err
	}
	at := made.Format(time.RFC3339)
	b.f.Pkg.Store("docProps/core.xml", []byte(xml.Header+
		`<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"`+
		` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"`+
		` xmlns:dcmitype="http://purl.org/dc/dcmitype/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`+
		`<dc:title>`+text.String()+`</dc:title><dc:creator>leadload</dc:creator><cp:lastModifiedBy>leadload</cp:lastModifiedBy>`+
		`<dcterms:created xsi:type="dcterms:W3CDTF">`+at+`</dcterms:created><dcterms:modified xsi:type="dcterms:W3CDTF">`+at+`</dcterms:modified>`+
		`</cp:coreProperties>`))
	return nil
}

func (b *book) sheet(title, tab string, own []string, extra func(*ledger.Row) string, name string) *sheet {
	s := &sheet{table: table{title: title, tab: tab, frozen: 3}, book: b, first: before, extra: extra, trims: new(trims)}
	s.header = append(s.header, source.ResultColumns[:before]...)
	if extra != nil {
		s.header = append(s.header, name)
		s.first++
	}
	if n := s.first + len(own) + behind - maxColumns; n > 0 {
		own = own[:len(own)-n]
		b.trims.columns = max(b.trims.columns, int64(n))
	}
	s.own = len(own)
	s.header = append(s.header, own...)
	s.header = append(s.header, source.ResultColumns[before:]...)
	return s
}

// add puts lines on the sheets that they belong to.
func (b *book) add(lines []line) error {
	for _, l := range lines {
		if err := b.all.add(l); err != nil {
			return err
		}
		if err := b.moved.add(&l.row); err != nil {
			return err
		}
		var err error
		switch r := l.row.Result; {
		case r == ledger.ResultInDoubt:
			err = errors.Join(b.failed.add(l), b.doubt.add(l))
		case r.NeedsPerson():
			err = b.failed.add(l)
		case r == ledger.ResultPending:
			err = b.wait.add(l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sheets are those with rows, in the order in which they are shown.
func (b *book) sheets() []*sheet {
	out := []*sheet{b.failed, b.all}
	for _, s := range []*sheet{b.doubt, b.wait} {
		if len(s.sample) > 0 || s.widths != nil {
			out = append(out, s)
		}
	}
	return out
}

// finish ends the rows and puts the sheets in order.
func (b *book) finish() error {
	order := []string{titleSummary}
	for _, s := range b.sheets() {
		if err := s.finish(); err != nil {
			return err
		}
		order = append(order, s.names...)
	}
	order = append(append(order, b.moved.names...), b.gone.names...)
	return inOrder(b.f, order)
}
