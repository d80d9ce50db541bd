package ledger

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func setOf(numbers ...int64) (s Set) {
	for _, n := range numbers {
		s.Add(n)
	}
	return s
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		name    string
		numbers []int64
		size    int // packed, at most
	}{
		{"nothing", nil, 0},
		{"one", []int64{1}, 2},
		{"the last of a word and the first of the next", []int64{63, 64}, 2},
		{"over the end of a page", []int64{setPage - 1, setPage, setPage + 1}, 3},
		{"far apart", []int64{5, 1 << 30}, 8},
		{"every second", []int64{2, 4, 6, 8}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setOf(c.numbers...)
			packed := s.Pack()
			back, err := UnpackSet(packed, 1<<30)
			if err != nil || len(packed) > c.size {
				t.Fatalf("%v, %d bytes", err, len(packed))
			}
			for _, s := range []Set{s, s.Clone(), back} {
				if got := slices.Collect(s.All()); !slices.Equal(got, c.numbers) || s.Len() != len(c.numbers) {
					t.Errorf("%v, %d numbers", got, s.Len())
				}
				for _, n := range c.numbers {
					if !s.Has(n) || s.Has(n+2) && !slices.Contains(c.numbers, n+2) {
						t.Errorf("%d is not in the set, or %d is", n, n+2)
					}
				}
			}
		})
	}
	all := Set{}
	for n := int64(1); n <= 1_000_000; n++ {
		all.Add(n)
	}
	if packed := all.Pack(); len(packed) > 8 || all.Len() != 1_000_000 {
		t.Errorf("a million in a row take %d bytes", len(packed))
	}
}

func FuzzUnpackSet(f *testing.F) {
	f.Add(setOf(1, 2, 9).Pack())
	f.Add([]byte{0})
	f.Add([]byte{0, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 20))
	f.Fuzz(func(t *testing.T, packed []byte) {
		s, err := UnpackSet(packed, 100_000)
		if err != nil {
			if !errors.Is(err, ErrSet) {
				t.Fatal(err)
			}
			return
		}
		again, err := UnpackSet(s.Pack(), 100_000)
		if err != nil || !slices.Equal(slices.Collect(again.All()), slices.Collect(s.All())) {
			t.Errorf("%v: %v", err, packed)
		}
	})
}

// TestSetRanges says that the ranges of a set have all its numbers, and begin and end with one.
func TestSetRanges(t *testing.T) {
	var s Set
	numbers := []int64{1, 2, 63, 64, 8191, 8192, 20000, 20001, 1 << 40}
	for _, n := range numbers {
		s.Add(n)
	}
	covered, before := 0, int64(0)
	for first, last := range s.Ranges() {
		if first <= before || last < first || last-first >= setPage || !s.Has(first) || !s.Has(last) {
			t.Errorf("a range from %d to %d behind %d", first, last, before)
		}
		for _, n := range numbers {
			if n >= first && n <= last {
				covered++
			}
		}
		before = last
	}
	if covered != len(numbers) {
		t.Errorf("%d of %d numbers are in ranges", covered, len(numbers))
	}
	for range Set(nil).Ranges() {
		t.Error("an empty set has a range")
	}
}
