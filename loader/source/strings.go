package source

import (
	"errors"
	"fmt"
	"math"
	"unsafe"
)

const arenaChunk = 1 << 20

// sharedStrings are the texts that cells name by number. They are the one
// thing of a workbook that is kept in memory whole: their bytes in large
// chunks, and eight bytes for each to find it.
type sharedStrings struct {
	chunks [][]byte
	at     []place
	nul    bool // some text has a NUL
}

// place is where a text lies: chunk by chunk, each counted as arenaChunk long.
type place struct{ off, n uint32 }

func (s *sharedStrings) add(text []byte) error {
	if len(text) == 0 {
		s.at = append(s.at, place{})
		return nil
	}
	last := len(s.chunks) - 1
	if last < 0 || cap(s.chunks[last])-len(s.chunks[last]) < len(text) {
		if len(text) > arenaChunk {
			return fmt.Errorf("shared string %d is longer than %d bytes", len(s.at), arenaChunk)
		}
		if len(s.chunks) == math.MaxUint32/arenaChunk {
			return errors.New("the shared strings are larger than 4 GiB")
		}
		s.chunks = append(s.chunks, make([]byte, 0, arenaChunk))
		last++
	}
	c := s.chunks[last]
	s.at = append(s.at, place{uint32(last)*arenaChunk + uint32(len(c)), uint32(len(text))})
	s.chunks[last] = append(c, text...)
	return nil
}

// get gives text i as a view of the arena, which is never written to again.
func (s *sharedStrings) get(i int) string {
	p := s.at[i]
	if p.n == 0 {
		return ""
	}
	return unsafe.String(&s.chunks[p.off/arenaChunk][p.off%arenaChunk], int(p.n))
}

// shared loads the shared strings when the first cell asks for one.
func (w *workbook) shared() (*sharedStrings, error) {
	if w.sst != nil {
		return w.sst, nil
	}
	if w.sstPart == "" {
		return nil, damaged("", errors.New("cells name shared strings, and there are none"))
	}
	rc, p, err := w.part(w.sstPart)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	s, err := readShared(&xmlScanner{r: rc, size: p.UncompressedSize64})
	if err != nil {
		return nil, damaged(p.Name, err)
	}
	w.sst = s
	return s, nil
}

func readShared(x *xmlScanner) (*sharedStrings, error) {
	s := &sharedStrings{}
	done, closed := false, false
	// <sst …>
	if err := x.piece(func(b []byte) (int, error) { return root(b, "sst", &closed) }); err != nil {
		return nil, err
	}
	one := func(b []byte) (int, error) {
		x.scratch = x.scratch[:0]
		i, err := tagStart(b, 0)
		if err != nil {
			return 0, err
		}
		t, after, err := tagAt(b, i)
		switch {
		case err != nil:
			return 0, err
		case t.end && string(t.name) == "sst":
			done = true
			n, _, err := tagEnd(b, after)
			return n, err
		case t.end:
			return 0, fmt.Errorf("</%s> stands where it does not belong", t.name)
		case string(t.name) != "si":
			return skip(b, after)
		}
		text, n, err := x.richText(b, after, "si")
		if err != nil {
			return 0, err
		}
		return n, s.add(text)
	}
	for !done && !closed {
		if err := x.piece(one); err != nil {
			return nil, fmt.Errorf("at shared string %d: %w", len(s.at), err)
		}
	}
	last := "sst"
	if closed {
		last = "/"
	}
	s.nul = x.nul
	return s, x.rest(last)
}

// root reads the document's first tag.
func root(b []byte, name string, closed *bool) (int, error) {
	start := 0
	if len(b) < 3 {
		return 0, errPartial
	}
	switch {
	case string(b[:3]) == "\xef\xbb\xbf":
		start = 3
	case b[0] == 0xff || b[0] == 0xfe || b[0] == 0 || b[1] == 0:
		return 0, errors.New("it is not in UTF-8")
	}
	i, err := tagStart(b, start)
	if err != nil {
		return 0, err
	}
	t, after, err := tagAt(b, i)
	if err != nil {
		return 0, err
	}
	if string(t.name) != name {
		return 0, fmt.Errorf("it begins with <%s>, not <%s>", t.name, name)
	}
	n, c, err := tagEnd(b, after)
	*closed = c
	return n, err
}

// richText reads the text inside <si> or <is>, whose attributes are at b[i]:
// one <t>, or runs with a <t> each, which are joined. Phonetic guides and the
// runs' looks are left out.
func (x *xmlScanner) richText(b []byte, i int, name string) (text []byte, next int, err error) {
	i, closed, err := tagEnd(b, i)
	if err != nil || closed {
		return nil, i, err
	}
	parts, from := 0, 0
	depth := 0 // inside <r>
	for {
		if i, err = tagStart(b, i); err != nil {
			return nil, 0, err
		}
		t, after, err := tagAt(b, i)
		if err != nil {
			return nil, 0, err
		}
		// No string(t.name) that outlives a comparison: it would be an allocation for each text.
		switch {
		case !t.end && string(t.name) == "t":
			j, closed, err := tagEnd(b, after)
			if err != nil {
				return nil, 0, err
			}
			i = j
			if closed {
				continue
			}
			raw, j, err := x.text(b, i, "t")
			if err != nil {
				return nil, 0, err
			}
			i = j
			mark := len(x.scratch)
			one, err := x.decode(raw)
			if err != nil {
				return nil, 0, err
			}
			switch parts++; parts {
			case 1:
				text = one
			case 2:
				from = len(x.scratch)
				x.scratch = append(append(x.scratch, text...), one...)
				text = x.scratch[from:]
			default:
				// What decode had to change lies behind text already.
				if len(x.scratch) == mark {
					x.scratch = append(x.scratch, one...)
				}
				text = x.scratch[from:]
			}
		case string(t.name) == "r":
			if t.end {
				depth--
			} else {
				depth++
			}
			j, closed, err := tagEnd(b, after)
			if err != nil {
				return nil, 0, err
			}
			if closed {
				depth--
			}
			i = j
		case t.end && string(t.name) == name:
			if depth != 0 {
				return nil, 0, errors.New("a run of text is not closed")
			}
			j, _, err := tagEnd(b, after)
			return text, j, err
		case t.end:
			return nil, 0, fmt.Errorf("</%s> stands where it does not belong", t.name)
		default:
			if i, err = skip(b, after); err != nil {
				return nil, 0, err
			}
		}
	}
}
