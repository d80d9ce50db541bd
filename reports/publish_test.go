package reports

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"leadload/loader/ledger"
)

// TestNeverOverwrites: whatever is there under the name stays as it is.
func TestNeverOverwrites(t *testing.T) {
	for _, ext := range []string{".xlsx", ".csv"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "deals-results"+ext)
		if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(dir, "deals-results-3"+ext), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"deals-results-2", "deals-results-4", "deals-results-5"} {
			name, err := every().write(context.Background(), path)
			if err != nil || filepath.Base(name) != want+ext {
				t.Errorf("%q, %v; want %s", name, err, want+ext)
			}
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
			t.Errorf("the first file holds %q, %v", b, err)
		}
	}
}

// TestDanglingLink: a name that leads nowhere is a name that is taken.
func TestDanglingLink(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.csv")
	target := filepath.Join(dir, "elsewhere")
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
	name, err := every().write(context.Background(), path)
	if err != nil || filepath.Base(name) != "r-2.csv" {
		t.Errorf("%q, %v", name, err)
	}
	if _, err := os.Lstat(target); err == nil {
		t.Error("the file was written through the link")
	}
}

// TestAtOnce: reports that are written at the same moment get a name each,
// and nothing else is left.
func TestAtOnce(t *testing.T) {
	dir := t.TempDir()
	const n = 6
	names := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			name, err := every().write(context.Background(), filepath.Join(dir, "r.csv"))
			if err != nil {
				t.Error(err)
			}
			names[i] = name
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			t.Errorf("%s was given twice", name)
		}
		seen[name] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != n {
		t.Errorf("%d files, %v; want %d", len(entries), err, n)
	}
}

func TestMissingFolder(t *testing.T) {
	var own *Error
	_, err := every().write(context.Background(), filepath.Join(t.TempDir(), "gone", "r.xlsx"))
	if !errors.As(err, &own) || own.Code != "results.folder" || !strings.Contains(own.Msg, "there is no folder") {
		t.Errorf("%v", err)
	}
	_, err = every().write(context.Background(), filepath.Join(t.TempDir(), "r.ods"))
	if !errors.As(err, &own) || own.Code != "results.ending" {
		t.Errorf("%v", err)
	}
}

// TestSweep: a folder left by a dead process goes, that of a living one and
// one just made stay.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	make := func(name string, age time.Time) string {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "results"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, age, age); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dead := make(workPrefix+"dead", old)
	unlocked := make(workPrefix+"unlocked", old)
	if err := os.WriteFile(filepath.Join(unlocked, lockName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	young := make(workPrefix+"young", time.Now())
	foreign := make("leadload-report-mine", old)
	living, err := newWorkshop(dir)
	if err != nil {
		t.Fatal(err)
	}
	trial := filepath.Join(dir, workPrefix+"try-1")
	if err := os.WriteFile(trial, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(trial, old, old); err != nil {
		t.Fatal(err)
	}
	sweep(dir)
	for path, want := range map[string]bool{dead: false, unlocked: false, young: true, foreign: true, living.dir: true, trial: false} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(path), err == nil, want)
		}
	}
	if err := living.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(living.dir); err == nil {
		t.Error("the workshop is still there")
	}
}

// TestLockHolds: the lock of a workshop keeps others out, or sweeping would
// remove the file of a report that is being written.
func TestLockHolds(t *testing.T) {
	w, err := newWorkshop(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.remove()
	other := flock.New(filepath.Join(w.dir, lockName))
	defer other.Close()
	if ok, err := other.TryLock(); err != nil || ok {
		t.Errorf("a second lock: %v, %v", ok, err)
	}
}

// TestFullDisk writes to the device that is always full.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /dev/full")
	}
	for _, kind := range []string{"xlsx", "csv"} {
		full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
		if err != nil {
			t.Skip(err)
		}
		l, in := deals(3000)
		j := jobOf(l, in)
		if kind == "csv" {
			err = j.saveCSV(context.Background(), full)
		} else {
			err = j.saveBook(context.Background(), t.TempDir(), full)
		}
		full.Close()
		var own *Error
		if err = j.asError("deals-results."+kind, err, j.need(0, j.done)); !errors.As(err, &own) || own.Code != "results.full" {
			t.Fatalf("%s: %v, want results.full", kind, err)
		}
		for _, want := range []string{"MB are needed", "leadload report 12", "nothing is lost"} {
			if !strings.Contains(own.Hint, want) {
				t.Errorf("%s: the hint %q does not say %q", kind, own.Hint, want)
			}
		}
	}
}

func TestNeed(t *testing.T) {
	l, in := deals(1)
	j := jobOf(l, in)
	j.Totals = ledger.Counts{ledger.ResultLoaded: 100_000}
	for _, c := range []struct {
		name       string
		size, done int64
		from, to   int64
	}{
		{"nothing known yet", 0, 0, 50 << 20, 150 << 20},
		{"from what is there", 40 << 20, 50_000, 90 << 20, 110 << 20},
	} {
		if n := j.need(c.size, c.done); n < c.from || n > c.to {
			t.Errorf("%s: %s", c.name, megabytes(n))
		}
	}
}

const killVariable = "LEADLOAD_TEST_KILL"

// killRows is how many rows the process that is killed writes.
const killRows = 700

// TestKilled kills a process with SIGKILL while it writes a workbook, at a
// random row and at a random byte of the file: there is the old file and the
// whole new one or none, and the next report clears away what was left.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killVariable); dir != "" {
		l, in := deals(killRows)
		j := jobOf(l, in)
		j.rows = fakeLedger{n: killRows, row: func(i int) ledger.Row {
			os.Stdout.WriteString("*") // the parent counts them
			return outcome(i)
		}}
		if _, err := j.write(context.Background(), filepath.Join(dir, "r.xlsx")); err != nil {
			t.Fatal(err)
		}
		return
	}
	var size int64
	child := func(name string, kill func(dir string, rows *bufio.Reader)) (whole bool) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "r.xlsx"), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), killVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill(dir, bufio.NewReader(out))
		cmd.Process.Kill()
		cmd.Wait() // says that it was killed

		if b, err := os.ReadFile(filepath.Join(dir, "r.xlsx")); err != nil || string(b) != "old" {
			t.Fatalf("%s: the old file holds %d bytes, %v", name, len(b), err)
		}
		path := filepath.Join(dir, "r-2.xlsx")
		if info, err := os.Lstat(path); err == nil {
			whole, size = true, info.Size()
			if rows := rowsOf(t, path, "All rows"); len(rows) != killRows+1 {
				t.Fatalf("%s: the new file has %d rows", name, len(rows))
			}
		}
		left := leftovers(t, dir)
		if _, err := every().write(context.Background(), filepath.Join(dir, "next.csv")); err != nil {
			t.Fatal(err)
		}
		if now := leftovers(t, dir); len(now) > 0 {
			t.Errorf("%s: of %q there is still %q", name, left, now)
		}
		return whole
	}
	if !child("not killed", func(_ string, rows *bufio.Reader) { io.Copy(io.Discard, rows) }) {
		t.Fatal("a process that nobody kills leaves no file")
	}
	for range 2 {
		n := 1 + rand.IntN(killRows-1)
		name := fmt.Sprintf("killed after row %d", n)
		if child(name, func(_ string, rows *bufio.Reader) {
			for range n {
				if _, err := rows.ReadByte(); err != nil {
					t.Fatal(err)
				}
			}
		}) {
			t.Errorf("%s, it had written a file", name)
		}
	}
	for range 3 {
		n := rand.Int64N(size)
		name := fmt.Sprintf("killed after byte %d of %d", n, size)
		child(name, func(dir string, rows *bufio.Reader) {
			io.CopyN(io.Discard, rows, killRows)
			for {
				for _, w := range leftovers(t, dir) {
					if info, err := os.Stat(filepath.Join(dir, w, "results")); err == nil && info.Size() > n {
						return
					}
				}
				if _, err := os.Stat(filepath.Join(dir, "r-2.xlsx")); err == nil {
					return
				}
				runtime.Gosched()
			}
		})
	}
}

// leftovers are the work folders in a folder.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), workPrefix) {
			out = append(out, e.Name())
		}
	}
	return out
}
