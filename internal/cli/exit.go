package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"leadload/internal/fault"
	"leadload/mapping"
	"leadload/reports"
)

// exit is an end that the user has read about already.
type exit struct{ trait fault.Trait }

func (e *exit) Error() string { return fmt.Sprintf("exit code %d", e.trait.Exit()) }

// traitOf returns how the command ends with err.
func traitOf(err error) fault.Trait {
	var done *exit
	if errors.As(err, &done) {
		return done.trait
	}
	return fault.TraitOf(err)
}

// ending is the end of a command in its JSON.
type ending struct {
	Exit     int              `json:"exit"`      // the same, for programs that read it under this name
	ExitCode int              `json:"exit_code"` // of the process
	Error    *reports.Failure `json:"error,omitempty"`
	Line     string           `json:"line"` // the last line for people
}

// ending explains err to people and returns the end for programs.
func (a *app) ending(code fault.Trait, err error, line string) ending {
	if err != nil {
		a.explain(err)
	}
	return ending{Exit: code.Exit(), ExitCode: code.Exit(), Error: a.failedOf(err), Line: line}
}

// usageError is a wrong call of the program.
func usageError(hint, format string, args ...any) error {
	return fault.New("usage", hint, format, args...)
}

// explain says what happened and what to type next.
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
	_, msg, hint := fault.Words(err)
	a.fail("leadload: %s", msg)
	if hint = a.applies(hint); hint != "" {
		a.fail("  %s", hint)
	}
}

var flagInText = regexp.MustCompile(`--([a-z][a-z-]+)`)

// applies leaves out of a hint what the command at work cannot do: a fault is made
// below the commands, and may name a flag that only some of them have, or the very
// command that has just failed. Other
// commands that a hint names, such as leadload check --online, have their own flags.
func (a *app) applies(hint string) string {
	if a.command == nil {
		return hint
	}
	lacks := func(way string) bool {
		return !strings.Contains(way, "leadload ") && slices.ContainsFunc(flagInText.FindAllStringSubmatch(way, -1), func(m []string) bool {
			return a.command.Flags().Lookup(m[1]) == nil
		})
	}
	var kept []string
	clauses := strings.Split(hint, "; ")
	for _, clause := range clauses {
		if len(clauses) > 1 && strings.HasPrefix(clause, a.command.CommandPath()+" ") {
			continue
		}
		if ways := slices.DeleteFunc(strings.Split(clause, ", or "), lacks); len(ways) > 0 {
			kept = append(kept, strings.Join(ways, ", or "))
		}
	}
	return cmp.Or(strings.Join(kept, "; "), hint)
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
