package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/source"
	"leadload/reports"
)

// doneFolder is where files of a folder go when they are finished.
const doneFolder = "done"

// input is one file to load.
type input struct {
	name string // as the user named it; - is standard input
	drop bool   // it lies in a folder that was named, and is moved when it is finished
	file *source.File
}

// out returns where the results of an input go: those of a folder's files go to
// done/, beside the file itself. Results of a practice account go to the current
// folder: beside the real file they would look like those of a real load.
func (in *input) out(c *common) string {
	switch {
	case c.out != "":
		return c.out
	case in.drop:
		return filepath.Join(filepath.Dir(in.name), doneFolder) + string(filepath.Separator)
	case c.sandbox:
		return "." + string(filepath.Separator)
	}
	return ""
}

// finished moves a file of a folder to done/, under a new name where one of its name is there.
func (in *input) finished() error {
	if in.file != nil {
		in.file.Close() // Windows moves no open file
	}
	dir := filepath.Join(filepath.Dir(in.name), doneFolder)
	base := filepath.Base(in.name)
	ext := filepath.Ext(base)
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(base, ext), n, ext)
		}
		to := filepath.Join(dir, name)
		if _, err := os.Lstat(to); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return os.Rename(in.name, to)
	}
}

// loadable reports whether a file of a folder is an input.
func loadable(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || reports.IsResults(name) {
		return false
	}
	for _, ext := range []string{".csv", ".xlsx", ".xlsm", ".tsv", ".csv.gz", ".tsv.gz"} {
		if strings.HasSuffix(lower, ext) {
			return true
		}
	}
	return false
}

// expandInputs turns what was typed into files: patterns that the shell left
// alone, and folders. A file of a folder that was changed less than age ago is
// left for the next time, for it may still be being written.
func expandInputs(args []string, age time.Duration, say func(string, ...any)) ([]input, error) {
	var out []input
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case arg == "-":
			out = append(out, input{name: arg})
		case err == nil && info.IsDir():
			files, err := folderInputs(arg, age, say)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		case err != nil && strings.ContainsAny(arg, "*?["):
			matches, gerr := filepath.Glob(arg)
			if gerr != nil {
				return nil, usageError("put a name with [ into quotes, or correct the pattern", "%q is not a pattern of file names", arg)
			}
			matches = slices.DeleteFunc(matches, func(m string) bool { return reports.IsResults(m) })
			if len(matches) == 0 {
				return nil, usageError("check the pattern and the folder", "no file matches %q", arg)
			}
			for _, m := range matches {
				out = append(out, input{name: m})
			}
		default:
			out = append(out, input{name: arg}) // a file that is missing is told when it is opened
		}
	}
	if n := slices.IndexFunc(out, func(in input) bool { return in.name == "-" }); n >= 0 && len(out) > 1 {
		return nil, usageError("load standard input by itself", "- and other files cannot be loaded in one command")
	}
	return out, nil
}

func folderInputs(dir string, age time.Duration, say func(string, ...any)) ([]input, error) {
	entries, err := os.ReadDir(dir) // sorted by name, so that files come in the same order every time
	if err != nil {
		return nil, usageError("check your rights to the folder", "folder %q cannot be read: %s", dir, fault.Pathless(err))
	}
	var out []input
	for _, e := range entries {
		if e.IsDir() || !loadable(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // gone since
		}
		if since := time.Since(info.ModTime()); since < age {
			say("%s was changed %d s ago and is left for the next time", filepath.Join(dir, e.Name()), int(max(since, 0)/time.Second))
			continue
		}
		out = append(out, input{name: filepath.Join(dir, e.Name()), drop: true})
	}
	if len(out) > 0 {
		if err := os.MkdirAll(filepath.Join(dir, doneFolder), 0o700); err != nil {
			return nil, usageError("give yourself write access to the folder", "the folder %q cannot be made: %s", filepath.Join(dir, doneFolder), fault.Pathless(err))
		}
	}
	return out, nil
}
