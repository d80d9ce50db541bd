package ledger

import (
	"encoding/binary"
	"errors"
	"iter"
	"maps"
	"math/bits"
	"slices"
)

// Set is a set of numbers of records: a bit for each. A nil Set is empty, and Add
// makes one.
type Set map[int64]*[setPage / 64]uint64

const setPage = 1 << 13

// Add puts a number in. Records are numbered from 1.
func (s *Set) Add(record int64) {
	if *s == nil {
		*s = Set{}
	}
	page := (*s)[record/setPage]
	if page == nil {
		page = new([setPage / 64]uint64)
		(*s)[record/setPage] = page
	}
	page[record%setPage/64] |= 1 << (record % 64)
}

// Has reports whether a number is in the set.
func (s Set) Has(record int64) bool {
	page := s[record/setPage]
	return page != nil && page[record%setPage/64]&(1<<(record%64)) != 0
}

// Len returns how many numbers there are.
func (s Set) Len() (n int) {
	for _, page := range s {
		for _, word := range page {
			n += bits.OnesCount64(word)
		}
	}
	return n
}

// Clone returns a copy; of an empty set an empty one.
func (s Set) Clone() Set {
	out := Set{}
	for at, page := range s {
		copied := *page
		out[at] = &copied
	}
	return out
}

// All yields the numbers in ascending order.
func (s Set) All() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, at := range slices.Sorted(maps.Keys(s)) {
			for w, word := range s[at] {
				for ; word != 0; word &= word - 1 {
					if !yield(at*setPage + int64(w)*64 + int64(bits.TrailingZeros64(word))) {
						return
					}
				}
			}
		}
	}
}

// Ranges yields the first and the last number of each few thousand, in ascending order.
func (s Set) Ranges() iter.Seq2[int64, int64] {
	return func(yield func(first, last int64) bool) {
		for _, at := range slices.Sorted(maps.Keys(s)) {
			first, last := int64(-1), int64(-1)
			for w, word := range s[at] {
				if word == 0 {
					continue
				}
				base := at*setPage + int64(w)*64
				if last = base + 63 - int64(bits.LeadingZeros64(word)); first < 0 {
					first = base + int64(bits.TrailingZeros64(word))
				}
			}
			if first >= 0 && !yield(first, last) {
				return
			}
		}
	}
}

// Records of a file are numbered in its order, so that a set of them is mostly a few
// ranges. It is packed as the gap before each range and the range's length.

// Pack returns the set as stores keep it.
func (s Set) Pack() []byte {
	out := []byte{}
	next, from, to := int64(1), int64(0), int64(0) // a range that is open ends before to
	end := func() {
		if to > from {
			out = binary.AppendUvarint(binary.AppendUvarint(out, uint64(from-next)), uint64(to-from))
			next = to
		}
	}
	for n := range s.All() {
		if n != to {
			end()
			from = n
		}
		to = n + 1
	}
	end()
	return out
}

// ErrSet says that a packed set is damaged.
var ErrSet = errors.New("a set of records is damaged")

// mostRecords is a number that no ledger reaches.
const mostRecords = 1 << 40

// UnpackSet reads what Pack returned. most is the greatest number that the ledger
// has: a damaged set names others.
func UnpackSet(packed []byte, most int64) (Set, error) {
	s := Set{}
	for next := int64(1); len(packed) > 0; {
		gap, n := binary.Uvarint(packed)
		if n <= 0 || gap > mostRecords {
			return nil, ErrSet
		}
		packed = packed[n:]
		size, n := binary.Uvarint(packed)
		if n <= 0 || size == 0 || size > mostRecords {
			return nil, ErrSet
		}
		packed = packed[n:]
		next += int64(gap)
		end := next + int64(size)
		if end > most+1 {
			return nil, ErrSet
		}
		for ; next < end; next++ {
			s.Add(next)
		}
	}
	return s, nil
}
