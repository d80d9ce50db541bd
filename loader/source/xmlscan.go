package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	xmlBuffer = 256 << 10
	maxXML    = 64 << 20 // one row, or one shared string
)

// errPartial says that the buffer ends inside what is being read; the caller
// fills it and reads the same thing again from its beginning.
var errPartial = errors.New("partial")

var errBytes = errors.New("it holds bytes that are not valid UTF-8")

func validXML(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// xmlScanner reads a part of a workbook piece by piece: rows, shared strings.
// It knows as much XML as these parts use and refuses the rest; prefixes are
// ignored, since no two elements here differ by them.
type xmlScanner struct {
	r        io.Reader
	size     uint64 // that the part declares
	most     int    // how large buf may become; 0 is maxXML
	buf      []byte
	pos, end int
	eof      bool

	checked, suspect int // as in csvReader

	watch io.Writer // gets what rest steps over; nil: nobody

	scratch []byte // decoded text of the current piece
	nul     bool   // a text that was decoded since has a NUL
}

// fill makes room, keeps what is unread and reads on.
func (x *xmlScanner) fill() error {
	if x.eof {
		return io.ErrUnexpectedEOF
	}
	if x.buf == nil {
		// A part that declares less than a buffer gets one of its own size;
		// one byte more shows its end in the same read.
		x.buf = make([]byte, min(xmlBuffer, max(x.size, 511)+1))
	}
	if x.pos > 0 {
		copy(x.buf, x.buf[x.pos:x.end])
		x.end -= x.pos
		x.checked = max(x.checked-x.pos, 0)
		x.suspect = max(x.suspect-x.pos, 0)
		x.pos = 0
	}
	if x.end == len(x.buf) {
		if most := cmp.Or(x.most, maxXML); x.end >= most {
			return fmt.Errorf("one piece of it is larger than %d bytes", most)
		}
		b := make([]byte, 2*len(x.buf))
		copy(b, x.buf[:x.end])
		x.buf = b
	}
	for x.end < len(x.buf) {
		n, err := x.r.Read(x.buf[x.end:])
		x.end += n
		if err == io.EOF {
			x.eof = true
			break
		}
		if err != nil {
			return err
		}
	}
	to := x.end
	if !x.eof {
		for i := to - 1; i >= max(x.checked, to-3); i-- {
			if utf8.RuneStart(x.buf[i]) {
				if !utf8.FullRune(x.buf[i:to]) {
					to = i
				}
				break
			}
		}
	}
	if !validXML(x.buf[x.checked:to]) {
		x.suspect = x.end
	}
	x.checked = to
	return nil
}

// piece runs read on the unread bytes until it neither lacks bytes nor fails,
// and steps over what it took.
func (x *xmlScanner) piece(read func(b []byte) (int, error)) error {
	for {
		n, err := read(x.buf[x.pos:x.end])
		if err == nil {
			if x.pos < x.suspect && !validXML(x.buf[x.pos:x.pos+n]) {
				return errBytes
			}
			x.pos += n
			return nil
		}
		if err != errPartial {
			return err
		}
		if err := x.fill(); err != nil {
			return err
		}
	}
}

// rest reads to the end, which brings the checksum to light, and reports
// whether the document's last tag closes root.
func (x *xmlScanner) rest(root string) error {
	tail := append([]byte(nil), x.buf[max(0, x.end-64):x.end]...)
	if err := x.show(); err != nil {
		return err
	}
	for !x.eof {
		x.pos = x.end
		if err := x.fill(); err != nil {
			return err
		}
		if err := x.show(); err != nil {
			return err
		}
		tail = append(tail, x.buf[max(0, x.end-64):x.end]...)
		tail = tail[max(0, len(tail)-64):]
	}
	tail = bytes.TrimRight(tail, " \t\r\n")
	if !bytes.HasSuffix(tail, []byte(root+">")) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// show hands the unread bytes to whoever watches.
func (x *xmlScanner) show() error {
	if x.watch == nil {
		return nil
	}
	_, err := x.watch.Write(x.buf[x.pos:x.end])
	return err
}

// tag is an element's start or end.
type tag struct {
	name []byte // without prefix
	end  bool   // </name>
}

// tagAt reads the beginning of the tag at b[i], which is '<'. Comments and
// processing instructions before it are stepped over. after is the place of
// the attributes.
func tagAt(b []byte, i int) (t tag, after int, err error) {
	for {
		if i+1 >= len(b) {
			return t, 0, errPartial
		}
		switch b[i+1] {
		case '?':
			k := bytes.Index(b[i:], []byte("?>"))
			if k < 0 {
				return t, 0, errPartial
			}
			i += k + 2
		case '!':
			if len(b)-i < 4 {
				return t, 0, errPartial
			}
			if b[i+2] != '-' || b[i+3] != '-' {
				return t, 0, errors.New("it holds a declaration or data section that no workbook needs")
			}
			k := bytes.Index(b[i+4:], []byte("-->"))
			if k < 0 {
				return t, 0, errPartial
			}
			i += 4 + k + 3
		default:
			i++
			if b[i] == '/' {
				t.end = true
				i++
			}
			from := i
			for i < len(b) {
				switch c := b[i]; c {
				case ':':
					from = i + 1
				case '>', '/', ' ', '\t', '\n', '\r':
					if i == from {
						return t, 0, errors.New("a tag has no name")
					}
					t.name = b[from:i]
					return t, i, nil
				case '<', '&', '"', '\'', '=':
					return t, 0, errors.New("a tag is malformed")
				}
				i++
			}
			return t, 0, errPartial
		}
		// What follows a comment is found like what follows a tag.
		if i, err = tagStart(b, i); err != nil {
			return t, 0, err
		}
	}
}

// tagStart steps over white space to the next '<'.
func tagStart(b []byte, i int) (int, error) {
	for i < len(b) {
		switch b[i] {
		case '<':
			return i, nil
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return 0, errors.New("there is text where none belongs")
		}
	}
	return 0, errPartial
}

// attr reads the next attribute at b[i]. At the end of the tag name is nil,
// next is behind the bracket, and closed tells <x/> from <x>.
func attr(b []byte, i int) (name, value []byte, next int, closed bool, err error) {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	if i == len(b) {
		return nil, nil, 0, false, errPartial
	}
	switch b[i] {
	case '>':
		return nil, nil, i + 1, false, nil
	case '/':
		if i+1 == len(b) {
			return nil, nil, 0, false, errPartial
		}
		if b[i+1] != '>' {
			return nil, nil, 0, false, errors.New("a tag is malformed")
		}
		return nil, nil, i + 2, true, nil
	}
	from := i
	for i < len(b) && b[i] != '=' {
		if c := b[i]; c == '>' || c == '<' || c == '"' {
			return nil, nil, 0, false, errors.New("a tag is malformed")
		}
		i++
	}
	if i+1 >= len(b) {
		return nil, nil, 0, false, errPartial
	}
	name = b[from:i]
	i++
	// XML allows white space around the equals sign; nobody writes it.
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	if i == len(b) {
		return nil, nil, 0, false, errPartial
	}
	q := b[i]
	if q != '"' && q != '\'' {
		return nil, nil, 0, false, errors.New("an attribute has no quotes")
	}
	i++
	from = i
	// Values are short: a loop beats a call.
	for i < len(b) && b[i] != q {
		i++
	}
	if i == len(b) {
		return nil, nil, 0, false, errPartial
	}
	for n := len(name); n > 0 && name[n-1] <= ' '; n-- {
		name = name[:n-1]
	}
	if name == nil {
		name = []byte{}
	}
	return name, b[from:i], i + 1, false, nil
}

// tagEnd steps over the attributes.
func tagEnd(b []byte, i int) (next int, closed bool, err error) {
	for {
		name, _, n, c, err := attr(b, i)
		if err != nil {
			return 0, false, err
		}
		if name == nil {
			return n, c, nil
		}
		i = n
	}
}

// skip steps over an element whose name has just been read; i is at its attributes.
func skip(b []byte, i int) (int, error) {
	i, closed, err := tagEnd(b, i)
	if err != nil || closed {
		return i, err
	}
	for depth := 1; depth > 0; {
		k := bytes.IndexByte(b[i:], '<')
		if k < 0 {
			return 0, errPartial
		}
		i += k
		if bytes.HasPrefix(b[i:], cdataOpen) {
			k := bytes.Index(b[i:], cdataEnd)
			if k < 0 {
				return 0, errPartial
			}
			i += k + len(cdataEnd)
			continue
		}
		if len(b)-i < len(cdataOpen) && bytes.HasPrefix(cdataOpen, b[i:]) {
			return 0, errPartial
		}
		if len(b)-i >= 2 && (b[i+1] == '!' || b[i+1] == '?') {
			end := "?>"
			if b[i+1] == '!' {
				if len(b)-i < 4 {
					return 0, errPartial
				}
				if b[i+2] != '-' || b[i+3] != '-' {
					return 0, errors.New("it holds a declaration that no workbook needs")
				}
				end = "-->"
			}
			k := bytes.Index(b[i+2:], []byte(end))
			if k < 0 {
				return 0, errPartial
			}
			i += 2 + k + len(end)
			continue
		}
		t, after, err := tagAt(b, i)
		if err != nil {
			return 0, err
		}
		i, closed, err = tagEnd(b, after)
		if err != nil {
			return 0, err
		}
		switch {
		case t.end:
			depth--
		case !closed:
			depth++
		}
	}
	return i, nil
}

var (
	cdataOpen = []byte("<![CDATA[")
	cdataEnd  = []byte("]]>")
)

// text reads the characters up to the end tag of the element name, whose
// start tag ends at i. Mostly they are a view of b.
func (x *xmlScanner) text(b []byte, i int, name string) (out []byte, next int, err error) {
	k := bytes.IndexByte(b[i:], '<')
	if k < 0 {
		return nil, 0, errPartial
	}
	out = b[i : i+k]
	i += k
	if i+1 < len(b) && b[i+1] == '/' {
		if next, err = closing(b, i, name); err != nil {
			return nil, 0, err
		}
		return out, next, nil
	}
	// Comments and CDATA inside text: rare, so it may be slow.
	joined := append([]byte(nil), out...)
	for {
		switch {
		case bytes.HasPrefix(b[i:], cdataOpen):
			k := bytes.Index(b[i:], cdataEnd)
			if k < 0 {
				return nil, 0, errPartial
			}
			for _, c := range b[i+len(cdataOpen) : i+k] {
				// What is literal here must stay so when entities are decoded.
				if c == '&' {
					joined = append(joined, "&amp;"...)
				} else {
					joined = append(joined, c)
				}
			}
			i += k + len(cdataEnd)
		case bytes.HasPrefix(b[i:], []byte("<!--")):
			k := bytes.Index(b[i:], []byte("-->"))
			if k < 0 {
				return nil, 0, errPartial
			}
			i += k + 3
		case i+1 < len(b) && b[i+1] == '/':
			if next, err = closing(b, i, name); err != nil {
				return nil, 0, err
			}
			return joined, next, nil
		case len(b)-i < len(cdataOpen):
			return nil, 0, errPartial
		default:
			return nil, 0, fmt.Errorf("there is an element inside the text of <%s>", name)
		}
		k := bytes.IndexByte(b[i:], '<')
		if k < 0 {
			return nil, 0, errPartial
		}
		joined = append(joined, b[i:i+k]...)
		i += k
	}
}

// closing checks the end tag at b[i].
func closing(b []byte, i int, name string) (int, error) {
	// </v> as nearly everybody writes it.
	if n := i + 2 + len(name); n < len(b) && b[n] == '>' && string(b[i+2:n]) == name {
		return n + 1, nil
	}
	t, after, err := tagAt(b, i)
	if err != nil {
		return 0, err
	}
	if !t.end || string(t.name) != name {
		return 0, fmt.Errorf("<%s> is closed by <%s>", name, t.name)
	}
	next, _, err := tagEnd(b, after)
	return next, err
}

// decode resolves entities, the spreadsheet's _x000D_ escapes and line ends.
// What needs none of it is returned as it is, the rest lies in x.scratch.
func (x *xmlScanner) decode(b []byte) ([]byte, error) {
	simple := true
	for i, c := range b {
		if c == '&' || c == '\r' || (c == '_' && i+1 < len(b) && b[i+1] == 'x') {
			simple = false
			break
		}
	}
	if simple {
		return b, nil
	}
	from := len(x.scratch)
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '&':
			semi := bytes.IndexByte(b[i:min(len(b), i+12)], ';')
			if semi < 0 {
				return nil, errors.New("an entity does not end")
			}
			r, err := entity(string(b[i+1 : i+semi]))
			if err != nil {
				return nil, err
			}
			x.scratch = utf8.AppendRune(x.scratch, r)
			i += semi + 1
		case c == '_' && i+6 < len(b) && b[i+1] == 'x' && b[i+6] == '_':
			r, n := escaped(b[i:])
			x.nul = x.nul || n > 0 && r == 0
			if n == 0 {
				x.scratch = append(x.scratch, c)
				n = 1
			} else {
				x.scratch = utf8.AppendRune(x.scratch, r)
			}
			i += n
		default:
			x.scratch = append(x.scratch, c)
			i++
		}
	}
	out := x.scratch[from:]
	if bytes.IndexByte(out, '\r') >= 0 {
		w := 0
		for r := 0; r < len(out); r++ {
			c := out[r]
			if c == '\r' {
				if r+1 < len(out) && out[r+1] == '\n' {
					r++
				}
				c = '\n'
			}
			out[w] = c
			w++
		}
		out = out[:w]
		x.scratch = x.scratch[:from+w]
	}
	return out, nil
}

func entity(name string) (rune, error) {
	switch name {
	case "amp":
		return '&', nil
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "quot":
		return '"', nil
	case "apos":
		return '\'', nil
	}
	if num, ok := strings.CutPrefix(name, "#"); ok {
		base := 10
		if h, ok := strings.CutPrefix(num, "x"); ok {
			num, base = h, 16
		}
		n, err := strconv.ParseUint(num, base, 21)
		if err == nil && n != 0 && utf8.ValidRune(rune(n)) {
			return rune(n), nil
		}
	}
	return 0, fmt.Errorf("it holds the unknown entity %q", "&"+name+";")
}

// escaped reads _xHHHH_ at the start of b, which is how a spreadsheet writes
// characters that XML has no place for; two of them may be a pair of
// surrogates. n is 0 when b does not begin with one.
func escaped(b []byte) (r rune, n int) {
	one := func(b []byte) (rune, bool) {
		if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
			return 0, false
		}
		u, err := strconv.ParseUint(string(b[2:6]), 16, 16)
		return rune(u), err == nil
	}
	r, ok := one(b)
	if !ok {
		return 0, 0
	}
	if r >= 0xd800 && r < 0xdc00 {
		low, ok := one(b[7:])
		if !ok || low < 0xdc00 || low > 0xdfff {
			return 0, 0
		}
		return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 14
	}
	if !utf8.ValidRune(r) {
		return 0, 0
	}
	return r, 7
}
