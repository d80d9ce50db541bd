// Command leadload loads CSV and XLSX files of sales activities and
// opportunities into a LeadSquared account.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"leadload/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
