// Command leadload loads CSV and XLSX files of sales activities and
// opportunities into a LeadSquared account.
package main

import (
	"os"

	"leadload/internal/cli"
)

func main() { os.Exit(cli.Run()) }
