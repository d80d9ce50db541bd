// Package fault says what is wrong as data: a stable code, what happened, where,
// and what to do.
//
// Packages return a *Fault. They neither print nor exit. The command line asks
// once for the Trait of an error, which is the exit code, and once for its words:
//
//	f := fault.Of(err)
//	os.Exit(fault.TraitOf(err).Exit())
//
// The catalogue in this package holds every code of the program with one
// sentence, with what to do, and with its trait.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Fault is something wrong that ends a run, or makes a row of a file unusable.
type Fault struct {
	Code Code
	Msg  string // what happened: lower case, no full stop
	Hint string // what to do here, where it is more precise than the code's advice
	Place
	Ends Trait // how the run ends, where the code's trait is another: a row's fault in a mapping; Done is the code's
	Err  error
}

// Place is where a fault is. Every part may be missing.
type Place struct {
	File   string // as the user named it; "-" is standard input
	Sheet  string // XLSX
	Row    int    // as the spreadsheet counts; 0 is the whole file
	Line   int    // CSV: physical line; 0 is unknown
	Column string // the column's name, or its letter where it has no name
}

// String returns the place in words, such as `deals.csv, row 3 (line 4), column "Date"`.
func (p Place) String() string {
	var parts []string
	switch {
	case p.File == "-":
		parts = append(parts, "standard input")
	case p.File != "":
		parts = append(parts, p.File)
	}
	if p.Sheet != "" {
		parts = append(parts, "sheet "+strconv.Quote(p.Sheet))
	}
	switch {
	case p.Row > 0 && p.Line > 0 && p.Line != p.Row:
		parts = append(parts, fmt.Sprintf("row %d (line %d)", p.Row, p.Line))
	case p.Row > 0:
		parts = append(parts, fmt.Sprintf("row %d", p.Row))
	case p.Line > 0:
		parts = append(parts, fmt.Sprintf("line %d", p.Line))
	}
	if p.Column != "" {
		parts = append(parts, "column "+strconv.Quote(p.Column))
	}
	return strings.Join(parts, ", ")
}

// Error returns place, message and cause on one line, without the advice.
func (f *Fault) Error() string {
	s := f.Msg
	if at := f.Place.String(); at != "" {
		s = at + ": " + s
	}
	if f.Err != nil && !strings.Contains(f.Msg, f.Err.Error()) {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Fault returns f itself, so that Of finds it.
func (f *Fault) Fault() *Fault { return f }

// Advice returns what to do: the hint, or what the catalogue says of the code.
func (f *Fault) Advice() string {
	if f.Hint != "" {
		return f.Hint
	}
	return f.Code.Advice()
}

// New returns a Fault. An empty hint leaves the advice to the catalogue.
func New(code Code, hint, format string, args ...any) *Fault {
	return &Fault{Code: code, Hint: hint, Msg: fmt.Sprintf(format, args...)}
}

// Of returns the first fault in err, or nil. An error of another type can be one
// by a method Fault.
func Of(err error) *Fault {
	var f interface{ Fault() *Fault }
	if errors.As(err, &f) {
		return f.Fault()
	}
	return nil
}

// TraitOf returns how a run that ended with err has ended.
func TraitOf(err error) Trait {
	if err == nil {
		return Done
	}
	// A fault that an interruption has caused is the interruption.
	if f := Of(err); f != nil && !errors.Is(f, context.Canceled) {
		if f.Ends != Done {
			return f.Ends
		}
		return f.Code.Trait()
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	return Bug
}

// Words takes the end of a run apart: its code, what happened, what to do.
func Words(err error) (code Code, msg, advice string) {
	switch t := TraitOf(err); {
	case t == Interrupted:
		return codeInterrupted, "interrupted", codeInterrupted.Advice()
	case Of(err) != nil:
		f := Of(err)
		return f.Code, err.Error(), f.Advice()
	}
	return codeProgram, err.Error(), "this looks like an error in leadload; please report it with the command that you typed"
}

// RunAgain is the advice for most ends of trait Stopped.
const RunAgain = "run the same command again later: rows already loaded are not sent twice"

// Pathless returns what the system said without the paths that it put into it. The
// message of a Fault names the file already.
func Pathless(err error) error {
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

// Plural writes a number with its noun.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
