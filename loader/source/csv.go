package source

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"leadload/converter"
	"leadload/internal/fault"
)

const (
	csvBuffer  = 256 << 10
	maxRecord  = 16 << 20 // no row of a table is larger; an unclosed quote is
	maxColumns = 16384    // what a spreadsheet can hold
)

// csvReader scans records out of a buffer of UTF-8. Cells are views of the
// buffer, so a row costs no allocation; they are valid until the buffer moves,
// which may be when the next record is asked for, unless they are to be kept.
//
// A record that the buffer holds in part is scanned again from its beginning
// once there is more. That happens once a buffer and keeps all state of a
// record on the stack.
type csvReader struct {
	r     io.Reader
	buf   []byte
	pos   int // the next record begins here
	end   int // buf[:end] is filled
	most  int // how large buf may become
	eof   bool
	kept  bool // cells stay valid: a buffer is filled once
	delim byte
	enc   string // named in faults

	line   int // physical line at pos
	number int // records before pos

	// checked is how far the buffer is known to be valid UTF-8 without NUL;
	// records that begin before suspect are looked at cell by cell.
	checked, suspect int

	name func(col int) string // names a column in errors

	row    rawRow
	escape []span // quoted cells of this record that hold "" or CR
	after  []int  // columns with text after the closing quote
}

// span is a cell's text inside the buffer.
type span struct{ col, from, to int }

// newCSVReader reads r, of which about size bytes are expected.
func newCSVReader(r io.Reader, size int64, delim byte, enc string) *csvReader {
	return &csvReader{r: r, buf: make([]byte, min(csvBuffer, max(size, 511)+1)), most: maxRecord, delim: delim, enc: enc, line: 1, name: letters, row: rawRow{cells: make([]converter.Cell, 16)}}
}

// newSampleReader reads what is in memory already, with text kept as it is.
func newSampleReader(text []byte, delim byte, enc string) *csvReader {
	s := &csvReader{buf: slices.Clone(text), end: len(text), eof: true, delim: delim, enc: enc, line: 1, name: letters, row: rawRow{cells: make([]converter.Cell, 16)}}
	s.check()
	return s
}

func (s *csvReader) columns(int, int) {}
func (s *csvReader) close()           {}

// status is how the scan of a record ended.
type status uint8

const (
	whole   status = iota
	blank          // a line without a character
	partial        // the buffer ends inside the record
	failed
)

// next gives the next record that is not a blank line.
func (s *csvReader) next() (*rawRow, error) {
	for {
		if s.pos == s.end {
			if s.eof {
				return nil, io.EOF
			}
			if err := s.fill(); err != nil {
				return nil, err
			}
			continue
		}
		st, err := s.record()
		switch st {
		case whole:
			return &s.row, nil
		case partial:
			if err := s.fill(); err != nil {
				return nil, err
			}
		case failed:
			return nil, err
		}
	}
}

// fill moves the unread part to the front and reads until the buffer is full.
func (s *csvReader) fill() error {
	if s.pos > 0 {
		from := s.buf[s.pos:s.end]
		if s.kept {
			s.buf = make([]byte, len(s.buf))
		}
		copy(s.buf, from)
		s.end -= s.pos
		s.checked = max(s.checked-s.pos, 0)
		s.suspect = max(s.suspect-s.pos, 0)
		s.pos = 0
	}
	if s.end == len(s.buf) {
		if s.end >= s.most {
			return s.tooLarge()
		}
		// A new array, not append's guess: earlier cells keep the old one.
		b := make([]byte, 2*len(s.buf))
		copy(b, s.buf[:s.end])
		s.buf = b
	}
	for s.end < len(s.buf) {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err == io.EOF {
			s.eof = true
			break
		}
		if err != nil {
			return err
		}
	}
	s.check()
	return nil
}

// check looks at the new bytes as a whole, which costs next to nothing; only
// where something is wrong are records checked one cell after another.
func (s *csvReader) check() {
	to := s.end
	if !s.eof {
		// The last character may be cut; it is looked at with the next bytes.
		for i := to - 1; i >= max(s.checked, to-3); i-- {
			if utf8.RuneStart(s.buf[i]) {
				if !utf8.FullRune(s.buf[i:to]) {
					to = i
				}
				break
			}
		}
	}
	if b := s.buf[s.checked:to]; !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		s.suspect = s.end
	}
	s.checked = to
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// record scans the record at pos.
func (s *csvReader) record() (status, error) {
	var (
		buf   = s.buf[:s.end]
		delim = s.delim
		wide  = uint64(delim) * ones
		cells = s.row.cells[:cap(s.row.cells)]
		i     = s.pos
		n     = 0
		nl    = 0 // line breaks inside quoted cells
	)
	s.escape, s.after = s.escape[:0], s.after[:0]
scan:
	for {
		if n == len(cells) {
			if n >= maxColumns+1 {
				return failed, s.tooManyColumns()
			}
			cells = append(cells, converter.Cell{})
			cells = cells[:cap(cells)]
			s.row.cells = cells
		}
		c := &cells[n]
		start := i
		if i < len(buf) && quoteStart[buf[i]] {
			open := i
			if buf[i] != '"' {
				open = afterBlanks(buf, i, delim)
			}
			if open == len(buf) || buf[open] != '"' {
				goto plain
			}
			from := open + 1
			j := from
			dirty := false
			for {
				k := bytes.IndexByte(buf[j:], '"')
				if k < 0 {
					if !s.eof {
						return partial, nil
					}
					return failed, s.unclosed(s.line+nl, n)
				}
				j += k + 1
				if j < len(buf) && buf[j] == '"' {
					dirty = true
					j++
					continue
				}
				break
			}
			to := j - 1
			breaks, cr := lineBreaks(buf[from:to])
			nl += breaks
			i = j
			if i < len(buf) && buf[i] != delim {
				i = afterBlanks(buf, i, delim)
			}
			if i == len(buf) && !s.eof {
				return partial, nil
			}
			if i == len(buf) || buf[i] == delim || buf[i] == '\n' || buf[i] == '\r' {
				if dirty || cr {
					s.escape = append(s.escape, span{n, from, to})
				} else {
					set(c, buf[from:to])
				}
				goto ended
			}
			s.after = append(s.after, n)
		}
	plain:
		for {
			if i+8 <= len(buf) {
				x := le64b(buf[i:])
				d := x ^ wide
				// Marks the delimiter and every byte below 0x0e, line breaks
				// among them. Bytes after the first mark may be marked
				// wrongly; only the first one is used.
				m := ((d-ones)&^d | (x-0x0e*ones)&^x) & highs
				if m == 0 {
					i += 8
					continue
				}
				i += bits.TrailingZeros64(m) >> 3
			} else if i == len(buf) {
				if !s.eof {
					return partial, nil
				}
				break
			}
			if b := buf[i]; b == delim || b == '\n' || b == '\r' {
				break
			}
			i++
		}
		set(c, buf[start:i])
	ended:
		n++
		if i == len(buf) {
			break scan
		}
		switch buf[i] {
		case delim:
			i++
			continue
		case '\r':
			if i+1 == len(buf) && !s.eof {
				return partial, nil
			}
			if i+1 < len(buf) && buf[i+1] == '\n' {
				i++
			}
		}
		i++
		break scan
	}

	first := s.pos
	s.pos = i
	s.number++
	s.row.number, s.row.line = s.number, s.line
	s.line += nl + 1
	s.row.cells = cells[:n]
	s.row.faults = nil
	if n == 1 && cells[0].Kind == converter.EmptyCell && len(s.escape) == 0 && bytes.IndexByte(buf[first:i], '"') < 0 {
		return blank, nil
	}
	for _, e := range s.escape {
		set(&cells[e.col], unescape(buf[e.from:e.to]))
	}
	for _, col := range s.after {
		s.fault(col, s.afterQuote(first, nl))
	}
	if first < s.suspect {
		s.inspect()
	}
	return whole, nil
}

// set gives c the text b without copying it.
func set(c *converter.Cell, b []byte) {
	if len(b) == 0 || oddStart[b[0]] {
		setOdd(c, b)
		return
	}
	c.Text, c.Kind = unsafe.String(&b[0], len(b)), converter.TextCell
}

// quoteStart has the first bytes of cells that may be quoted: a quote, and what
// may stand before it: a blank, a tab, and every character that is not ASCII.
var quoteStart = func() (t [256]bool) {
	t['"'], t[' '], t['\t'] = true, true, true
	for c := 0xc2; c < len(t); c++ {
		t[c] = true
	}
	return t
}()

// oddStart has the first bytes of texts that are looked at again: those of
// formulas and of errors. One look-up keeps set small enough to be inlined.
var oddStart = [256]bool{'=': true, ' ': true, '\t': true, '#': true}

// setOdd gives c a text that is empty or begins with one of oddStart.
func setOdd(c *converter.Cell, b []byte) {
	if len(b) > 0 && b[0] != '#' {
		b = formulaText(b)
	}
	if len(b) == 0 {
		c.Text, c.Kind = "", converter.EmptyCell
		return
	}
	c.Text, c.Kind = unsafe.String(&b[0], len(b)), converter.TextCell
	if b[0] == '#' && isFaultText(c.Text) {
		c.Kind = converter.FaultCell
	}
}

// formulaText returns the text of ="01234", the formula by which programs keep
// a spreadsheet from taking a text for a number; what is none stays as it is.
// A quote of the text itself is written twice.
func formulaText(b []byte) []byte {
	f := bytes.Trim(b, " \t")
	if len(f) < 3 || f[0] != '=' || f[len(f)-1] != '"' {
		return b
	}
	if f = bytes.TrimLeft(f[1:], " "); len(f) < 2 || f[0] != '"' {
		return b
	}
	f = f[1 : len(f)-1]
	if bytes.IndexByte(f, '"') < 0 {
		return f
	}
	bare := bytes.ReplaceAll(f, []byte(`""`), []byte(`"`))
	if 2*(len(f)-len(bare)) != bytes.Count(f, []byte{'"'}) {
		return b // ="a"&"b" is a formula that only a spreadsheet can calculate
	}
	return bare
}

// afterBlanks returns the first position from i on that is no blank: what a
// reader does not see of a cell and an exporter puts beside its quotes, byte
// order marks among them. The delimiter is none.
func afterBlanks(buf []byte, i int, delim byte) int {
	for i < len(buf) {
		b := buf[i]
		switch {
		case b == delim:
			return i
		case b == ' ' || b == '\t':
			i++
			continue
		case b < 0xc2:
			return i
		}
		r, n := utf8.DecodeRune(buf[i:])
		if !unicode.IsSpace(r) && !invisible(r) && r != '\u3164' && r != '\u115f' || unicode.IsControl(r) {
			return i
		}
		i += n
	}
	return i
}

// lineBreaks counts CRLF, LF and CR, each as one, and reports any CR.
func lineBreaks(b []byte) (n int, cr bool) {
	n = bytes.Count(b, []byte{'\n'})
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return n, cr
		}
		cr = true
		if i+1 == len(b) || b[i+1] != '\n' {
			n++
		}
		b = b[i+1:]
	}
}

// unescape makes "" one quote and every line break LF, in place.
func unescape(b []byte) []byte {
	w := 0
	for r := 0; r < len(b); r++ {
		c := b[r]
		switch c {
		case '"':
			r++ // its twin
		case '\r':
			if r+1 < len(b) && b[r+1] == '\n' {
				r++
			}
			c = '\n'
		}
		b[w] = c
		w++
	}
	return b[:w]
}

func (s *csvReader) fault(col int, e *Error) {
	e.Row, e.Line = s.row.number, s.row.line
	s.row.faults = append(s.row.faults, rawFault{col, e})
}

func (s *csvReader) afterQuote(first, nl int) *Error {
	e := &Error{Code: codeAfterQuote, Msg: "text follows the quote that closes the cell",
		Hint: `write quotes inside a quoted cell twice: "say ""hello"""`}
	if nl > 0 {
		e.Msg = fmt.Sprintf("text follows the quote that closes the cell; the row reaches to line %d and may have swallowed others", s.row.line+nl)
		e.Hint = fmt.Sprintf("look for a stray quote at line %d; write quotes inside a quoted cell twice", s.row.line)
	}
	if bytes.Contains(s.buf[first:s.pos], backslashQuote) {
		e.Hint = backslashHint
	}
	return e
}

// inspect reports the cells of a record that hold NUL or what the encoding
// does not allow, and makes their text valid to print.
func (s *csvReader) inspect() {
	for i := range s.row.cells {
		c := &s.row.cells[i]
		nul := strings.IndexByte(c.Text, 0) >= 0
		if utf8.ValidString(c.Text) {
			if nul {
				c.Kind = converter.FaultCell
				c.Text = showNUL(c.Text)
				s.fault(i, &Error{Code: codeNUL, Msg: fmt.Sprintf("the cell holds a NUL byte: %q", shorten(c.Text)),
					Hint: "export the file again; if it is UTF-16, set the encoding to utf-16le"})
			}
			continue
		}
		shown, bad := visible(c.Text, s.enc)
		e := &Error{Code: codeBytes, Msg: fmt.Sprintf("%s in %q", bad, shorten(shown)),
			Hint: "correct the cell, or set the encoding that the file is in"}
		if s.enc == "utf-8" {
			e.Hint = fmt.Sprintf("if it should read %q, set the encoding to windows-1252; otherwise correct the cell", shorten(asWindows1252(c.Text)))
		} else if strings.HasPrefix(s.enc, "iso-8859") {
			e.Hint = "the file is most likely in windows-125x: set the encoding to windows-1252"
		}
		c.Text, c.Kind = shown, converter.FaultCell
		s.fault(i, e)
	}
}

// visible writes each byte that is not valid as \xFC and says what the first one is.
func visible(text, enc string) (shown, bad string) {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r != utf8.RuneError || n > 1:
			if r == 0 {
				b.WriteString(`\x00`)
			} else {
				b.WriteString(text[i : i+n])
			}
		case enc == "utf-8":
			fmt.Fprintf(&b, `\x%02X`, text[i])
			if bad == "" {
				bad = fmt.Sprintf("the byte 0x%02X is not valid utf-8", text[i])
			}
		default:
			// The mark, and the byte itself or more marks.
			for n = 1; i+n < len(text) && text[i+n] == undefined; n++ {
			}
			if n > 1 {
				b.WriteString(`\x??`)
				if bad == "" {
					bad = "a character is not valid " + enc
				}
				break
			}
			if i+1 < len(text) {
				n = 2
				fmt.Fprintf(&b, `\x%02X`, text[i+1])
				if bad == "" {
					bad = fmt.Sprintf("the byte 0x%02X is not defined in %s", text[i+1], enc)
				}
			}
		}
		i += n
	}
	return b.String(), bad
}

// asWindows1252 shows what a text would be in the encoding that files which
// are not UTF-8 are mostly in.
func asWindows1252(text string) string {
	c, err := namedCharset("windows-1252")
	if err != nil {
		return text
	}
	dst := make([]byte, 3*len(text)+8)
	n, _ := c.step(dst, []byte(text), true)
	return strings.ToValidUTF8(string(dst[:n]), "?")
}

// shorten cuts a text for a message.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func (s *csvReader) unclosed(line, col int) error {
	e := &Error{Code: codeQuote, Place: fault.Place{Row: s.number + 1, Line: line, Column: s.name(col)},
		Msg:  "the quote that opens this cell is never closed",
		Hint: fmt.Sprintf("look at line %d: close the quote, or write it twice if it belongs to the text", line)}
	if bytes.Contains(s.buf[s.pos:s.end], backslashQuote) {
		e.Hint = backslashHint
	}
	return e
}

// MySQL and its kin write \" for a quote inside a cell, and no other reader
// takes it for one.
var backslashQuote = []byte(`\"`)

const backslashHint = `the file has \" in it, as MySQL writes a quote inside a cell: export it with quotes written twice (ESCAPED BY '"')`

// tooLarge tells an unclosed quote, which takes the rest of the file into one
// cell, from a row that is merely absurd.
func (s *csvReader) tooLarge() error {
	line, col, open := s.openQuote()
	if open {
		return s.unclosed(line, col)
	}
	return &Error{Code: codeRowSize, Place: fault.Place{Row: s.number + 1, Line: s.line},
		Msg:  fmt.Sprintf("the row is larger than %d bytes", s.most),
		Hint: "check that this is a CSV file with line breaks between its rows"}
}

// openQuote finds the quoted cell in which the buffer ends, if it does.
func (s *csvReader) openQuote() (line, col int, open bool) {
	line = s.line
	start := true // at the first byte of a cell
	for i := s.pos; i < s.end; i++ {
		switch c := s.buf[i]; {
		case c == '"' && start:
			j := i + 1
			for {
				k := bytes.IndexByte(s.buf[j:s.end], '"')
				if k < 0 || j+k+1 == s.end {
					return line, col, true
				}
				j += k + 1
				if s.buf[j] == '"' {
					j++
					continue
				}
				break
			}
			n, _ := lineBreaks(s.buf[i+1 : j-1])
			line += n
			i = j - 1
			start = false
		case c == s.delim:
			col++
			start = true
		case start:
			if to := afterBlanks(s.buf[:s.end], i, s.delim); to > i {
				i = to - 1
			} else {
				start = false
			}
		}
	}
	return 0, 0, false
}

func (s *csvReader) tooManyColumns() error {
	return &Error{Code: codeRowSize, Place: fault.Place{Row: s.number + 1, Line: s.line},
		Msg:  fmt.Sprintf("the row has more than %d cells", maxColumns),
		Hint: "check the delimiter, and that this is a CSV file"}
}

// errorNames are what a spreadsheet shows, and writes to CSV, where a formula failed.
var errorNames = []string{"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
	"#GETTING_DATA", "#FIELD!", "#BLOCKED!", "#UNKNOWN!", "#CONNECT!", "#BUSY!", "#PYTHON!", NeverCalculated}

func isErrorName(s string) bool { return slices.Contains(errorNames, s) }
