package source

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
)

// undefined stands in decoded text before what the encoding does not define.
// It is no part of valid UTF-8, so that the check of every cell stops at it.
const undefined = 0xff

var boms = []struct{ mark, name string }{
	{"\xef\xbb\xbf", "utf-8"},
	{"\xff\xfe\x00\x00", "utf-32le"}, // before utf-16le, whose mark begins alike
	{"\x00\x00\xfe\xff", "utf-32be"},
	{"\xff\xfe", "utf-16le"},
	{"\xfe\xff", "utf-16be"},
}

func hasBOM(head []byte) bool {
	for _, b := range boms {
		if bytes.HasPrefix(head, []byte(b.mark)) {
			return true
		}
	}
	return false
}

// charset is the encoding of a CSV file.
type charset struct {
	name string // in lower case
	skip int    // bytes of the byte order mark
	step func(dst, src []byte, eof bool) (nd, ns int)
}

// findCharset settles the encoding: a byte order mark, then what was
// declared, then the pattern of NUL bytes that UTF-16 makes, else UTF-8. No
// statistics: they take UTF-16 for Latin and French for Turkish.
func findCharset(head []byte, declared string) (charset, string, error) {
	name := strings.ToLower(strings.TrimSpace(declared))
	if a, ok := aliases[name]; ok {
		name = a
	}
	note := ""
	for _, b := range boms {
		if !bytes.HasPrefix(head, []byte(b.mark)) {
			continue
		}
		if strings.HasPrefix(b.name, "utf-32") {
			return charset{}, "", &Error{Code: codeUnsupported, Msg: "the file is in " + b.name,
				Hint: "save it as UTF-8"}
		}
		if name != "" && name != b.name && name != "utf-16" {
			note = fmt.Sprintf("the file begins with the mark of %s and is read as that, not as %s", b.name, name)
		}
		c, err := namedCharset(b.name)
		c.skip = len(b.mark)
		return c, note, err
	}
	if name == "" || name == "utf-16" {
		if u := utf16Pattern(head); u != "" {
			name = u
		} else if name == "" {
			name = "utf-8"
		} else {
			name = "utf-16le"
		}
	}
	c, err := namedCharset(name)
	return c, note, err
}

var aliases = map[string]string{
	"utf8": "utf-8", "utf-8-sig": "utf-8", "utf_8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8",
	"utf16": "utf-16", "utf16le": "utf-16le", "utf16be": "utf-16be", "unicode": "utf-16", "ucs-2": "utf-16",
	"cp1252": "windows-1252", "1252": "windows-1252", "ansi": "windows-1252", "win1252": "windows-1252",
	"latin1": "iso-8859-1", "latin-1": "iso-8859-1", "l1": "iso-8859-1", "8859-1": "iso-8859-1", "iso8859-1": "iso-8859-1",
	"cp1250": "windows-1250", "cp1251": "windows-1251", "sjis": "shift_jis", "gb2312": "gbk", "mac": "macintosh",
}

func namedCharset(name string) (charset, error) {
	switch name {
	case "utf-8":
		return charset{name: name}, nil
	case "utf-16le":
		return charset{name: name, step: utf16Step(binary.LittleEndian)}, nil
	case "utf-16be":
		return charset{name: name, step: utf16Step(binary.BigEndian)}, nil
	}
	enc, err := ianaindex.IANA.Encoding(name)
	if err != nil || enc == nil {
		return charset{}, &Error{Code: codeEncoding, Msg: fmt.Sprintf("there is no encoding %q that can be read", name),
			Hint: "use utf-8, utf-16le, utf-16be, windows-1252, iso-8859-1 or another IANA name such as windows-1251, iso-8859-15, shift_jis"}
	}
	if official, err := ianaindex.MIME.Name(enc); err == nil && official != "" {
		name = strings.ToLower(official)
	}
	if cm, ok := enc.(*charmap.Charmap); ok {
		return charset{name: name, step: charmapStep(cm, name)}, nil
	}
	return charset{name: name, step: multibyteStep(enc)}, nil
}

// utf16Pattern names the UTF-16 that a text without a byte order mark is in.
// In it line breaks have a NUL beside them, always on the same side, whatever
// the script; a file of bytes that merely holds a NUL has line breaks without.
func utf16Pattern(head []byte) string {
	if utf16Like(head, 0) {
		return "utf-16le"
	}
	if utf16Like(head, 1) {
		return "utf-16be"
	}
	return ""
}

// utf16Like tests for UTF-16 whose low bytes are those at low (0 or 1) of each pair.
func utf16Like(head []byte, low int) bool {
	pairs := len(head) / 2
	var zeros [2]int
	paired, alone := 0, 0 // line breaks with and without a NUL as high byte
	for i := 0; i+1 < len(head); i += 2 {
		lo, hi := head[i+low], head[i+1-low]
		if lo == 0 {
			zeros[0]++
		}
		if hi == 0 {
			zeros[1]++
		}
		if lo == '\n' || lo == '\r' {
			if hi == 0 {
				paired++
			} else {
				alone++
			}
		}
	}
	if zeros[1] == 0 || zeros[0]*4 > zeros[1] {
		return false
	}
	if paired == 0 {
		return zeros[1]*2 > pairs
	}
	return alone*10 <= paired
}

// utf16Step decodes UTF-16; half a pair becomes the undefined mark.
func utf16Step(order binary.ByteOrder) func(dst, src []byte, eof bool) (int, int) {
	return func(dst, src []byte, eof bool) (nd, ns int) {
		for len(dst)-nd >= 4 {
			if len(src)-ns < 2 {
				if eof && ns < len(src) {
					dst[nd], dst[nd+1] = undefined, undefined
					return nd + 2, len(src)
				}
				return nd, ns
			}
			u := rune(order.Uint16(src[ns:]))
			switch {
			case u < utf8.RuneSelf:
				dst[nd] = byte(u)
				nd++
			case !utf16.IsSurrogate(u):
				nd += utf8.EncodeRune(dst[nd:], u)
			default:
				if len(src)-ns < 4 && !eof {
					return nd, ns
				}
				r := rune(utf8.RuneError)
				if len(src)-ns >= 4 {
					r = utf16.DecodeRune(u, rune(order.Uint16(src[ns+2:])))
				}
				if r == utf8.RuneError {
					dst[nd], dst[nd+1] = undefined, undefined
					nd += 2
				} else {
					nd += utf8.EncodeRune(dst[nd:], r)
					ns += 2
				}
			}
			ns += 2
		}
		return nd, ns
	}
}

// charmapStep decodes an encoding of one byte a character. A byte that it
// does not define becomes the undefined mark and the byte itself.
func charmapStep(cm *charmap.Charmap, name string) func(dst, src []byte, eof bool) (int, int) {
	var table [256][4]byte // UTF-8 and its length
	ascii := true
	for i := range table {
		r := cm.DecodeByte(byte(i))
		// ISO 8859 has control characters where windows-125x has the euro
		// sign and curly quotes. No table holds such controls, so bytes
		// there mean that the file is in the other encoding.
		c1 := strings.HasPrefix(name, "iso-8859") && i >= 0x80 && i < 0xa0
		if r == utf8.RuneError || c1 {
			table[i] = [4]byte{undefined, byte(i), 0, 2}
			continue
		}
		var b [4]byte
		n := utf8.EncodeRune(b[:], r)
		b[3] = byte(n) // charmaps lie in the basic plane: three bytes at most
		table[i] = b
		if i < utf8.RuneSelf && r != rune(i) {
			ascii = false
		}
	}
	return func(dst, src []byte, eof bool) (nd, ns int) {
		for ns < len(src) && len(dst)-nd >= 8 {
			if ascii && len(src)-ns >= 8 {
				x := le64b(src[ns:])
				if x&0x8080808080808080 == 0 {
					binary.LittleEndian.PutUint64(dst[nd:], x)
					nd += 8
					ns += 8
					continue
				}
			}
			t := &table[src[ns]]
			dst[nd], dst[nd+1], dst[nd+2] = t[0], t[1], t[2]
			nd += int(t[3])
			ns++
		}
		return nd, ns
	}
}

// multibyteStep decodes with x/text, which writes U+FFFD for what it cannot
// read; none of these encodings has that character, so it becomes the mark.
func multibyteStep(enc encoding.Encoding) func(dst, src []byte, eof bool) (int, int) {
	dec := enc.NewDecoder()
	return func(dst, src []byte, eof bool) (nd, ns int) {
		nd, ns, _ = dec.Transform(dst, src, eof)
		out := dst[:nd]
		for {
			i := bytes.Index(out, []byte("\ufffd"))
			if i < 0 {
				return nd, ns
			}
			out[i], out[i+1], out[i+2] = undefined, undefined, undefined
			out = out[i+3:]
		}
	}
}

// reader gives r, which begins after the byte order mark, as UTF-8.
func (c charset) reader(r io.Reader) (io.Reader, error) {
	if c.skip > 0 {
		if _, err := io.CopyN(io.Discard, r, int64(c.skip)); err != nil {
			return nil, err
		}
	}
	if c.step == nil {
		return r, nil
	}
	return &transcoder{r: r, step: c.step, in: make([]byte, 0, 64<<10), out: make([]byte, 192<<10)}, nil
}

// transcoder is a stream decoded step by step.
type transcoder struct {
	r    io.Reader
	step func(dst, src []byte, eof bool) (int, int)
	in   []byte // bytes read and not decoded yet
	out  []byte
	have []byte // the part of out that was not handed on yet
	err  error
}

func (t *transcoder) Read(p []byte) (int, error) {
	for len(t.have) == 0 {
		if t.err != nil && (len(t.in) == 0 || t.err != io.EOF) {
			return 0, t.err
		}
		if t.err == nil && len(t.in) < cap(t.in) {
			n, err := t.r.Read(t.in[len(t.in):cap(t.in)])
			t.in = t.in[:len(t.in)+n]
			t.err = err
		}
		nd, ns := t.step(t.out, t.in, t.err == io.EOF)
		t.have = t.out[:nd]
		t.in = t.in[:copy(t.in, t.in[ns:])]
		if nd == 0 && ns == 0 && t.err == io.EOF {
			return 0, io.EOF
		}
	}
	n := copy(p, t.have)
	t.have = t.have[n:]
	return n, nil
}
