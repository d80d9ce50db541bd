package cli

import "errors"

// asExitCode finds the exit code of a process in an error.
func asExitCode(err error, target *interface{ ExitCode() int }) bool {
	return errors.As(err, target)
}
