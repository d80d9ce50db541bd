package loader

import "fmt"

// Kind says what sort of end an Error is; the command line turns it into an exit code.
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

// Error gives what happened, without the hint.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func usage(code, hint, format string, args ...any) *Error {
	return &Error{Kind: Usage, Code: code, Hint: hint, Msg: fmt.Sprintf(format, args...)}
}

func stopped(code, hint, format string, args ...any) *Error {
	return &Error{Kind: Stopped, Code: code, Hint: hint, Msg: fmt.Sprintf(format, args...)}
}

const runAgain = "run the same command again later: rows already loaded are not sent twice"
