package plan

import (
	"encoding/binary"
	"testing"
)

func TestKeySetKnowsFirstRows(t *testing.T) {
	var s keySet
	key := func(i int) (h [16]byte) {
		binary.LittleEndian.PutUint64(h[:8], uint64(i%7)) // collisions of the first half
		binary.LittleEndian.PutUint64(h[8:], uint64(i))
		return h
	}
	const n = 3000
	for i := range n {
		if got := s.add(key(i), i+2); got != i+2 {
			t.Fatalf("key %d is new, and was found in row %d", i, got)
		}
	}
	for i := range n {
		if got := s.add(key(i), n+i+2); got != i+2 {
			t.Fatalf("key %d came first in row %d, got %d", i, i+2, got)
		}
	}
}

func TestKeySetCounts(t *testing.T) {
	var s keySet
	key := func(i int) (h [16]byte) {
		binary.LittleEndian.PutUint64(h[:8], uint64(i%7)) // collisions of the first half
		binary.LittleEndian.PutUint64(h[8:], uint64(i))
		return h
	}
	const n = 3000
	for round := 1; round <= 3; round++ {
		for i := range n {
			if got := s.count(key(i)); got != round {
				t.Fatalf("key %d came %d times, want %d", i, got, round)
			}
		}
	}
}
