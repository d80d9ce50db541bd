package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Error is a failure to make a results file.
type Error struct {
	Code string // stable, one of Codes
	Path string // the file as the user would name it; "" for a stream
	Msg  string // lower case, no full stop
	Hint string // what to do about it
	Err  error
}

// Error names the file and what is wrong with it, without the hint.
func (e *Error) Error() string {
	s := e.Msg
	if e.Path != "" {
		s = fmt.Sprintf("results file %q: %s", e.Path, e.Msg)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Codes are the codes that an Error of this package can have.
var Codes = []string{
	"results.ending",  // neither .xlsx nor .csv
	"results.folder",  // the folder is missing or cannot be written
	"results.full",    // no space left
	"results.write",   // the file cannot be written for another reason
	"results.rows",    // the lines are not the rows that the run counted
	"results.metrics", // the metrics file cannot be written
}

// bare takes the path out of a file error; the *Error has it already.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}
