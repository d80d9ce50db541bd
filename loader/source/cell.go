package source

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"leadload/converter"
	"leadload/internal/fault"
)

// storedCell is a cell as the XML has it.
type storedCell struct {
	ref      []byte
	typ      byte // 'n' number, 's' shared, 'b', 'e', 't' for str, 'i' for inlineStr, 'd'
	style    int
	value    []byte
	hasValue bool // there is a <v> or <is>, even an empty one
	formula  bool
	array    []byte // the cells that an array formula fills, as "C2:C9"
	rich     bool   // value has been decoded
}

// cell reads a <c>, whose attributes are at b[i].
func (x *xmlScanner) cell(b []byte, i int, c *storedCell) (int, error) {
	c.typ = 'n'
	for {
		name, value, next, closed, err := attr(b, i)
		if err != nil {
			return 0, err
		}
		i = next
		if name == nil {
			if closed {
				return i, nil
			}
			break
		}
		if len(name) != 1 {
			continue
		}
		switch name[0] {
		case 'r':
			c.ref = value
		case 's':
			n, ok := number(value)
			if !ok {
				return 0, fmt.Errorf("the style of cell %s is %q", c.ref, value)
			}
			c.style = n
		case 't':
			switch string(value) {
			case "n", "s", "b", "e", "d":
				c.typ = value[0]
			case "str":
				c.typ = 't'
			case "inlineStr":
				c.typ = 'i'
			default:
				return 0, fmt.Errorf("cell %s is of the unknown type %q", c.ref, value)
			}
		}
	}
	for {
		// <v>…</v></c>, as most cells are.
		if len(b)-i > 3 && b[i] == '<' && b[i+1] == 'v' && b[i+2] == '>' {
			text, next, err := x.text(b, i+3, "v")
			if err != nil {
				return 0, err
			}
			c.value, c.hasValue = text, true
			if i = next; len(b)-i > 3 && string(b[i:i+4]) == "</c>" {
				return i + 4, nil
			}
			continue
		}
		var err error
		if i, err = tagStart(b, i); err != nil {
			return 0, err
		}
		t, after, err := tagAt(b, i)
		if err != nil {
			return 0, err
		}
		switch {
		case t.end:
			if string(t.name) != "c" {
				return 0, fmt.Errorf("<c> is closed by <%s>", t.name)
			}
			i, _, err = tagEnd(b, after)
			return i, err
		case string(t.name) == "v":
			j, closed, err := tagEnd(b, after)
			if err != nil {
				return 0, err
			}
			i, c.hasValue = j, true
			if !closed {
				if c.value, i, err = x.text(b, j, "v"); err != nil {
					return 0, err
				}
			}
		case string(t.name) == "f":
			if i, err = c.readFormula(b, after); err != nil {
				return 0, err
			}
		case string(t.name) == "is":
			if c.value, i, err = x.richText(b, after, "is"); err != nil {
				return 0, err
			}
			c.hasValue, c.rich = true, true
		default:
			if i, err = skip(b, after); err != nil {
				return 0, err
			}
		}
	}
}

// readFormula reads an <f>, whose attributes are at b[i].
func (c *storedCell) readFormula(b []byte, i int) (int, error) {
	c.formula = true
	var ref []byte
	isArray := false
	for j := i; ; {
		name, value, next, _, err := attr(b, j)
		if err != nil {
			return 0, err
		}
		if name == nil {
			break
		}
		switch j = next; string(name) {
		case "t":
			isArray = string(value) == "array"
		case "ref":
			ref = value
		}
	}
	if isArray {
		c.array = ref
	}
	return skip(b, i)
}

// area is a rectangle of cells, both corners in it; columns count from 0.
type area struct{ top, left, bottom, right int }

// parseArea reads "C2:D9", or "C2" for a single cell.
func parseArea(ref []byte) (a area, ok bool) {
	from, to, two := bytes.Cut(ref, []byte{':'})
	if a.left, a.top, ok = reference(from); !ok {
		return a, false
	}
	if !two {
		a.right, a.bottom = a.left, a.top
		return a, true
	}
	a.right, a.bottom, ok = reference(to)
	return a, ok && a.left <= a.right && a.top <= a.bottom
}

func (a area) has(row, col int) bool {
	return row >= a.top && row <= a.bottom && col >= a.left && col <= a.right
}

// placeholder reports a result that a writer puts beside a formula which it
// does not calculate: 0, or the empty text. It is one only in a file that asks
// for its formulas to be calculated when it is opened. The cells of an array
// formula but the first hold such a 0 without a formula of their own.
func (s *sheetReader) placeholder(c *storedCell, col int) bool {
	if !c.formula && !slices.ContainsFunc(s.arrays, func(a area) bool { return a.has(s.row.number, col) }) {
		return false
	}
	v := bytes.TrimSpace(c.value)
	switch c.typ {
	case 'n':
		return len(v) == 0 || string(v) == "0"
	case 't':
		return len(v) == 0
	}
	return false
}

// noteArray remembers the cells of an array formula until their last row.
func (s *sheetReader) noteArray(ref []byte) {
	if a, ok := parseArea(ref); ok && a.top != a.bottom || a.left != a.right {
		s.arrays = slices.DeleteFunc(s.arrays, func(o area) bool { return o.bottom < s.row.number })
		s.arrays = append(s.arrays, a)
	}
}

// reference reads "AB12" as a column counted from 0 and a row.
func reference(b []byte) (col, row int, ok bool) {
	i := 0
	for i < len(b) && i < 3 {
		c := b[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		col = col*26 + int(c-'A') + 1
		i++
	}
	row, ok = number(b[i:])
	return col - 1, row, ok && col > 0 && col <= maxColumns
}

// value turns what is stored into what it means.
func (s *sheetReader) value(c *storedCell, col int, out *converter.Cell) error {
	if c.formula && len(c.value) == 0 && !(c.hasValue && c.typ == 't') {
		// An empty text is a result, which is stored as an empty <v> of type
		// str; no value at all means that nothing ever calculated it.
		out.Kind, out.Text = converter.FaultCell, NeverCalculated
		return nil
	}
	if !c.hasValue {
		return nil
	}
	if s.w.recalc && (c.formula || s.arrays != nil) && s.placeholder(c, col) {
		out.Kind, out.Text = converter.FaultCell, NeverCalculated
		return nil
	}
	switch c.typ {
	case 's':
		sst, err := s.w.shared()
		if err != nil {
			return err
		}
		v := bytes.TrimSpace(c.value)
		if len(v) == 0 {
			return nil
		}
		i, ok := number(v)
		if !ok || i >= len(sst.at) {
			return &Error{Code: codeSharedText, Place: fault.Place{Row: s.row.number, Column: s.w.f.column(col)},
				Msg:  fmt.Sprintf("the workbook is damaged: the cell names shared string %q, and there are %d", shorten(string(v)), len(sst.at)),
				Hint: "copy or download the file again, or open it in Excel or LibreOffice, let it repair the file, and save it"}
		}
		setText(out, sst.get(i))
		if sst.nul {
			s.refuseNUL(col, out)
		}
		return nil
	case 't', 'i':
		v := c.value
		if !c.rich {
			var err error
			if v, err = s.x.decode(v); err != nil {
				return err
			}
		}
		setText(out, view(v))
		if s.x.nul {
			s.refuseNUL(col, out)
		}
		return nil
	}
	v := bytes.TrimSpace(c.value)
	if len(v) == 0 {
		return nil
	}
	switch c.typ {
	case 'b':
		switch string(v) {
		case "1", "true":
			out.Kind, out.Text = converter.BoolCell, "TRUE"
		case "0", "false":
			out.Kind, out.Text = converter.BoolCell, "FALSE"
		default:
			s.unreadable(col, out, v, "a logical value")
		}
		return nil
	case 'e':
		out.Kind, out.Text = converter.FaultCell, view(v)
		return nil
	case 'd':
		var f numFormat
		if c.style < len(s.w.styles) {
			f = s.w.styles[c.style]
		}
		serial, format, ok := isoSerial(string(v), f.date && !f.day)
		if !ok {
			s.unreadable(col, out, v, "a date")
			return nil
		}
		out.Kind, out.Text, out.Format = converter.DateCell, serial, format
		if f.date && !(f.day && format == spanFormat) {
			out.Format = f.code
		}
		return nil
	}
	text, rest, ok := plainNumber(v, s.x.scratch)
	s.x.scratch = rest
	if !ok {
		s.unreadable(col, out, v, "a number")
		return nil
	}
	out.Kind = converter.NumberCell
	if c.style != 0 && c.style >= len(s.w.styles) {
		return fmt.Errorf("cell %s%d has style %d, and there are %d", letters(col), s.row.number, c.style, len(s.w.styles))
	}
	if c.style < len(s.w.styles) {
		switch f := &s.w.styles[c.style]; {
		case f.date:
			out.Kind, out.Format = converter.DateCell, f.code
			if s.w.is1904 {
				out.Format = s.shift1904(&text, f)
			}
		case f.id:
			out.Format = f.code
		}
	}
	out.Text = view(text)
	return nil
}

// longSpan is how many days are a date, even in a format that counts hours.
const longSpan = 10000

// shift1904 turns a date of the 1904 system into one of the 1900 system and
// returns the format that shows it. A time of day and a span of time are the
// same in both systems.
func (s *sheetReader) shift1904(text *[]byte, f *numFormat) string {
	format := f.code
	if !f.day {
		v, err := strconv.ParseFloat(view(*text), 64)
		switch {
		case err != nil || v < 1 || f.elapsed && v < longSpan:
			return format
		case f.elapsed:
			// As hours it would count from another day.
			format = "yyyy-mm-dd hh:mm:ss"
		}
	}
	*text, s.x.scratch = shift1904(*text, s.x.scratch)
	return format
}

// unreadable makes the row unusable, and the file stays good.
func (s *sheetReader) unreadable(col int, out *converter.Cell, v []byte, what string) {
	out.Kind, out.Text = converter.FaultCell, view(v)
	s.row.faults = append(s.row.faults, rawFault{col, &Error{Code: codeCellValue,
		Msg:  fmt.Sprintf("the cell is said to hold %s and holds %q", what, shorten(string(v))),
		Hint: "type the value again in the spreadsheet and save it"}})
}

// refuseNUL makes a text with a NUL a fault, as in a CSV file.
func (s *sheetReader) refuseNUL(col int, out *converter.Cell) {
	if strings.IndexByte(out.Text, 0) < 0 {
		return
	}
	out.Kind, out.Text = converter.FaultCell, showNUL(out.Text)
	s.row.faults = append(s.row.faults, rawFault{col, &Error{Code: codeNUL,
		Msg: fmt.Sprintf("the cell holds a NUL byte: %q", shorten(out.Text)), Hint: "type the value again in the spreadsheet and save it"}})
}

// showNUL writes each NUL so that it can be seen.
func showNUL(s string) string { return strings.ReplaceAll(s, "\x00", `\x00`) }

func setText(c *converter.Cell, s string) {
	if s == "" {
		return
	}
	c.Kind, c.Text = converter.TextCell, s
	if s[0] == '#' && isFaultText(s) {
		c.Kind = converter.FaultCell
	}
}

// view is b as a string without a copy.
func view(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}
