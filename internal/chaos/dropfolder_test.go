package chaos

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestChaosDropFolder loads a folder under attack, whose files are replaced and grow
// while they are loaded: what is in the last state of each must be in the account, what
// was replaced may be.
func TestChaosDropFolder(t *testing.T) {
	day, list := form(shortStorm, 1)
	var all []one[attacked]
	for _, seed := range list {
		all = append(all, one[attacked]{fmt.Sprint(seed), func(t *testing.T) attacked { return dropped(t, seed, day) }})
	}
	storms(t, all)
}

// dropFiles is into how many files the rows go.
const dropFiles = 6

// dropped loads a folder under attack.
func dropped(t *testing.T, seed uint64, day storm) attacked {
	r := rand.New(rand.NewPCG(seed, 46))
	// Half of the rows are there from the beginning, the others come meanwhile.
	all := shapes[0].make(day.rows, r)
	g := besiege(t, seed, shapes[0], day, r, all)
	defer g.account.Close()
	inbox := filepath.Join(g.dir, "inbox")
	check(t, os.Mkdir(inbox, 0o700))
	g.args = append([]string{"import", "inbox", "--drop-age", "0s"}, g.args...)
	name := func(i int) string { return filepath.Join(inbox, fmt.Sprintf("part%d.csv", i)) }
	files := make([][]row, dropFiles)
	fresh := all[:len(all)/2]
	more := all[len(all)/2:]
	for i := range files {
		files[i] = fresh[i*len(fresh)/dropFiles : (i+1)*len(fresh)/dropFiles : (i+1)*len(fresh)/dropFiles]
		check(t, writeCSV(name(i), g.header, files[i]))
	}
	var must, may []row
	var loaded []row // of files that were moved away whole
	mr := rand.New(rand.NewPCG(seed, 47))
	g.storm(seed, func(stop chan struct{}) {
		for {
			select {
			case <-stop:
				return
			case <-time.After(g.day.pace / 8):
			}
			n := min(len(more), g.day.rows/40)
			if n == 0 {
				continue
			}
			i := mr.IntN(dropFiles)
			some := more[:n]
			temporary := filepath.Join(g.dir, "next.csv")
			f, err := os.OpenFile(name(i), os.O_APPEND|os.O_WRONLY, 0)
			switch {
			case err != nil || mr.IntN(2) == 0: // it was moved away, or is replaced
				if err == nil {
					check(t, f.Close())
				}
				check(t, writeCSV(temporary, g.header, some))
				before, ferr := os.Stat(name(i))
				check(t, os.Rename(temporary, name(i)))
				if ferr != nil {
					loaded = append(loaded, files[i]...)
				} else {
					may = append(may, files[i]...)
				}
				g.event("files replaced", i, " ", before != nil)
				files[i] = slices.Clone(some)
			default:
				var b bytes.Buffer
				w := csv.NewWriter(&b)
				for _, row := range some {
					check(t, w.Write(row.cells))
				}
				w.Flush()
				_, err = f.Write(b.Bytes())
				own, oerr := f.Stat()
				check(t, errors.Join(err, oerr, f.Close()))
				if here, err := os.Stat(name(i)); err != nil || !os.SameFile(own, here) {
					may = append(may, some...) // it was moved away between the opening and the writing
				} else {
					g.event("files that grew", i)
					files[i] = append(files[i], some...)
				}
			}
			more = more[n:]
		}
	})
	must = loaded
	for _, rows := range files {
		must = append(must, rows...)
	}
	left, err := filepath.Glob(filepath.Join(inbox, "*.csv"))
	check(t, err)
	if len(left) > 0 {
		g.Errorf("files stay in the folder: %v", left)
	}
	// A file with all rows has nothing to send any more.
	check(t, writeCSV(filepath.Join(g.dir, "deals.csv"), g.header, must))
	sent := g.account.Count().Creates
	g.args = append([]string{"import", "deals.csv"}, g.args[4:]...)
	code, out := g.run()
	if n := g.account.Count().Creates - sent; n > 0 || code != 0 && code != 4 {
		g.got.losses += n
		g.Errorf("%d rows were left out of the folder's files: exit code %d\n%s", n, code, out)
	}
	g.got.rows = int64(len(must))
	g.judge(must, may)
	return *g.got
}
