package plan

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// likeKeys are n keys whose hashes differ as little as those of two keys can:
// by one of the bits that a set keeps. All begin in a few places.
func likeKeys(n int) [][16]byte {
	out := make([][16]byte, n)
	for i := range out {
		h := &out[i]
		binary.LittleEndian.PutUint16(h[:], uint16(i%3))
		binary.LittleEndian.PutUint32(h[4:], uint32(i%7))
		binary.LittleEndian.PutUint32(h[8:], uint32(i/21))
	}
	return out
}

// randomKeys are n keys with hashes as they are.
func randomKeys(n int) [][16]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][16]byte, n)
	for i := range out {
		binary.LittleEndian.PutUint64(out[i][:8], r.Uint64())
		binary.LittleEndian.PutUint64(out[i][8:], r.Uint64())
	}
	return out
}

func TestKeySetKnowsFirstRows(t *testing.T) {
	for name, keys := range map[string][][16]byte{"alike": likeKeys(3000), "random": randomKeys(200_000)} {
		t.Run(name, func(t *testing.T) {
			var s keySet
			for i, k := range keys {
				if got := s.add(k, i+2); got != i+2 {
					t.Fatalf("key %d is new, and was found in row %d", i, got)
				}
			}
			for i, k := range keys {
				if got := s.add(k, len(keys)+i+2); got != i+2 {
					t.Fatalf("key %d came first in row %d, got %d", i, i+2, got)
				}
			}
		})
	}
}

func TestKeySetCounts(t *testing.T) {
	var s keySet
	keys := likeKeys(3000)
	for round := 1; round <= 3; round++ {
		for i, k := range keys {
			if got := s.count(k); got != round {
				t.Fatalf("key %d came %d times, want %d", i, got, round)
			}
		}
	}
}

// TestKeySetIsSmall says that a key takes no more than 24 bytes, and that no
// growing needs a second copy of what is there.
func TestKeySetIsSmall(t *testing.T) {
	var s keySet
	keys := randomKeys(400_000)
	most := 0
	for i, k := range keys {
		before := len(s.parts)
		s.add(k, i+2)
		if before == 0 {
			continue
		}
		most = max(most, len(s.parts[partOf(&k)].slots))
	}
	slots := 0
	for i := range s.parts {
		slots += len(s.parts[i].slots)
	}
	if bytes := 12 * slots / len(keys); bytes > 24 {
		t.Errorf("a key takes %d bytes, want at most 24", bytes)
	}
	if 100*most > slots {
		t.Errorf("the largest part has %d of %d slots: growing it copies too much at once", most, slots)
	}
}
