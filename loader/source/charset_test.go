package source

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// as16 encodes text in UTF-16.
func as16(text string, bigEndian bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		if bigEndian {
			b.WriteByte(byte(u >> 8))
			b.WriteByte(byte(u))
		} else {
			b.WriteByte(byte(u))
			b.WriteByte(byte(u >> 8))
		}
	}
	return b.String()
}

func TestEncodings(t *testing.T) {
	plain := "name,city\nMüller,München\nआशा,ಬೆಂಗಳೂರು\n😀,\"a\r\nb\"\n"
	rows := "2: Müller|München\n3: आशा|ಬೆಂಗಳೂರು\n4: 😀|a⏎b"
	western := "name,city\nMüller,München\n“x”,5 €\n"
	westernRows := "2: Müller|München\n3: “x”|5 €"
	win, err := charmap.Windows1252.NewEncoder().String(western)
	if err != nil {
		t.Fatal(err)
	}
	sjis, err := japanese.ShiftJIS.NewEncoder().String("名前,市\n山田,東京\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, declared, found, header, rows string }{
		{"utf-8", plain, "", "utf-8", "name|city", rows},
		{"utf-8 with mark", "\ufeff" + plain, "", "utf-8", "name|city", rows},
		{"utf-8 declared", plain, "UTF-8", "utf-8", "name|city", rows},
		{"utf-16le with mark", "\xff\xfe" + as16(plain, false), "", "utf-16le", "name|city", rows},
		{"utf-16be with mark", "\xfe\xff" + as16(plain, true), "", "utf-16be", "name|city", rows},
		{"utf-16le by its NULs", as16(plain, false), "", "utf-16le", "name|city", rows},
		{"utf-16be by its NULs", as16(plain, true), "", "utf-16be", "name|city", rows},
		{"utf-16le with hardly a Latin letter", as16("नाम,शहर\nआशा,मुंबई\nरवि,पुणे\n", false), "", "utf-16le", "नाम|शहर", "2: आशा|मुंबई\n3: रवि|पुणे"},
		{"utf-16le in Gurmukhi, whose high byte is a line feed", as16("ਨਾਮ,ਸ਼ਹਿਰ\nਆਸ਼ਾ,ਪੰਜਾਬ\n", false), "", "utf-16le", "ਨਾਮ|ਸ਼ਹਿਰ", "2: ਆਸ਼ਾ|ਪੰਜਾਬ"},
		{"utf-16be without a line break", as16("a,b", true), "", "utf-16be", "a|b", ""},
		{"utf-16 declared", as16(plain, true), "utf-16", "utf-16be", "name|city", rows},
		{"utf-16le declared", as16(plain, false), "UTF-16LE", "utf-16le", "name|city", rows},
		{"windows-1252", win, "windows-1252", "windows-1252", "name|city", westernRows},
		{"windows-1252 by another name", win, "cp1252", "windows-1252", "name|city", westernRows},
		{"iso-8859-1", "a,b\nM\xfcller,\xe9t\xe9\n", "iso-8859-1", "iso-8859-1", "a|b", "2: Müller|été"},
		{"latin1", "a,b\nM\xfcller,\xe9t\xe9\n", "Latin1", "iso-8859-1", "a|b", "2: Müller|été"},
		{"iso-8859-15", "a\n\xa4\n", "ISO-8859-15", "iso-8859-15", "a", "2: €"},
		{"windows-1251", "a\n\xcf\xf0\xe8\xe2\xe5\xf2\n", "windows-1251", "windows-1251", "a", "2: Привет"},
		{"shift_jis", sjis, "shift_jis", "shift_jis", "名前|市", "2: 山田|東京"},
		{"a mark wins over what is declared", "\ufeffname\nMüller\n", "windows-1252", "utf-8", "name", "2: Müller"},
		{"sep line in utf-16", "\xff\xfe" + as16("sep=;\r\na;b\r\n1,5;2\r\n", false), "", "utf-16le", "a|b", "2: 1,5|2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, file(t, "in.csv", c.text), Options{Encoding: c.declared})
			s.want(t, c.header, c.rows)
			if s.info.Encoding != c.found {
				t.Errorf("encoding %q, want %q", s.info.Encoding, c.found)
			}
		})
	}
	s := readAll(t, file(t, "in.csv", "\ufeffname\nMüller\n"), Options{Encoding: "windows-1252"})
	if len(s.info.Notes) != 1 || !strings.Contains(s.info.Notes[0], "windows-1252") {
		t.Errorf("notes %q", s.info.Notes)
	}
}

func TestEncodingFaults(t *testing.T) {
	for _, c := range []struct{ name, text, declared, rows, words string }{
		{"windows-1252 read as utf-8", "a,b\nx,M\xfcller\ny,z\n", "", "2: x|!M\\xFCller [cell.encoding b]\n3: y|z", "byte 0xFC is not valid utf-8;\"Müller\", set the encoding to windows-1252"},
		{"undefined in windows-1252", "a,b\nx,p\x81q\x9dr\ny,z\n", "windows-1252", "2: x|!p\\x81q\\x9Dr [cell.encoding b]\n3: y|z", "byte 0x81 is not defined in windows-1252"},
		{"euro sign of windows-1252 in iso-8859-1", "a,b\nx,5 \x80\n", "iso-8859-1", "2: x|!5 \\x80 [cell.encoding b]", "windows-1252"},
		{"two undefined bytes that would be a character", "a\n\xc3\xa5\n", "iso-8859-3", "2: !\\xC3\\xA5 [cell.encoding a]", "0xC3"},
		{"surrogate without its pair", as16("a,b\nx,p", false) + "\x00\xd8" + as16("q\ny,z\n", false), "utf-16le", "2: x|!p\\x??q [cell.encoding b]\n3: y|z", "not valid utf-16le"},
		{"low surrogate first", "\xfe\xff" + as16("a\n", true) + "\xdc\x00" + as16("q\n", true), "", "2: !\\x??q [cell.encoding a]", "not valid utf-16be"},
		{"odd number of bytes", "\xff\xfe" + as16("a,b\nx,y", false) + "z", "", "2: x|!y\\x?? [cell.encoding b]", "not valid"},
		{"cut in the middle of a pair", "\xff\xfe" + as16("a,b\nx,y", false) + "\x00\xd8", "", "2: x|!y\\x?? [cell.encoding b]", "not valid"},
		{"NUL in utf-16", "\xff\xfe" + as16("a,b\nx,y\x00z\n", false), "", "2: x|!y\\x00z [cell.nul b]", "NUL"},
		{"not shift_jis", "a,b\nx,\x81\xff\n", "shift_jis", "2: x|!", "not valid shift_jis"},
		{"utf-8 with a surrogate", "a\n\xed\xa0\x80\n", "", "2: !\\xED\\xA0\\x80 [cell.encoding a]", "0xED"},
		{"overlong utf-8", "a\n\xc0\xaf\n", "", "2: !\\xC0\\xAF [cell.encoding a]", "0xC0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readAll(t, file(t, "in.csv", c.text), Options{Encoding: c.declared})
			if got := s.lines(); !strings.HasPrefix(got, c.rows) {
				t.Errorf("rows\n%swant\n%s", got, c.rows)
			}
			if len(s.rows) == 0 || len(s.rows[0].Faults) != 1 {
				t.Fatal("not one fault in the first row")
			}
			wantFault(t, s.rows[0].Faults[0], s.rows[0].Faults[0].Code, strings.Split(c.words, ";")...)
			for _, r := range s.rows {
				for _, cell := range r.Cells {
					if !utf8.ValidString(cell.Text) || strings.Contains(cell.Text, "\ufffd") || strings.Contains(cell.Text, "\x00") {
						t.Errorf("a cell's text is not fit to print: %q", cell.Text)
					}
				}
			}
		})
	}
	openFault(t, file(t, "in.csv", "a\n"), Options{Encoding: "klingon"}, codeEncoding, "klingon", "windows-1252")
	openFault(t, file(t, "in.csv", "\xff\xfe\x00\x00a\x00\x00\x00"), Options{}, codeUnsupported, "utf-32le")
}

// A fault in one part of a large file does not make the checks of another.
func TestEncodingFaultFarIn(t *testing.T) {
	const many = 40_000 // about two buffers
	filler := strings.Repeat("text,äöü\n", many)
	s := readAll(t, file(t, "in.csv", "a,b\n"+filler+"x,\xe4\n"+filler[:len(filler)/4]), Options{})
	faults := 0
	for _, r := range s.rows {
		if len(r.Faults) > 0 {
			faults++
			if r.Number != many+2 {
				t.Errorf("a fault in row %d", r.Number)
			}
		} else if r.Cells[1].Text != "äöü" {
			t.Fatalf("row %d reads %q", r.Number, r.Cells[1].Text)
		}
	}
	if faults != 1 || len(s.rows) != many+many/4+1 {
		t.Errorf("%d faults in %d rows", faults, len(s.rows))
	}
}

// Every one-byte encoding is decoded as x/text does, in pieces of any size.
func TestCharmapsAgreeWithXText(t *testing.T) {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	text := append(append([]byte("plain ascii text of some length"), all...), "and again plain"...)
	n := 0
	for _, name := range []string{"windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
		"windows-1257", "windows-1258", "windows-874", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9", "iso-8859-15", "koi8-r", "macintosh", "ibm850", "ibm437", "ibm037"} {
		c, err := namedCharset(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			r, err := c.reader(wrap(bytes.NewReader(text)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(iotest.HalfReader(r))
			if err != nil {
				t.Fatal(err)
			}
			want := oracleCharmap(t, name, text)
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
			n++
		}
	}
	if n < 60 {
		t.Errorf("%d comparisons", n)
	}
}

// Characters of several units survive any cut between two reads.
func TestDecodersInPieces(t *testing.T) {
	text := strings.Repeat("aé₹ 山田😀\n", 50)
	sjis, err := japanese.ShiftJIS.NewEncoder().String(strings.Repeat("a山田\n", 50))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, in, want string }{
		{"utf-16le", as16(text, false), text}, {"utf-16be", as16(text, true), text}, {"shift_jis", sjis, strings.Repeat("a山田\n", 50)}, {"utf-8", text, text},
	} {
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			cs, err := namedCharset(c.name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := cs.reader(wrap(strings.NewReader(c.in)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(iotest.OneByteReader(r)); err != nil || string(got) != c.want {
				t.Errorf("%s: %q, %v", c.name, got, err)
			}
		}
	}
	// And a large file, whose pieces end where they happen to.
	rows := strings.Repeat("😀山,x\n", 10_000)
	s := readAll(t, file(t, "in.csv", "\xff\xfe"+as16("a,b\ny,z\n"+rows, false)), Options{})
	for _, r := range s.rows[1:] {
		if r.Cells[0].Text != "😀山" || len(r.Faults) > 0 {
			t.Fatalf("row %d reads %q", r.Number, r.Cells[0].Text)
		}
	}
	if len(s.rows) != 10_001 {
		t.Errorf("%d rows", len(s.rows))
	}
}

// oracleCharmap decodes byte by byte with x/text and marks what is undefined.
func oracleCharmap(t *testing.T, name string, text []byte) []byte {
	t.Helper()
	for _, m := range charmap.All {
		cm, ok := m.(*charmap.Charmap)
		if !ok {
			continue
		}
		c, err := namedCharset(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.EqualFold(strings.NewReplacer(" ", "-", "IBM-Code-Page-", "ibm", "iso8859", "iso-8859").Replace(cm.String()), name) &&
			!(name == "iso-8859-1" && cm == charmap.ISO8859_1) && !(name == "koi8-r" && cm == charmap.KOI8R) &&
			!(name == "macintosh" && cm == charmap.Macintosh) && !(name == "ibm850" && cm == charmap.CodePage850) &&
			!(name == "ibm437" && cm == charmap.CodePage437) && !(name == "ibm037" && cm == charmap.CodePage037) {
			continue
		}
		_ = c
		var out []byte
		for _, b := range text {
			r := cm.DecodeByte(b)
			if r == utf8.RuneError || (strings.HasPrefix(name, "iso-8859") && b >= 0x80 && b < 0xa0) {
				out = append(out, undefined, b)
			} else {
				out = utf8.AppendRune(out, r)
			}
		}
		return out
	}
	t.Fatalf("no oracle for %s", name)
	return nil
}
