// Package cli is the command line: one file a command, which turns flags into
// options, shows progress, and tells the user in words how it went. It holds
// no logic of loading.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"leadload/internal/fault"
	"leadload/loader"
	"leadload/loader/ledger"
	"leadload/reports"
)

// app is what every command works with.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	logFormat      string // text or json: how lines for people are written
	several        bool   // several files are loaded: their summaries are printed as one array
	summaries      []reports.Summary
	seen           reports.Summary // what a check has found beside the numbers: Faults, FaultsLeft, Bodies, Warnings
	run            atomic.Int64    // the number of the run at work; 0 for none
	command        *cobra.Command  // that is at work; nil before it is known
}

// Main runs the program and returns its exit code. Cancelling ctx is the first
// interrupt: what is in flight is finished and written down.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	out := &screen{to: stdout}
	a := &app{stdin: stdin, stdout: out, stderr: &screen{to: stderr}, getenv: getenv}
	a.hide()
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	end := traitOf(err)
	var said *exit
	if err != nil && !errors.As(err, &said) {
		a.explain(err)
		a.endEarly(args, end, err)
	}
	if werr := out.failed(); werr != nil {
		// Whoever waits for the output must not take the run for done.
		a.explain(&fault.Fault{Code: "results.output", Msg: "standard output could not be written", Err: fault.Pathless(werr)})
		end = max(end, fault.Code("results.output").Trait())
	}
	return end.Exit()
}

// endEarly ends a command that failed before it could say anything itself:
// with the JSON that was asked for, or with the last line of a load.
func (a *app) endEarly(args []string, code fault.Trait, err error) {
	asked, _ := strconv.ParseBool(a.getenv("LEADLOAD_JSON"))
	command := ""
	for _, arg := range args {
		if arg == "--" {
			break
		}
		asked = asked || arg == "--json" || arg == "--json=true"
		if command == "" && !strings.HasPrefix(arg, "-") {
			command = arg
		}
	}
	load := command == "import" || command == "check"
	line := reports.Line(ledger.Counts{}, "")
	switch {
	case asked && load:
		a.last(&common{json: true}, nil, loader.Result{Run: ledger.Run{Command: command}}, "", code, err)
	case asked:
		if perr := a.printJSON(map[string]any{"version": 1, "command": command, "exit_code": code.Exit(), "error": a.failedOf(err)}); perr != nil {
			a.explain(perr)
		}
	case load:
		fmt.Fprintln(a.stdout, line)
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "leadload",
		Short: "load CSV and XLSX files into a LeadSquared account, every row exactly once",
		Long: `leadload loads CSV and XLSX files of sales activities and opportunities into a
LeadSquared account. A YAML mapping says which column goes where. Running the
same command again is always safe: rows that are in the account are skipped,
rows in doubt are looked up, the rest are sent.`,
		Example: `  leadload init deals.xlsx --online -o deals.yaml  # draft a mapping
  leadload check deals.xlsx -m deals.yaml          # find faults; send nothing
  leadload import deals.xlsx -m deals.yaml         # load the file
  leadload help account                            # keys; practise without any`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(wrongFlag)
	root.PersistentFlags().StringVar(&a.logFormat, "log-format", "text", "lines on stderr: text or json")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		a.command = cmd
		if err := a.fromEnvironment(cmd); err != nil {
			return err
		}
		err := choice("log-format", a.logFormat, logFormats...)
		if err != nil {
			a.logFormat = "text"
		}
		return err
	}
	root.SetUsageTemplate(helpTemplate(root.UsageTemplate(), columns(a.stdout)))
	root.SetHelpCommand(a.helpCommand(root))
	root.AddCommand(a.importCommand(), a.checkCommand(), a.verifyCommand(), a.adoptCommand(), a.initCommand(), a.settleCommand(), a.undoCommand(), a.forgetCommand(), a.acceptCommand(), a.historyCommand(), a.runsCommand(), a.reportCommand(),
		a.fieldsCommand(), a.accountCommand(), a.checkInCommand(), a.checkOutCommand(), a.errorsCommand(), a.ledgerCommand(), a.sandboxCommand(), a.schemaCommand(), a.runCommand(), a.doctorCommand(), a.versionCommand())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short = "print a completion script for a shell"
		}
	}
	a.complete(root)
	return root
}

// fromEnvironment gives every flag that was not typed the value of its
// LEADLOAD_… variable.
func (a *app) fromEnvironment(cmd *cobra.Command) error {
	var first error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := variableOf(f.Name)
		v := a.getenv(name)
		if first != nil || f.Changed || v == "" || f.Name == "help" {
			return
		}
		err := cmd.Flags().Set(f.Name, v)
		if err == nil {
			return
		}
		if must, hint := wanted(f, name, "="); must != "" {
			first = usageError(hint+", or unset it", "environment variable %s must be %s, not %q", name, must, v)
		} else {
			first = usageError("correct the variable or unset it", "environment variable %s: %s", name, err)
		}
	})
	return first
}

// variableOf is the environment variable that stands in for a flag.
func variableOf(flag string) string {
	return "LEADLOAD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "type " + cmd.CommandPath() + " --help"
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := fault.Nearest(args[0], names); near != "" {
		hint = "did you mean " + cmd.CommandPath() + " " + near + "? Type " + cmd.CommandPath() + " --help to see all commands"
	}
	if cmd.HasSubCommands() {
		return usageError(hint, "unknown command %q", args[0])
	}
	return usageError(hint, "%s takes no arguments, but %q was given", cmd.CommandPath(), args[0])
}

// logFormats are how lines for people can be written.
var logFormats = []string{"text", "json"}

// say writes a line for people; it goes to stderr, because stdout carries
// nothing but results.
func (a *app) say(format string, args ...any) {
	a.write("info", nil, fmt.Sprintf(format, plain(args)...))
}

// warn says what may be wrong, and fail what is.
func (a *app) warn(format string, args ...any) {
	a.write("warn", nil, fmt.Sprintf(format, plain(args)...))
}
func (a *app) fail(format string, args ...any) {
	a.write("error", nil, fmt.Sprintf(format, plain(args)...))
}

// logLine is a line with --log-format json.
type logLine struct {
	Time   string         `json:"time"`
	Level  string         `json:"level"`            // info, warn, error
	Run    int64          `json:"run,omitempty"`    // the run's number in the ledger
	Phase  string         `json:"phase,omitempty"`  // of a running import
	Rows   int64          `json:"rows,omitempty"`   // to send
	Counts *ledger.Counts `json:"counts,omitempty"` // rows so far by result
	Calls  int64          `json:"calls,omitempty"`
	Msg    string         `json:"msg"`
}

// write writes a line; v, where not nil, is how far a run has come.
func (a *app) write(level string, v *loader.Snapshot, text string) {
	if a.logFormat != "json" {
		fmt.Fprintln(a.stderr, fit(a.stderr, text))
		return
	}
	l := logLine{Time: time.Now().UTC().Format(time.RFC3339), Level: level, Run: a.run.Load(), Msg: strings.TrimSpace(text)}
	if v != nil {
		l.Phase, l.Rows, l.Counts, l.Calls = string(v.Phase), v.Rows, &v.Results, v.Calls
	}
	line, err := json.Marshal(l)
	if err == nil {
		fmt.Fprintf(a.stderr, "%s\n", line)
	}
}

// isTerminal reports whether w is a terminal.
func isTerminal(w any) bool {
	f, ok := fileOf(w)
	return ok && terminal(f)
}
