package send

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
)

// keptInMemory is how many waiting rows are kept in memory. Further ones wait
// in a file, so that a long run of rows of one lead costs no memory.
const keptInMemory = 2048

// waiting holds the rows that wait for an earlier row of their lead, in file
// order for each lead. It serves one goroutine.
type waiting struct {
	leads map[string]*queue
	count int // in memory
	file  *os.File
	end   int64
	// unnamed says that the file has no name any more.
	unnamed bool
}

// queue is the rows of one lead: first those in memory, then those on disk.
type queue struct {
	rows       []*Row
	head, tail int64 // offsets into the file, plus 1; 0 means none
}

// busy reports whether the lead has a row under way.
func (w *waiting) busy(lead string) bool { return w.leads[lead] != nil }

// begin marks the lead as having a row under way.
func (w *waiting) begin(lead string) {
	if w.leads == nil {
		w.leads = map[string]*queue{}
	}
	w.leads[lead] = &queue{}
}

// add lets a row wait behind the others of its lead.
func (w *waiting) add(j *Row) error {
	q := w.leads[j.Payload.Lead]
	if w.count < keptInMemory && q.head == 0 {
		q.rows = append(q.rows, j)
		w.count++
		return nil
	}
	return w.spill(q, j)
}

// spill appends a row to the file: the offset of the lead's next row (filled
// in when there is one), its length, its text.
func (w *waiting) spill(q *queue, j *Row) error {
	if w.file == nil {
		f, err := os.CreateTemp("", "leadload-waiting-*") // mode 0600
		if err != nil {
			return err
		}
		w.file = f
		if runtime.GOOS != "windows" {
			// Without a name, it is gone when the process is, however that ends: it
			// holds people's data.
			w.unnamed = os.Remove(f.Name()) == nil
		}
	}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	var head [12]byte
	binary.LittleEndian.PutUint32(head[8:], uint32(len(text)))
	at := w.end
	if _, err := w.file.WriteAt(append(head[:], text...), at); err != nil {
		return err
	}
	w.end = at + int64(len(head)) + int64(len(text))
	if q.tail != 0 {
		var next [8]byte
		binary.LittleEndian.PutUint64(next[:], uint64(at+1))
		if _, err := w.file.WriteAt(next[:], q.tail-1); err != nil {
			return err
		}
	} else {
		q.head = at + 1
	}
	q.tail = at + 1
	return nil
}

// next takes the lead's next row, or ends the lead when none is left.
func (w *waiting) next(lead string) (*Row, error) {
	q := w.leads[lead]
	if q == nil {
		return nil, nil
	}
	if len(q.rows) > 0 {
		j := q.rows[0]
		q.rows[0] = nil
		q.rows = q.rows[1:]
		w.count--
		return j, nil
	}
	if q.head == 0 {
		delete(w.leads, lead)
		return nil, nil
	}
	var head [12]byte
	if _, err := w.file.ReadAt(head[:], q.head-1); err != nil {
		return nil, err
	}
	text := make([]byte, binary.LittleEndian.Uint32(head[8:]))
	if _, err := w.file.ReadAt(text, q.head-1+int64(len(head))); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var j Row
	if err := json.Unmarshal(text, &j); err != nil {
		return nil, err
	}
	q.head = int64(binary.LittleEndian.Uint64(head[:8]))
	if q.head == 0 {
		q.tail = 0
	}
	return &j, nil
}

// close removes the file.
func (w *waiting) close() error {
	if w.file == nil {
		return nil
	}
	name := w.file.Name()
	err := w.file.Close()
	if !w.unnamed {
		err = errors.Join(err, os.Remove(name))
	}
	w.file = nil
	return err
}
