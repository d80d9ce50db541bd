package cli

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptNoKeys looks for the account's keys in every file that the runs wrote,
// also inside workbooks, and in what the last one printed.
func scriptNoKeys(ts *testscript.TestScript, _ bool, _ []string) {
	access, secret, async := practice(ts).Keys()
	keys := map[string]string{"access key": access, "secret key": secret, "async key": async}
	looked := 0
	look := func(where string, text []byte) {
		looked++
		for name, key := range keys {
			if key == "" {
				ts.Fatalf("there is no %s to look for", name)
			}
			if bytes.Contains(text, []byte(key)) || bytes.Contains(text, []byte(strings.ReplaceAll(key, "$", "%24"))) {
				ts.Fatalf("%s holds the %s", where, name)
			}
		}
	}
	look("stdout", []byte(ts.ReadFile("stdout")))
	look("stderr", []byte(ts.ReadFile("stderr")))
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		look(path, text)
		if z, err := zip.NewReader(bytes.NewReader(text), int64(len(text))); err == nil {
			for _, f := range z.File {
				r, err := f.Open()
				if err != nil {
					return err
				}
				inner, err := io.ReadAll(r)
				if err != nil {
					return err
				}
				look(path+": "+f.Name, inner)
			}
		}
		return nil
	}))
	if looked < 4 {
		ts.Fatalf("only %d places were looked at", looked)
	}
}

// scriptPrivate checks that nobody else can read the files named.
func scriptPrivate(ts *testscript.TestScript, _ bool, args []string) {
	for _, pattern := range args {
		files, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if len(files) == 0 {
			ts.Fatalf("no file %s", pattern)
		}
		for _, f := range files {
			st, err := os.Stat(f)
			ts.Check(err)
			if os.PathSeparator == '/' && st.Mode().Perm() != 0o600 {
				ts.Fatalf("%s has mode %o", f, st.Mode().Perm())
			}
		}
	}
}
