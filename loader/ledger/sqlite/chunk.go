package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"leadload/loader/ledger"
)

// chunkRows bounds the rows of one chunk.
const chunkRows = 1024

// A chunk is the rows of a run that follow one another, packed: of most rows
// only the fingerprint is news. Each begins with a byte, the verdict and flags;
// what a flag names follows, as a number.
const (
	verdictBits = 0x07
	numberMoved = 0x08 // the number is not that of the row before and 1: the difference, less 1
	lineMoved   = 0x10 // the line is not as far from the number as that of the row before
	originMoved = 0x20 // the same of the origin
	recordMoved = 0x40 // the record is not that of the row before and 1
	hasRecord   = 0x80
)

// chunkRow is a row in a chunk.
type chunkRow struct {
	Number, Line, Origin int
	Fingerprint          uint64
	Verdict              ledger.Verdict
	Record               int64
	Key, Code, Msg, Hint string // Key: of a row without a record
}

// delta is what the rows of a chunk are told against.
type delta struct {
	number, line, origin int64
	record               int64
}

// packRows writes the rows of a chunk. The first number stands beside the chunk.
func packRows(dst []byte, first int, entries []ledger.Entry) []byte {
	was := delta{number: int64(first) - 1}
	for i := range entries {
		e := &entries[i]
		n, line, origin := int64(e.Number), int64(e.Line)-int64(e.Number), int64(e.Origin)-int64(e.Number)
		head := byte(e.Verdict) & verdictBits
		if n != was.number+1 {
			head |= numberMoved
		}
		if line != was.line {
			head |= lineMoved
		}
		if origin != was.origin {
			head |= originMoved
		}
		if e.Record != 0 {
			head |= hasRecord
			if e.Record != was.record+1 {
				head |= recordMoved
			}
		}
		dst = append(dst, head)
		dst = binary.LittleEndian.AppendUint64(dst, e.Fingerprint)
		if head&numberMoved != 0 {
			dst = binary.AppendVarint(dst, n-was.number-1)
		}
		if head&lineMoved != 0 {
			dst = binary.AppendVarint(dst, line-was.line)
		}
		if head&originMoved != 0 {
			dst = binary.AppendVarint(dst, origin-was.origin)
		}
		if head&recordMoved != 0 {
			dst = binary.AppendVarint(dst, e.Record-was.record-1)
		}
		was.number, was.line, was.origin = n, line, origin
		if e.Record != 0 {
			was.record = e.Record
		}
	}
	return dst
}

// Words are packed as a list of texts, and for each row that has any its place
// in the chunk and the numbers of its key, code, message and hint in the list;
// text 0 is the empty one.

// packWords writes the words of a chunk; nil when no row has any. The key of a
// row with a record stands with the record.
func packWords(entries []ledger.Entry) []byte {
	var texts []string
	place := map[string]uint64{"": 0}
	number := func(s string) uint64 {
		n, ok := place[s]
		if !ok {
			texts = append(texts, s)
			n = uint64(len(texts))
			place[s] = n
		}
		return n
	}
	var rows []byte
	last := -1
	for i := range entries {
		e := &entries[i]
		key := e.KeyText
		if e.Record != 0 {
			key = ""
		}
		if key == "" && e.Code == "" && e.Msg == "" && e.Hint == "" {
			continue
		}
		rows = binary.AppendUvarint(rows, uint64(i-last))
		last = i
		for _, s := range [...]string{key, e.Code, e.Msg, e.Hint} {
			rows = binary.AppendUvarint(rows, number(s))
		}
	}
	if last < 0 {
		return nil
	}
	out := binary.AppendUvarint(nil, uint64(len(texts)))
	for _, s := range texts {
		out = append(binary.AppendUvarint(out, uint64(len(s))), s...)
	}
	return append(out, rows...)
}

var errChunk = errors.New("the rows of a run are damaged")

// unpackRows reads a chunk.
func unpackRows(dst []chunkRow, first int, rows []byte) ([]chunkRow, error) {
	was := delta{number: int64(first) - 1}
	bad := false
	varint := func() int64 {
		v, n := binary.Varint(rows)
		if n <= 0 {
			bad = true
			return 0
		}
		rows = rows[n:]
		return v
	}
	for len(rows) > 0 {
		if len(rows) < 9 {
			return dst, errChunk
		}
		head := rows[0]
		r := chunkRow{Verdict: ledger.Verdict(head & verdictBits), Fingerprint: binary.LittleEndian.Uint64(rows[1:])}
		rows = rows[9:]
		was.number++
		if head&numberMoved != 0 {
			was.number += varint()
		}
		if head&lineMoved != 0 {
			was.line += varint()
		}
		if head&originMoved != 0 {
			was.origin += varint()
		}
		if head&hasRecord != 0 {
			was.record++
			if head&recordMoved != 0 {
				was.record += varint()
			}
			r.Record = was.record
		}
		if bad {
			return dst, errChunk
		}
		r.Number, r.Line, r.Origin = int(was.number), int(was.number+was.line), int(was.number+was.origin)
		dst = append(dst, r)
	}
	return dst, nil
}

// unpackWords puts the words of a chunk beside its rows.
func unpackWords(rows []chunkRow, words []byte) error {
	if len(words) == 0 {
		return nil
	}
	uvarint := func() (uint64, bool) {
		v, n := binary.Uvarint(words)
		if n <= 0 {
			return 0, false
		}
		words = words[n:]
		return v, true
	}
	count, ok := uvarint()
	if !ok || count > uint64(len(words)) {
		return errChunk
	}
	texts := make([]string, 1, count+1)
	for range count {
		n, ok := uvarint()
		if !ok || n > uint64(len(words)) {
			return errChunk
		}
		texts, words = append(texts, string(words[:n])), words[n:]
	}
	at := -1
	for len(words) > 0 {
		step, ok := uvarint()
		if !ok || step > uint64(len(rows)) || at+int(step) >= len(rows) {
			return errChunk
		}
		at += int(step)
		r := &rows[at]
		for _, to := range [...]*string{&r.Key, &r.Code, &r.Msg, &r.Hint} {
			n, ok := uvarint()
			if !ok || n >= uint64(len(texts)) {
				return errChunk
			}
			*to = texts[n]
		}
	}
	return nil
}

// chunk writes rows of a run as they were decided.
func (w *writer) chunk(run int64, entries []ledger.Entry) error {
	for len(entries) > 0 {
		n := min(len(entries), chunkRows)
		part := entries[:n]
		first := part[0].Number
		if _, err := w.exec("INSERT INTO chunks (run, first, rows, words) VALUES (?,?,?,?)", run, first, packRows(make([]byte, 0, 10*n), first, part), packWords(part)); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// chunkReader reads the chunks of runs, one at a time.
type chunkReader struct {
	rows  []chunkRow
	run   int64
	first int
}

// next reads the first chunk of a run that begins at from or later; with back,
// the last one that begins at from or earlier. It reports whether there is one.
func (c *chunkReader) next(ctx context.Context, l *Ledger, run int64, from int, back bool) (bool, error) {
	text := "SELECT first, rows, words FROM chunks WHERE run = ? AND first >= ? ORDER BY first LIMIT 1"
	if back {
		text = "SELECT first, rows, words FROM chunks WHERE run = ? AND first <= ? ORDER BY first DESC LIMIT 1"
	}
	c.rows, c.run, c.first = c.rows[:0], 0, 0
	stmt, err := l.prepared(ctx, text)
	if err != nil {
		return false, l.fault(err)
	}
	rows, err := stmt.QueryContext(ctx, run, from)
	if err != nil {
		return false, l.fault(err)
	}
	defer rows.Close()
	if !rows.Next() {
		return false, l.fault(rows.Err())
	}
	var packed, words []byte
	if err := rows.Scan(&c.first, &packed, &words); err != nil {
		return false, l.fault(err)
	}
	if c.rows, err = unpackRows(c.rows, c.first, packed); err == nil {
		err = unpackWords(c.rows, words)
	}
	if err != nil {
		return false, &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.path), Msg: err.Error(), Hint: corruptHint}
	}
	c.run = run
	return true, l.fault(rows.Err())
}

// row returns one row of a run.
func (c *chunkReader) row(ctx context.Context, l *Ledger, run int64, number int) (chunkRow, bool, error) {
	if c.run != run || len(c.rows) == 0 || number < c.first || number > c.rows[len(c.rows)-1].Number {
		if ok, err := c.next(ctx, l, run, number, true); !ok || err != nil {
			return chunkRow{}, false, err
		}
	}
	i, found := slices.BinarySearchFunc(c.rows, number, func(r chunkRow, n int) int { return r.Number - n })
	if !found {
		return chunkRow{}, false, nil
	}
	return c.rows[i], true, nil
}
