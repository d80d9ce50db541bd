package loader

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"time"

	"leadload/loader/ledger"
)

// job is one row on its way to the account.
type job struct {
	Record   int64          `json:"r"`
	Number   int            `json:"n"` // row as the spreadsheet counts
	Payload  ledger.Payload `json:"p"`
	reserved bool
	at       time.Time // when it was reserved
}

// parkInMemory is how many waiting rows are kept in memory. Further ones wait
// in a file, so that a long run of rows of one lead costs no memory.
const parkInMemory = 2048

// park holds the rows that wait for an earlier row of their lead, in file
// order for each lead. It serves one goroutine.
type park struct {
	leads map[string]*queue
	count int // in memory
	file  *os.File
	end   int64
	// unnamed says that the file has no name any more.
	unnamed bool
}

// queue is the rows of one lead: first those in memory, then those on disk.
type queue struct {
	rows       []*job
	head, tail int64 // offsets into the file, plus 1; 0 is none
}

// busy reports whether the lead has a row under way.
func (p *park) busy(lead string) bool { return p.leads[lead] != nil }

// begin marks the lead as having a row under way.
func (p *park) begin(lead string) {
	if p.leads == nil {
		p.leads = map[string]*queue{}
	}
	p.leads[lead] = &queue{}
}

// add lets a row wait behind the others of its lead.
func (p *park) add(j *job) error {
	q := p.leads[j.Payload.Lead]
	if p.count < parkInMemory && q.head == 0 {
		q.rows = append(q.rows, j)
		p.count++
		return nil
	}
	return p.spill(q, j)
}

// spill appends a row to the file: the offset of the lead's next row (filled
// in when there is one), its length, its text.
func (p *park) spill(q *queue, j *job) error {
	if p.file == nil {
		f, err := os.CreateTemp("", "leadload-waiting-*") // mode 0600
		if err != nil {
			return err
		}
		p.file = f
		if runtime.GOOS != "windows" {
			// Without a name, it is gone when the process is, however that ends: it
			// holds people's data.
			p.unnamed = os.Remove(f.Name()) == nil
		}
	}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	var head [12]byte
	binary.LittleEndian.PutUint32(head[8:], uint32(len(text)))
	at := p.end
	if _, err := p.file.WriteAt(append(head[:], text...), at); err != nil {
		return err
	}
	p.end = at + int64(len(head)) + int64(len(text))
	if q.tail != 0 {
		var next [8]byte
		binary.LittleEndian.PutUint64(next[:], uint64(at+1))
		if _, err := p.file.WriteAt(next[:], q.tail-1); err != nil {
			return err
		}
	} else {
		q.head = at + 1
	}
	q.tail = at + 1
	return nil
}

// next takes the lead's next row, or ends the lead when there is none.
func (p *park) next(lead string) (*job, error) {
	q := p.leads[lead]
	if q == nil {
		return nil, nil
	}
	if len(q.rows) > 0 {
		j := q.rows[0]
		q.rows[0] = nil
		q.rows = q.rows[1:]
		p.count--
		return j, nil
	}
	if q.head == 0 {
		delete(p.leads, lead)
		return nil, nil
	}
	var head [12]byte
	if _, err := p.file.ReadAt(head[:], q.head-1); err != nil {
		return nil, err
	}
	text := make([]byte, binary.LittleEndian.Uint32(head[8:]))
	if _, err := p.file.ReadAt(text, q.head-1+int64(len(head))); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var j job
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
func (p *park) close() error {
	if p.file == nil {
		return nil
	}
	name := p.file.Name()
	err := p.file.Close()
	if !p.unnamed {
		err = errors.Join(err, os.Remove(name))
	}
	p.file = nil
	return err
}
