package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/loader/source"
)

// Only the bytes that were loaded are moved to done/; whatever came in their place stays for the next run.
func TestOnlyTheBytesThatWereReadAreMoved(t *testing.T) {
	const first, second = "Deal,Name\nD1,A\n", "Deal,Name\nD2,B\n"
	for _, c := range []struct {
		name    string
		change  func(t *testing.T, path string)
		changed bool
	}{
		{"left alone", func(*testing.T, string) {}, false},
		{"replaced by rename", func(t *testing.T, path string) {
			write(t, path+".new", second)
			must(t, os.Rename(path+".new", path))
		}, true},
		{"replaced by one of the same time", func(t *testing.T, path string) {
			info, err := os.Stat(path)
			must(t, err)
			write(t, path+".new", second)
			must(t, os.Chtimes(path+".new", info.ModTime(), info.ModTime()))
			must(t, os.Rename(path+".new", path))
		}, true},
		{"appended to", func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteString("D3,C\n")
			must(t, errors.Join(err, f.Close()))
		}, true},
		{"written anew, as long", func(t *testing.T, path string) {
			write(t, path, second)
			must(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
		}, true},
		{"deleted", func(t *testing.T, path string) { must(t, os.Remove(path)) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "deals.csv")
			write(t, path, first)
			must(t, os.Mkdir(filepath.Join(dir, doneFolder), 0o700))
			f, err := source.Open(path, source.Options{})
			must(t, err)
			c.change(t, path)
			before, _ := os.ReadFile(path)
			err = (&input{name: path, drop: true, file: f}).finished()
			if errors.Is(err, errChanged) != c.changed || !c.changed && err != nil {
				t.Fatalf("finished: %v", err)
			}
			moved, _ := os.ReadFile(filepath.Join(dir, doneFolder, "deals.csv"))
			left, _ := os.ReadFile(path)
			switch {
			case !c.changed && (string(moved) != first || left != nil):
				t.Errorf("moved %q, left %q", moved, left)
			case c.changed && (moved != nil || string(left) != string(before)):
				t.Errorf("moved %q, left %q of %q", moved, left, before)
			}
		})
	}
}

func TestNamesInDoneAreFree(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, doneFolder), 0o700))
	long := strings.Repeat("ä", 125) + "x.csv" // 255 bytes
	for range 3 {
		path := filepath.Join(dir, long)
		write(t, path, "Deal\nD1\n")
		f, err := source.Open(path, source.Options{})
		must(t, err)
		must(t, (&input{name: path, drop: true, file: f}).finished())
	}
	if files, err := os.ReadDir(filepath.Join(dir, doneFolder)); err != nil || len(files) != 3 {
		t.Errorf("%d files in done, %v", len(files), err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
