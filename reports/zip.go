package reports

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/xuri/excelize/v2"
)

// A sheet of mailLines or fewer is packed about twice as fast as the standard
// library does it, into about the same size, since it may go by e-mail. A
// larger one, which packing keeps a core busy for seconds, is packed about twice as fast
// again and gets a sixth larger.
const (
	deflateLevel     = 5
	bulkDeflateLevel = 1
	mailLines        = 50_000
)

// zip64From is the size from which a part of an archive needs the ZIP64 form.
var zip64From int64 = 1<<32 - 1

// archive is the zip file that excelize writes a workbook into. Left to
// itself, excelize packs the whole file in memory first and loses some of the
// errors on the way; here the bytes go straight to the file, and no error
// that happens is forgotten.
type archive struct {
	*zip.Writer
	ctx   context.Context
	file  *os.File
	made  time.Time // that the parts carry
	parts []*part
	err   error
}

// part is one file in the archive.
type part struct {
	a      *archive
	w      io.Writer
	offset int64 // of its local header
	held   []byte
	size   int64 // unpacked
}

var _ excelize.ZipWriter = (*archive)(nil)

// newArchive writes an archive for a workbook of so many lines.
func newArchive(ctx context.Context, f *os.File, lines int64, made time.Time) *archive {
	a := &archive{Writer: zip.NewWriter(f), ctx: ctx, file: f, made: made}
	level := deflateLevel
	if lines > mailLines {
		level = bulkDeflateLevel
	}
	a.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return newDeflater(w, level)
	})
	return a
}

// Create begins the next part.
func (a *archive) Create(name string) (io.Writer, error) {
	// This ends the part before and writes the header of the next, with which
	// the file then ends.
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.made}
	w, err := a.CreateHeader(h)
	if err == nil {
		err = a.Flush()
	}
	if err != nil {
		a.err = errors.Join(a.err, err)
		return nil, err
	}
	end, err := a.file.Seek(0, io.SeekCurrent)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return nil, err
	}
	// The time in full stands behind the name.
	p := &part{a: a, w: w, offset: end - localHeader - int64(len(name)) - int64(len(h.Extra))}
	a.parts = append(a.parts, p)
	return p, nil
}

// localHeader is the fixed length of a part's header; the name follows it.
const localHeader = 30

func (p *part) Write(b []byte) (int, error) {
	if p.a.err != nil {
		return 0, p.a.err
	}
	if err := p.a.ctx.Err(); err != nil {
		p.a.err = err
		return 0, err
	}
	all := len(b)
	if len(p.held) > 0 || bytes.Contains(b, escapeStart) {
		b = p.unmask(b)
	}
	n, err := p.w.Write(b)
	p.size += int64(n)
	if err != nil {
		p.a.err = err
		return 0, err
	}
	return all, nil
}

// escapeStart begins escapeMark and every other character beyond U+FFFF.
var escapeStart = []byte(escapeMark)[:1]

// unmask turns escapeMark into "_x". The beginning of one that the next piece
// completes is held back; XML never ends in one.
func (p *part) unmask(b []byte) []byte {
	b = append(p.held, b...)
	p.held = nil
	for n := len(escapeMark) - 1; n > 0; n-- {
		if bytes.HasSuffix(b, []byte(escapeMark)[:n]) {
			p.held = append([]byte(nil), b[len(b)-n:]...)
			b = b[:len(b)-n]
			break
		}
	}
	return bytes.ReplaceAll(b, []byte(escapeMark), []byte("_x"))
}

// Close writes the directory and reports whatever went wrong since the start.
func (a *archive) Close() error {
	err := errors.Join(a.err, a.Writer.Close())
	if err != nil {
		return err
	}
	// archive/zip notes only in the directory at the end that a part is
	// larger than 4 GiB. Excel wants its own header to say so as well.
	for _, p := range a.parts {
		if p.size >= zip64From {
			if _, err := a.file.WriteAt([]byte{45, 0}, p.offset+4); err != nil {
				return err
			}
		}
	}
	return nil
}
