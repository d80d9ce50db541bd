package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var builds = flag.Bool("builds", false, "build archives of this commit twice, in two clones, and compare them (about a minute)")

var when = time.Date(2026, 11, 28, 12, 30, 42, 0, time.UTC)

func sampleFiles() []file {
	return []file{
		{name: "leadload", text: []byte("program"), executable: true},
		{name: "leadload.1", text: []byte(".TH LEADLOAD")},
		{name: "samples/a.csv", text: []byte("a,b\n")},
	}
}

// The same files make the same bytes, whatever their order and the time zone.
func TestArchivesAreTheSame(t *testing.T) {
	turned := sampleFiles()
	slices.Reverse(turned)
	for name, pack := range map[string]func(string, []file, time.Time) ([]byte, error){"tar.gz": tarred, "zip": zipped} {
		a, err := pack("leadload-v1", sampleFiles(), when)
		if err != nil {
			t.Fatal(err)
		}
		b, err := pack("leadload-v1", turned, when.In(time.FixedZone("IST", 19800)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s: two archives of the same files differ", name)
		}
		other := sampleFiles()
		other[1].text = []byte(".TH LEADLOAD 1")
		c, err := pack("leadload-v1", other, when)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(a, c) {
			t.Errorf("%s: archives of other files are equal", name)
		}
	}
}

func TestArchivesHoldTheFiles(t *testing.T) {
	want := "leadload-v1/leadload -rwxr-xr-x program\nleadload-v1/leadload.1 -rw-r--r-- .TH LEADLOAD\nleadload-v1/samples/a.csv -rw-r--r-- a,b\n\n"
	text, err := tarred("leadload-v1", sampleFiles(), when)
	if err != nil {
		t.Fatal(err)
	}
	if got := untar(t, text); got != want {
		t.Errorf("tar.gz holds\n%s", got)
	}
	text, err = zipped("leadload-v1", sampleFiles(), when)
	if err != nil {
		t.Fatal(err)
	}
	zr, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got += f.Name + " " + f.Mode().String() + " " + string(body) + "\n"
		if !f.Modified.Equal(when) {
			t.Errorf("%s has the time %s", f.Name, f.Modified)
		}
	}
	if got != want {
		t.Errorf("zip holds\n%s", got)
	}
}

func untar(t *testing.T, text []byte) string {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(when) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s says %s, %d, %d, %q of the machine", h.Name, h.ModTime, h.Uid, h.Gid, h.Uname)
		}
		b.WriteString(h.Name + " " + h.FileInfo().Mode().String() + " " + string(body) + "\n")
	}
}

func TestUnknownPlatform(t *testing.T) {
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"-o", t.TempDir(), "-only", "plan9/386"}, io.Discard, &errs); code != 2 || !strings.Contains(errs.String(), "linux/arm64") {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}

// TestBuildsAreTheSame builds in two clones, in folders of different names, and
// finds the same bytes. It also looks into an archive.
func TestBuildsAreTheSame(t *testing.T) {
	if !*builds {
		t.Skip("-builds is not set")
	}
	list := []string{runtime.GOOS + "/" + runtime.GOARCH} // one will do: the others take minutes more
	var outs []string
	for _, name := range []string{"one", "another-name"} {
		dir := filepath.Join(t.TempDir(), name)
		if text, err := exec.CommandContext(t.Context(), "git", "clone", "-q", "../..", dir).CombinedOutput(); err != nil {
			t.Fatalf("git clone: %v\n%s", err, text)
		}
		out := t.TempDir()
		b := &builder{source: dir}
		if err := b.build(t.Context(), out, list, io.Discard); err != nil {
			t.Fatal(err)
		}
		outs = append(outs, out)
	}
	entries, err := os.ReadDir(outs[0])
	if err != nil || len(entries) != len(list)+1 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		a, err := os.ReadFile(filepath.Join(outs[0], e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(outs[1], e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs between two builds", e.Name())
		}
		if strings.HasSuffix(e.Name(), ".tar.gz") {
			held := names(t, a)
			for _, want := range []string{"leadload", "leadload.1", "completions/leadload.zsh", "samples/opportunities/deals.csv"} {
				if !slices.Contains(held, want) {
					t.Errorf("%s lacks %s: %q", e.Name(), want, held)
				}
			}
		}
	}
}

// names returns the names in an archive, without its folder.
func names(t *testing.T, text []byte) []string {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		out = append(out, name)
	}
}
