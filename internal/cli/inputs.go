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

// absolute returns where a file is; "" for standard input.
func absolute(name string) string {
	if name == "-" {
		return ""
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return "" // without a current folder
	}
	return abs
}

// errChanged says that a file is no longer the one that was loaded.
var errChanged = errors.New("it was changed or replaced while it was being loaded")

// finished moves a file of a folder to done/, under a new name where one of its
// name is there. Only the bytes that were loaded are moved: a file that was
// changed or replaced meanwhile stays for the next time, and is errChanged.
func (in *input) finished() error {
	in.file.Close() // Windows moves no open file
	if !in.file.At(in.name) {
		return errChanged
	}
	to, err := in.doneName()
	if err != nil {
		return err
	}
	if err := os.Rename(in.name, to); err != nil {
		return err
	}
	if in.file.At(to) {
		return nil
	}
	// Changed between the look and the move: it goes back, unless the next one is there.
	if _, err := os.Lstat(in.name); errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errChanged, os.Rename(to, in.name))
	}
	return fmt.Errorf("%w; what it was is %s", errChanged, to)
}

// doneName is the first free name for a file in done/.
func (in *input) doneName() (string, error) {
	dir := filepath.Join(filepath.Dir(in.name), doneFolder)
	base := filepath.Base(in.name)
	ext := filepath.Ext(base)
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name = reports.FitName(strings.TrimSuffix(base, ext), fmt.Sprintf("-%d%s", n, ext))
		}
		to := filepath.Join(dir, name)
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return to, nil
		} else if err != nil {
			return "", err
		}
	}
}

// tooYoung reports whether a file may still be being written, or is gone, and says so.
func tooYoung(path string, age time.Duration, say func(string, ...any)) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) // gone since; what else is wrong is told when it is opened
	}
	since := time.Since(info.ModTime())
	if since < age {
		say("%s was changed %d s ago and is left for the next time", path, int(max(since, 0)/time.Second))
	}
	return since < age
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
		if e.Type()&fs.ModeSymlink != 0 {
			// Whoever may write into the folder could have anybody's file loaded and moved.
			say("%s is a link and is left alone: put the file itself into the folder", filepath.Join(dir, e.Name()))
			continue
		}
		if tooYoung(filepath.Join(dir, e.Name()), age, say) {
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
