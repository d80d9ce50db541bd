package cli

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Run runs the program as a process of its own and returns its exit code. The
// first interrupt ends a run in order, and so does a terminal that is closed; a
// second one ends the program at once.
func Run() int {
	// A crash ends the process by a signal: the runtime's own exit code is 2, which
	// says here that nothing was sent. No core file is left, for it would hold the keys.
	debug.SetTraceback("crash")
	noCoreFile()
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup means to go on
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop)
	return Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
}
