package fault

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the name that was most likely meant by s, or "" when none is
// close enough. At most a third of the letters may differ.
func Nearest(s string, names []string) string {
	best, bestDistance := "", 0
	folded := Fold(s)
	for _, name := range names {
		d := distance(folded, Fold(name))
		if d > max(1, utf8.RuneCountInString(s)/3) {
			continue
		}
		if best == "" || d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// Fold makes names comparable: case, spaces, hyphens and underscores are what
// people get wrong without meaning another name.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '_', '-', '\u00a0', '.':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// distance returns the number of insertions, deletions, replacements and swaps of
// neighbours that turn a into b. Long texts are equal or far apart.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 80 || len(y) > 80 {
		if a == b {
			return 0
		}
		return 1 << 20
	}
	before := make([]int, len(y)+1)
	last := make([]int, len(y)+1)
	row := make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
