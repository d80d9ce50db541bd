package ledger

import (
	"encoding/binary"
	"math"
	"sync/atomic"
)

// Mark returns what a store keeps of the row to see at a glance that it has not changed:
// its Source, or where that is not known the beginning of the hash of its body.
func (e *Entry) Mark() (m [BodySize]byte) {
	if e.Source == 0 {
		copy(m[:], e.Digest.Body[:])
		return m
	}
	binary.LittleEndian.PutUint64(m[:], e.Source)
	return m
}

// unchanged reports whether a record has what the row says, by its mark. Records of
// older ledgers, and those that were updated, have one of their body.
func (e *Entry) unchanged(known *Record) bool {
	return known.Body == [BodySize]byte(e.Digest.Body[:BodySize]) || e.Source != 0 && known.Body == e.Mark()
}

// MarkSet is the records of a scope that are in the account and of which no call has
// anything to say, by their marks. It takes 8 bytes a record. Once it is made, it is safe
// for concurrent use.
type MarkSet struct {
	marks []uint64                 // by the numbers of records; 0: none, or not known
	index atomic.Pointer[[]uint32] // records by their marks; nil: none was made
}

// NewMarkSet returns a set for records that are numbered up to most.
func NewMarkSet(most int64) *MarkSet { return &MarkSet{marks: make([]uint64, most+1)} }

// Add puts a record in.
func (s *MarkSet) Add(record int64, mark []byte) {
	if record > 0 && record < int64(len(s.marks)) && len(mark) == BodySize {
		s.marks[record] = binary.LittleEndian.Uint64(mark)
	}
}

// Remove takes a record out.
func (s *MarkSet) Remove(record int64) {
	if record > 0 && record < int64(len(s.marks)) {
		s.marks[record] = 0
	}
}

// nearby is how many records are looked at around the one that a row should be.
const nearby = 16

// Find returns the record with the Source of a row; 0: there is none. near is where it
// should be: rows mostly come in the order of their records.
func (s *MarkSet) Find(source uint64, near int64) (record int64) {
	if source == 0 {
		return 0
	}
	if near > 0 && near < int64(len(s.marks)) && s.marks[near] == source {
		return near
	}
	for n := max(near-nearby, 1); n < min(near+nearby, int64(len(s.marks))); n++ {
		if s.marks[n] == source {
			return n
		}
	}
	if index := s.index.Load(); index != nil {
		return int64((*index)[s.slot(*index, source)])
	}
	return 0
}

// slot returns the place in the index of the record with a mark, or the empty one where
// it belongs.
func (s *MarkSet) slot(index []uint32, mark uint64) int {
	n := len(index)
	for i := int(uint64(uint32(mark)) * uint64(n) >> 32); ; i++ {
		if i == n {
			i = 0
		}
		if r := index[i]; r == 0 || s.marks[r] == mark {
			return i
		}
	}
}

// Index makes an index, for rows that come in another order. It takes 6 bytes a record.
func (s *MarkSet) Index() {
	if s.index.Load() != nil || len(s.marks) > math.MaxUint32 {
		return
	}
	index := make([]uint32, max(len(s.marks), 16)*3/2)
	for record, mark := range s.marks {
		if mark != 0 {
			index[s.slot(index, mark)] = uint32(record)
		}
	}
	s.index.Store(&index)
}
