package plan

import "encoding/binary"

// keySet remembers in which row each key came first. Every row of a file goes
// through it, and a miss of the cache is what it costs. It is many small
// open-addressing tables: one that is full grows alone, so that there is never
// a second copy of the whole. The hashes are as good as random already.
type keySet struct {
	parts []keyPart
	n     int
	seen  uint32 // of no meaning; it makes warm's reading count as work
}

// keyParts is how many tables there are, and leastSlots the size of the smallest
// first one. Their sizes differ by up to a half, the step by which they grow:
// so they grow one after another, and all are equally full at no time.
const keyParts, leastSlots = 1 << 12, 24

// slotsOfPage is how many slots lie in a page of memory.
const slotsOfPage = 4096 / 12

// keyPart is the table of the keys whose hashes begin alike.
type keyPart struct {
	slots []keySlot
	n     int
}

// keySlot holds 64 bits of a key's hash; its part stands for 12 more. Among a
// hundred million keys, the chance that any two are alike in these 76 bits is 1
// in 15 million.
type keySlot struct {
	a, b uint32
	row  uint32 // 0: empty
}

// add returns the row in which the key came first, which is row itself when it is new.
func (s *keySet) add(h [16]byte, row int) int { return int(s.slot(&h, uint32(row)).row) }

// count returns how often the key came so far, this time included. A set
// either counts or adds.
func (s *keySet) count(h [16]byte) int {
	k := s.slot(&h, 0)
	k.row++
	return int(k.row)
}

// slot returns a key's slot; a new key gets one, with row.
func (s *keySet) slot(h *[16]byte, row uint32) *keySlot {
	if s.parts == nil {
		s.parts = make([]keyPart, keyParts)
	}
	at := partOf(h)
	p := &s.parts[at]
	if 10*(p.n+1) > 7*len(p.slots) {
		p.grow(max(len(p.slots)+len(p.slots)/2, leastSlots+at*leastSlots/2/keyParts))
	}
	k := p.find(binary.LittleEndian.Uint32(h[4:]), binary.LittleEndian.Uint32(h[8:]))
	if k.row == 0 {
		*k = keySlot{binary.LittleEndian.Uint32(h[4:]), binary.LittleEndian.Uint32(h[8:]), row}
		p.n++
		s.n++
	}
	return k
}

// warm touches the slots where the keys of rows belong. Done for many rows
// at once, the misses of the cache overlap; add would wait for one after another.
func (s *keySet) warm(rows []Row) {
	if s.parts == nil {
		return
	}
	seen := uint32(0)
	for i := range rows {
		h := &rows[i].name
		if slots := s.parts[partOf(h)].slots; len(slots) > 0 {
			seen += slots[home(binary.LittleEndian.Uint32(h[4:]), len(slots))].row
		}
	}
	s.seen += seen
}

// partOf returns the place of the part that a hash belongs to.
func partOf(h *[16]byte) int { return int(binary.LittleEndian.Uint16(h[:]) % keyParts) }

// home returns the place among n slots where a hash belongs.
func home(a uint32, n int) int { return int(uint64(a) * uint64(n) >> 32) }

// grow gives the part a table of n slots.
func (p *keyPart) grow(n int) {
	old := p.slots
	p.slots = make([]keySlot, n)
	for i := 0; i < n; i += slotsOfPage {
		p.slots[i].row = 0 // the system gives a page that is first written at once, one that is read first twice
	}
	for _, k := range old {
		if k.row != 0 {
			*p.find(k.a, k.b) = k
		}
	}
}

// find returns a key's slot, or the empty one where it belongs.
func (p *keyPart) find(a, b uint32) *keySlot {
	for i := home(a, len(p.slots)); ; i++ {
		if i == len(p.slots) {
			i = 0
		}
		if k := &p.slots[i]; k.row == 0 || k.a == a && k.b == b {
			return k
		}
	}
}
