package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
	"leadload/reports"
)

// The exit codes, as the README documents them.
const (
	exitOK          = 0   // every row is loaded, or was already
	exitBug         = 1   // an error inside the program
	exitUsage       = 2   // wrong usage, mapping or file; nothing was sent
	exitStopped     = 3   // stopped early; run again later
	exitPerson      = 4   // finished, some rows need a person
	exitBusy        = 5   // another run holds the account
	exitInterrupted = 130 // Ctrl-C
)

// exit is an end that has been told to the user already.
type exit struct{ code int }

func (e *exit) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func asExit(err error, target **exit) bool { return errors.As(err, target) }

// exitCode is the one place that turns an error into an exit code.
func exitCode(err error) int {
	var (
		own     *fault.Error
		fileErr *source.Error
		ledErr  *ledger.Error
		repErr  *reports.Error
		probs   mapping.Problems
		done    *exit
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &done):
		return done.code
	case errors.As(err, &own):
		switch own.Kind {
		case fault.Usage:
			return exitUsage
		case fault.Stopped:
			return exitStopped
		case fault.Busy:
			return exitBusy
		}
		return exitBug
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &probs), errors.As(err, &fileErr):
		return exitUsage
	case errors.As(err, &repErr):
		switch repErr.Code {
		case "results.ending", "results.folder":
			return exitUsage
		}
		return exitBug
	case errors.As(err, &ledErr):
		switch ledErr.Code {
		case "ledger.full", "ledger.write", "ledger.busy", "ledger.fenced":
			return exitStopped
		}
		return exitUsage
	}
	return exitBug
}

// worse gives the exit code that says more when several files were loaded.
func worse(a, b int) int {
	rank := map[int]int{exitOK: 0, exitPerson: 1, exitUsage: 2, exitStopped: 3, exitBusy: 4, exitBug: 5, exitInterrupted: 6}
	if rank[a] >= rank[b] {
		return a
	}
	return b
}

// usageError is a wrong call of the program.
func usageError(hint, format string, args ...any) error {
	return &fault.Error{Kind: fault.Usage, Code: "usage", Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// words takes an error apart: its stable code, what happened, what to do.
func words(err error) (code, msg, hint string) {
	var (
		own     *fault.Error
		fileErr *source.Error
		ledErr  *ledger.Error
		repErr  *reports.Error
		probs   mapping.Problems
	)
	switch {
	case errors.As(err, &probs) && len(probs) > 0:
		return probs[0].Code, probs.Error(), probs[0].Hint
	case errors.As(err, &own):
		return own.Code, err.Error(), own.Hint
	case errors.As(err, &fileErr):
		return fileErr.Code, err.Error(), fileErr.Hint
	case errors.As(err, &ledErr):
		return ledErr.Code, err.Error(), ledErr.Hint
	case errors.As(err, &repErr):
		return repErr.Code, err.Error(), repErr.Hint
	case errors.Is(err, context.Canceled):
		return "interrupted", "interrupted", "run the same command again: rows already loaded are not sent twice"
	}
	return "program", err.Error(), "this looks like an error in leadload; please report it with the command that you typed"
}

// explain tells the user what happened and what to type next.
func (a *app) explain(err error) {
	var probs mapping.Problems
	if errors.As(err, &probs) {
		for _, p := range probs {
			a.fail("leadload: %s", place(p)+p.Msg)
			for _, line := range strings.Split(strings.TrimRight(p.Excerpt, "\n"), "\n") {
				if line != "" {
					a.fail("  %s", line)
				}
			}
			if p.Hint != "" {
				a.fail("  %s", p.Hint)
			}
		}
		return
	}
	_, msg, hint := words(err)
	a.fail("leadload: %s", msg)
	if hint != "" {
		a.fail("  %s", hint)
	}
}

func place(p mapping.Problem) string {
	switch {
	case p.Line > 0 && p.Column > 0:
		return fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	case p.Line > 0:
		return fmt.Sprintf("%s:%d: ", p.File, p.Line)
	case p.File != "":
		return p.File + ": "
	}
	return ""
}
