package plan

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// Sources names the rows of a file by their cells and all by which these become values:
// the mapping, the header, the program and the zone data. It is safe for concurrent use.
type Sources struct{ by uint64 }

// NewSources returns what names the rows of a file as a mapping reads it.
func NewSources(m *mapping.Mapping, f *source.File) Sources {
	zones := converter.ZoneRelease()
	h := ledger.HashIdentity(m.Hash, strings.Join(f.Header(), "\x1f"), strings.Join(f.Positions(), " "), zones.String(), program())
	return Sources{binary.LittleEndian.Uint64(h[:])}
}

// of returns the Source of a row; never 0.
func (s Sources) of(fingerprint uint64, cells []converter.Cell) uint64 {
	for i := range cells {
		// A fingerprint has no number formats, by which dates and some numbers are read.
		if f := cells[i].Format; f != "" {
			fingerprint = spread(fingerprint^uint64(i), uint64(ledger.Print(f)))
		}
	}
	return max(spread(fingerprint, s.by), 1)
}

// ofCells is of for a row whose fingerprint is not at hand.
func (s Sources) ofCells(cells []converter.Cell) uint64 {
	row := source.Row{Cells: cells}
	return s.of(row.Fingerprint(), cells)
}

// spread mixes two numbers (splitmix64). Where only the first differs, so do the results.
func spread(n, by uint64) uint64 {
	n = (n ^ by) + bits.RotateLeft64(by, 32)
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// program names the version of the program and of all that it is built of. One that was
// built in the middle of somebody's work is its file.
var program = sync.OnceValue(func() string {
	words := ""
	info, ok := debug.ReadBuildInfo()
	if ok {
		words = info.String()
	}
	if !ok || info.Main.Version == "(devel)" || strings.HasSuffix(info.Main.Version, "+dirty") {
		if path, err := os.Executable(); err == nil {
			if file, err := os.Stat(path); err == nil {
				words += fmt.Sprint(file.Size(), file.ModTime().UnixNano())
			}
		}
	}
	return words
})
