// Package fault is how the program says that something is wrong which is no
// row's fault: as data with a stable code, what happened and what to do.
//
// Packages return an *Error and neither print nor exit; the command line turns
// its Kind into an exit code.
package fault

import "fmt"

// Kind says what sort of end an Error is.
type Kind uint8

// The kinds of Error.
const (
	Usage   Kind = iota + 1 // wrong usage, mapping, file or settings; nothing was sent
	Stopped                 // stopped early; running the same command later goes on
	Busy                    // another run holds the account
	Broken                  // an error inside the program or of this machine
)

// Error is an end of a run that is no row's fault.
type Error struct {
	Kind Kind
	Code string // stable, such as "account.busy"
	Msg  string // what happened: lower case, no full stop
	Hint string // what to do about it
	Err  error
}

// Error returns what happened, without the hint.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Misuse returns an Error of kind Usage.
func Misuse(code, hint, format string, args ...any) *Error {
	return &Error{Kind: Usage, Code: code, Hint: hint, Msg: fmt.Sprintf(format, args...)}
}

// Stop returns an Error of kind Stopped.
func Stop(code, hint, format string, args ...any) *Error {
	return &Error{Kind: Stopped, Code: code, Hint: hint, Msg: fmt.Sprintf(format, args...)}
}

// RunAgain is what to do about most ends of kind Stopped.
const RunAgain = "run the same command again later: rows already loaded are not sent twice"

// Plural writes a number with its noun.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
