package source

import (
	"bytes"
	"fmt"
	"unsafe"

	"leadload/converter"
)

// storedCell is a cell as the XML has it.
type storedCell struct {
	ref      []byte
	typ      byte // 'n' number, 's' shared, 'b', 'e', 't' for str, 'i' for inlineStr, 'd'
	style    int
	value    []byte
	hasValue bool // there is a <v> or <is>, even an empty one
	formula  bool
	rich     bool // value has been decoded
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
			c.formula = true
			if i, err = skip(b, after); err != nil {
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
			return &Error{Code: codeSharedText, Row: s.row.number, Column: s.w.f.column(col),
				Msg:  fmt.Sprintf("the workbook is damaged: the cell names shared string %q, and there are %d", shorten(string(v)), len(sst.at)),
				Hint: "copy or download the file again, or open it in Excel or LibreOffice, let it repair the file, and save it"}
		}
		setText(out, sst.get(i))
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
		serial, format, ok := isoSerial(string(v))
		if !ok {
			s.unreadable(col, out, v, "a date")
			return nil
		}
		out.Kind, out.Text, out.Format = converter.DateCell, serial, format
		if c.style < len(s.w.styles) && s.w.styles[c.style].date {
			out.Format = s.w.styles[c.style].code
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
	if c.style < len(s.w.styles) && s.w.styles[c.style].date {
		f := &s.w.styles[c.style]
		out.Kind, out.Format = converter.DateCell, f.code
		// A time without a day is the same in both date systems.
		if s.w.is1904 && f.day {
			text, s.x.scratch = shift1904(text, s.x.scratch)
		}
	}
	out.Text = view(text)
	return nil
}

// unreadable makes the row unusable, and the file stays good.
func (s *sheetReader) unreadable(col int, out *converter.Cell, v []byte, what string) {
	out.Kind, out.Text = converter.FaultCell, view(v)
	s.row.faults = append(s.row.faults, rawFault{col, &Error{Code: codeCellValue,
		Msg:  fmt.Sprintf("the cell is said to hold %s and holds %q", what, shorten(string(v))),
		Hint: "type the value again in the spreadsheet and save it"}})
}

func setText(c *converter.Cell, s string) {
	if s == "" {
		return
	}
	c.Kind, c.Text = converter.TextCell, s
	if s[0] == '#' && isErrorName(s) {
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
