package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// What an archive may unpack to, against its size on disk. Deflate reaches
// 1032 to 1; tables of real life stay below 100 to 1, and small files are let
// alone, since a bomb is only one when it is large.
const (
	bombRatio = 200
	bombFloor = 64 << 20
)

// openGzip opens a CSV inside a gzip stream.
func (f *File) openGzip() error {
	open := func() (io.Reader, error) {
		z, err := gzip.NewReader(bufio.NewReaderSize(f.content(), sampleSize))
		if err != nil {
			return nil, damagedGzip(err)
		}
		return &limited{r: z, limit: f.opt.MaxBytes, packed: f.size, trusted: f.trusted}, nil
	}
	r, err := open()
	if err != nil {
		return err
	}
	head, err := f.sample(r)
	if err != nil {
		return err
	}
	if len(head) == 0 {
		return &Error{Code: codeEmpty, Msg: "the gzip file holds an empty file", Hint: "export it again"}
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("\x1f\x8b")) ||
		(len(head) > 262 && string(head[257:262]) == "ustar") {
		return &Error{Code: codeCompressed, Msg: "the gzip file holds another archive or a workbook, not a CSV",
			Hint: "unpack it and load the file inside"}
	}
	if err := refuse(head, f.opt.Encoding); err != nil {
		return err
	}
	return f.openCSV(head, csvBuffer, open)
}

func damagedGzip(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, gzip.ErrHeader) || errors.As(err, &corrupt) {
		return &Error{Code: codeDamaged, Msg: "the gzip file is damaged or cut off", Err: err,
			Hint: "copy or download it again"}
	}
	return err
}

// limited is an unpacked stream that ends with an error before it becomes absurd.
type limited struct {
	r       io.Reader
	n       int64
	limit   int64
	packed  int64
	trusted bool
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += int64(n)
	if l.n > l.limit {
		return 0, tooLarge(l.limit)
	}
	if !l.trusted && l.n > bombFloor && l.n/bombRatio > l.packed {
		return 0, bomb(l.n, l.packed)
	}
	if err != nil && err != io.EOF {
		err = damagedGzip(err)
	}
	return n, err
}

func bomb(unpacked, packed int64) error {
	return &Error{Code: codeBomb, Msg: fmt.Sprintf("%d bytes unpack to more than %d, as no real table does", packed, unpacked),
		Hint: "the file may be made to fill the memory; if you trust it, say how large it may be with --max-unpacked, or save it again from the spreadsheet"}
}
