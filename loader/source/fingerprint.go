package source

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants with about half of their bits set; the first digits of the
// square roots of 2, 3, 5 and 7. They are part of what is stored on disk.
const (
	mix0 = 0x6a09e667f3bcc909
	mix1 = 0xbb67ae8584caa73b
	mix2 = 0x3c6ef372fe94f82b
	mix3 = 0xa54ff53a5f1d36f1
)

// Fingerprint is a 64-bit hash of the row's cells (kinds and texts), with which a
// second pass knows that it sees the row that the first pass saw. It is the
// same on every machine and in every version, so that it may be stored.
func (r *Row) Fingerprint() uint64 {
	h := uint64(mix0)
	for i := range r.Cells {
		c := &r.Cells[i]
		// Kind and length go first, so that text cannot move from one cell
		// to the next without being seen.
		h = fold(h^(uint64(len(c.Text))<<8|uint64(c.Kind)), mix1)
		s := c.Text
		for len(s) > 16 {
			h = fold(le64(s)^mix2, le64(s[8:])^h)
			s = s[16:]
		}
		var a, b uint64
		switch {
		case len(s) >= 8:
			a, b = le64(s), le64(s[len(s)-8:])
		case len(s) >= 4:
			a, b = uint64(le32(s)), uint64(le32(s[len(s)-4:]))
		case len(s) > 0:
			a = uint64(s[0])<<16 | uint64(s[len(s)/2])<<8 | uint64(s[len(s)-1])
		default:
			continue
		}
		h = fold(a^mix3, b^h)
	}
	return fold(h^uint64(len(r.Cells)), mix2)
}

// fold multiplies to 128 bits and adds the halves without carry, which spreads
// each bit of the factors over the whole result.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func le64(s string) uint64 {
	_ = s[7]
	return uint64(le32(s)) | uint64(le32(s[4:]))<<32
}

func le32(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func le64b(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
