package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"leadload/internal/fault"
)

// numbered matches the endings that are put behind names of inputs.
var numbered = regexp.MustCompile(`(?i)-(results|check|verify|adopt|undo)(-[0-9]+)?$`)

// dated matches what a name by date puts before such an ending.
var dated = regexp.MustCompile(`-[0-9]{4}-[0-9]{2}-[0-9]{2}(-[0-9]{4})?$`)

// PathFor gives where the results of input go, before anything is sent. With
// out "" that is <input>-results.xlsx beside the input; in the current folder
// for "-", standard input, and "", no input. An out that is a folder, or ends
// in a slash, puts that name inside it; any other out is the file itself, and
// "-" stays "-", standard output. suffix "" stands for "-results".
//
// The folder must be there and take new files: that is tried, because a run
// that cannot leave its results should not begin. The error is an *Error.
func PathFor(input, out, suffix string) (string, error) {
	if out == "-" {
		return out, nil
	}
	if suffix == "" {
		suffix = "-results"
	}
	folder, name := "", ""
	switch {
	case out == "":
		if input != "-" {
			folder = filepath.Dir(input)
		}
		name = nameFor(input, suffix)
	case endsInSlash(out) || isFolder(out):
		folder, name = out, nameFor(input, suffix)
	default:
		if !isCSV(out) && !isXLSX(out) {
			return "", endingError(out)
		}
		folder, name = filepath.Split(out)
	}
	path := filepath.Join(folder, name)
	if folder == "" {
		folder = "."
	}
	return path, checkFolder(path, folder)
}

// nameFor is the name of the results file for an input: deals.csv.gz gives
// deals-results.xlsx, and so does deals-results-2.xlsx, which is our own.
func nameFor(input, suffix string) string {
	base := "leadload"
	switch input {
	case "":
	case "-":
		base = "stdin"
	default:
		base = filepath.Base(input)
		if strings.EqualFold(filepath.Ext(base), ".gz") {
			base = base[:len(base)-len(".gz")]
		}
		base = strings.TrimSuffix(base, filepath.Ext(base))
		if numbered.MatchString(base) {
			base = dated.ReplaceAllString(numbered.ReplaceAllString(base, ""), "")
		}
		if base == "" {
			base = "leadload"
		}
	}
	return FitName(base, suffix+".xlsx")
}

// longestName is how long a name may be on the file systems that are in use, in bytes,
// less the number that is put behind it where it is taken.
const longestName = 255 - len("-9999")

// FitName returns base + ending, with base cut so that a file can have the name.
func FitName(base, ending string) string {
	for len(base)+len(ending) > longestName && base != "" {
		_, size := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-size]
	}
	return base + ending
}

// IsResults reports whether a name is one that a results file gets: a folder
// may hold them beside inputs.
func IsResults(name string) bool {
	return (isXLSX(name) || isCSV(name)) && numbered.MatchString(strings.TrimSuffix(name, filepath.Ext(name)))
}

func endsInSlash(s string) bool { return s != "" && os.IsPathSeparator(s[len(s)-1]) }

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func endingError(path string) error {
	return &Error{Code: "results.ending", Place: resultsFile(path), Msg: fmt.Sprintf("its ending is %q, which is neither .xlsx nor .csv", filepath.Ext(path)),
		Hint: "name a file that ends in .xlsx or .csv, or a folder that is there, with --out"}
}

// checkFolder tries whether a file can be made in the folder.
func checkFolder(path, folder string) error {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Code: "results.folder", Place: resultsFile(path), Msg: fmt.Sprintf("there is no folder %q", folder),
			Hint: "make the folder, or name another place with --out"}
	case err != nil:
		return &Error{Code: "results.folder", Place: resultsFile(path), Msg: fmt.Sprintf("the folder %q cannot be used", folder), Err: fault.Pathless(err),
			Hint: "check the path and your rights to it, or name another place with --out"}
	case !info.IsDir():
		return &Error{Code: "results.folder", Place: resultsFile(path), Msg: fmt.Sprintf("%q is not a folder", folder),
			Hint: "name another place with --out"}
	}
	// The name that is tried is as long as the one that is wanted.
	trial := workPrefix + "try-"
	if longer := len(filepath.Base(path)) - len(trial) - len("0123456789"); longer > 0 {
		trial += strings.Repeat("x", longer)
	}
	f, err := os.CreateTemp(folder, trial)
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return folderError(path, folder, err)
	}
	return nil
}

// folderError explains why a folder takes no new file.
func folderError(path, folder string, err error) error {
	if diskFull(err) {
		return &Error{Code: "results.full", Place: resultsFile(path), Msg: fmt.Sprintf("there is no space left for it in the folder %q", folder),
			Hint: "free some space, or name another place with --out"}
	}
	return &Error{Code: "results.folder", Place: resultsFile(path), Msg: fmt.Sprintf("no file can be made in the folder %q", folder), Err: fault.Pathless(err),
		Hint: "check your rights to the folder, or name another place with --out"}
}
