package ledger

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
)

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

// ChunkRows bounds the rows of one chunk.
const ChunkRows = 1024

// Moment returns the time of a moment as stores keep it, in Unix milliseconds;
// negative: zero.
func Moment(ms int64) time.Time {
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// PlannedRow is a row of a run as the first pass left it.
type PlannedRow struct {
	Number, Line, Origin int
	Fingerprint          uint64
	Verdict              Verdict
	Record               int64
	Key, Code, Msg, Hint string // Key: of a row without a record
}

// delta is what the rows of a chunk are told against.
type delta struct {
	number, line, origin int64
	record               int64
}

// PackRows writes the rows of a chunk. The first number stands beside the chunk.
func PackRows(dst []byte, first int, entries []Entry) []byte {
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

// PackWords writes the words of a chunk; nil when no row has any. The key of a
// row with a record stands with the record.
func PackWords(entries []Entry) []byte {
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

// ErrRows says that packed rows cannot be read.
var ErrRows = errors.New("the rows of a run are damaged")

// Unpack reads a chunk of which the first number, the rows and the words are given.
func Unpack(dst []PlannedRow, first int, rows, words []byte) ([]PlannedRow, error) {
	dst, err := unpackRows(dst, first, rows)
	if err == nil {
		err = unpackWords(dst, words)
	}
	return dst, err
}

// unpackRows reads the rows of a chunk.
func unpackRows(dst []PlannedRow, first int, rows []byte) ([]PlannedRow, error) {
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
			return dst, ErrRows
		}
		head := rows[0]
		r := PlannedRow{Verdict: Verdict(head & verdictBits), Fingerprint: binary.LittleEndian.Uint64(rows[1:])}
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
			return dst, ErrRows
		}
		r.Number, r.Line, r.Origin = int(was.number), int(was.number+was.line), int(was.number+was.origin)
		dst = append(dst, r)
	}
	return dst, nil
}

// unpackWords puts the words of a chunk beside its rows.
func unpackWords(rows []PlannedRow, words []byte) error {
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
		return ErrRows
	}
	texts := make([]string, 1, count+1)
	for range count {
		n, ok := uvarint()
		if !ok || n > uint64(len(words)) {
			return ErrRows
		}
		texts, words = append(texts, string(words[:n])), words[n:]
	}
	at := -1
	for len(words) > 0 {
		step, ok := uvarint()
		if !ok || step > uint64(len(rows)) || at+int(step) >= len(rows) {
			return ErrRows
		}
		at += int(step)
		r := &rows[at]
		for _, to := range [...]*string{&r.Key, &r.Code, &r.Msg, &r.Hint} {
			n, ok := uvarint()
			if !ok || n >= uint64(len(texts)) {
				return ErrRows
			}
			*to = texts[n]
		}
	}
	return nil
}

// Standing is what is known now of a record and of its creation.
type Standing struct {
	ID                     int64
	Fate                   Fate
	Creation               State // 0: its creation has nothing to say
	Remote, Lead, Key      string
	Request                string
	Attempts, Sent         int64 // Sent: Unix milliseconds, negative is never
	Code, Msg, Hint, Among string

	Change *Change // nil: none is looked for, or there is none
}

// Change is how the update of a record stands.
type Change struct {
	State           State
	Sent, Attempts  int64
	Code, Msg, Hint string
}

// State is the one word for where the record stands.
func (s *Standing) State() State { return StateOf(s.Fate, s.Creation) }

// Changing is where the update of a row stands. s may be nil.
func (s *Standing) Changing() State {
	if s == nil || s.Change == nil {
		return Ready
	}
	return s.Change.State
}

// Stands reports whether what stands of the row's record now decides its result. taken
// are the records whose ids proved to be those of other rows' records.
func (c *PlannedRow) Stands(taken map[int64]bool) bool {
	return c.HasState() || c.Verdict == Already && taken[c.Record]
}

// HasState reports whether the row's result is that of a call.
func (c *PlannedRow) HasState() bool { return c.Verdict == Due || c.Verdict == Changing }

// Row joins a row of a run with what is known of its record, or nil.
func (c *PlannedRow) Row(s *Standing, checked bool) Row {
	r := Row{Number: c.Number, Line: c.Line, Origin: c.Origin, Fingerprint: c.Fingerprint, Verdict: c.Verdict, Record: c.Record,
		Key: c.Key, Code: c.Code, Error: c.Msg, Hint: c.Hint}
	if s != nil {
		r.State, r.Key, r.ID, r.LeadID, r.RequestID = s.State(), s.Key, s.Remote, s.Lead, s.Request
	}
	if c.Verdict == Changing {
		return changingRow(r, s, checked)
	}
	r.Result = ResultOf(c.Verdict, r.State, checked)
	if s == nil || c.Verdict != Due && r.Result != ResultInDoubt {
		return r
	}
	// What the first pass had to say of an open row is old news once the call has something to say.
	if s.Msg != "" || s.Code != "" {
		r.Code, r.Error, r.Hint = s.Code, s.Msg, s.Hint
	}
	r.Attempts = int(s.Attempts)
	r.SentAt = Moment(s.Sent)
	if s.Among != "" {
		r.Candidates = strings.Split(s.Among, " ")
	}
	return r
}

// changingRow is Row for a row that is to be updated: its state is the update's.
func changingRow(r Row, s *Standing, checked bool) Row {
	r.State = s.Changing()
	r.Result = ResultOf(r.Verdict, r.State, checked)
	if s == nil {
		return r
	}
	r.Attempts = int(s.Attempts)
	if s.Change == nil {
		return r
	}
	r.Attempts += int(s.Change.Attempts)
	r.Code, r.Error, r.Hint = s.Change.Code, s.Change.Msg, s.Change.Hint
	r.SentAt = Moment(s.Change.Sent)
	return r
}

// Count adds a row of a run, and what is known of its record, to a tally.
func (t Tally) Count(c *PlannedRow, s *Standing) {
	state := State(0)
	switch {
	case c.Verdict == Changing:
		state = s.Changing()
	case s != nil:
		state = s.State()
	}
	t.Add(c.Verdict, state, 1)
}

// ErrorCounter counts the errors of rows, which come in the order of the file.
type ErrorCounter struct {
	list []ErrorCount
	at   map[string]int
}

// Add counts the error of a row, if it has one that a person has to look at.
func (e *ErrorCounter) Add(row Row) {
	if row.Code == "" {
		return
	}
	switch row.Result {
	case ResultLoaded, ResultUpdated, ResultAlready, ResultDuplicate, ResultPending, ResultSkipped:
		return
	}
	i, ok := e.at[row.Code]
	if !ok {
		if i = len(e.list); e.at == nil {
			e.at = map[string]int{}
		}
		e.at[row.Code] = i
		e.list = append(e.list, ErrorCount{Code: row.Code, Example: row.Error, Row: cmp.Or(row.Origin, row.Number), Hint: row.Hint})
	}
	e.list[i].Count++
}

// Most returns the most common errors, at most n of them.
func (e *ErrorCounter) Most(n int) []ErrorCount {
	slices.SortStableFunc(e.list, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Code, b.Code))
	})
	return e.list[:min(n, len(e.list))]
}

// Past is what a history is told from.
type Past struct {
	Runs func(ctx context.Context, q RunQuery) ([]Run, error)
	// Last returns the runs that planned last to send records, by these.
	Last func(ctx context.Context, records []int64) (map[int64]int64, error)
	// Each calls do for every row of a run with what is known of its record now, or nil,
	// until do returns false. needed says which rows' records are looked up.
	Each func(ctx context.Context, run int64, needed func(*PlannedRow) bool, do func(*PlannedRow, *Standing) bool) error
	// Pruned returns an error where the rows of a run were dropped.
	Pruned func(ctx context.Context, run int64) error
}

// History yields what the runs had to do with records, the oldest run first.
func (p Past) History(ctx context.Context, records []int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := p.history(ctx, records, yield); err != nil {
			yield(Event{}, err)
		}
	}
}

func (p Past) history(ctx context.Context, records []int64, yield func(Event, error) bool) error {
	runs, err := p.Runs(ctx, RunQuery{Newest: math.MaxInt32})
	if err != nil {
		return err
	}
	last, err := p.Last(ctx, records)
	if err != nil {
		return err
	}
	asked := func(c *PlannedRow) bool { return slices.Contains(records, c.Record) }
	for _, run := range slices.Backward(runs) {
		some, more := false, true
		err := p.Each(ctx, run.ID, asked, func(c *PlannedRow, s *Standing) bool {
			some = true
			if s != nil && asked(c) {
				more = yield(Event{Run: run, Row: c.Row(s, run.Command == "check"), Last: last[c.Record]}, nil)
			}
			return more
		})
		if err != nil {
			return err
		}
		if !some {
			err := p.Pruned(ctx, run.ID)
			var own *Error
			switch {
			case err == nil: // it had no rows
			case errors.As(err, &own) && own.Code == "ledger.pruned":
				more = yield(Event{Run: run, Pruned: true}, nil)
			default:
				return err
			}
		}
		if !more {
			return nil
		}
	}
	return nil
}
