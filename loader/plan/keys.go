package plan

import "encoding/binary"

// keySet remembers in which row each key came first. It is an open-addressing
// table, since every row of a file goes through it and a miss of the cache is
// what it costs; the hashes are as good as random already.
type keySet struct {
	slots []keySlot // a power of two
	n     int
	seen  uint32 // of no meaning; it makes warm's reading count as work
}

// keySlot holds 96 bits of a key's hash, which tell a thousand million keys apart.
type keySlot struct {
	a   uint64
	b   uint32
	row uint32 // 0: empty
}

// add gives the row in which the key came first, which is row itself when it is new.
func (s *keySet) add(h [16]byte, row int) int {
	if 4*(s.n+1) > 3*len(s.slots) {
		old := s.slots
		s.slots = make([]keySlot, max(2*len(old), 1<<10))
		for _, k := range old {
			if k.row != 0 {
				*s.find(k.a, k.b) = k
			}
		}
	}
	a, b := binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint32(h[8:])
	k := s.find(a, b)
	if k.row == 0 {
		*k = keySlot{a, b, uint32(row)}
		s.n++
	}
	return int(k.row)
}

// count returns how often the key came so far, this time included. A set
// either counts or adds.
func (s *keySet) count(h [16]byte) int {
	n := s.add(h, 0)
	k := s.find(binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint32(h[8:]))
	k.row = uint32(n + 1)
	return n + 1
}

// warm touches the slots where the keys of rows belong. Done for many rows
// at once, the misses of the cache overlap; add would wait for one after another.
func (s *keySet) warm(rows []Row) {
	if len(s.slots) == 0 {
		return
	}
	mask := uint64(len(s.slots) - 1)
	for i := range rows {
		s.seen += s.slots[binary.LittleEndian.Uint64(rows[i].Identity[:8])&mask].row
	}
}

// find gives a key's slot, or the empty one where it belongs.
func (s *keySet) find(a uint64, b uint32) *keySlot {
	mask := uint64(len(s.slots) - 1)
	for i := a & mask; ; i = (i + 1) & mask {
		if k := &s.slots[i]; k.row == 0 || k.a == a && k.b == b {
			return k
		}
	}
}
