package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/mapping"
)

// choice checks a value that is one of a few words.
func choice(flag, given string, allowed ...string) error {
	for _, word := range allowed {
		if given == word {
			return nil
		}
	}
	hint := "write " + either(allowed)
	if near := fault.Nearest(given, allowed); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return usageError(hint, "--%s %q is not possible", flag, given)
}

// either lists words that exclude each other.
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// wanted says what the value of a flag must be, and how to write one. name is the
// flag or its variable, and eq what stands between a name and its value.
func wanted(f *pflag.Flag, name, eq string) (must, hint string) {
	switch f.Value.Type() {
	case "bool":
		return "true or false", fmt.Sprintf("write %s=true or %s=false", name, name)
	case "duration":
		return "a time with its unit", fmt.Sprintf("write %s%s90s, 15m or 2h", name, eq)
	case "int", "int64":
		return "a whole number", fmt.Sprintf("write %s%s20", name, eq)
	}
	return "", ""
}

// wrongFlag explains a flag that a command does not have, or a value that a flag
// does not take.
func wrongFlag(cmd *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		name := "--" + value.GetFlag().Name
		if must, hint := wanted(value.GetFlag(), name, " "); must != "" {
			return usageError(hint, "%s must be %s, not %q", name, must, value.GetValue())
		}
	}
	hint := "type " + cmd.CommandPath() + " --help to see its flags"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := fault.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			hint = "did you mean --" + near + "? " + hint
		}
	}
	return usageError(hint, "%s", err)
}

// nearFile names a file beside a missing one whose name is like it; "" for none.
func nearFile(path string, endings ...string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		for _, ending := range endings {
			if !e.IsDir() && strings.EqualFold(filepath.Ext(e.Name()), ending) {
				names = append(names, e.Name())
			}
		}
	}
	near := fault.Nearest(filepath.Base(path), names)
	if near == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(path), near)
}

// complete adds what a shell offers for a command's arguments and flags.
func (a *app) complete(root *cobra.Command) {
	files := func(endings ...string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return endings, cobra.ShellCompDirectiveFilterFileExt
		}
	}
	words := func(list ...string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return list, cobra.ShellCompDirectiveNoFileComp
		}
	}
	inputs := files("csv", "xlsx", "xlsm", "tsv", "gz")
	arguments := map[string]cobra.CompletionFunc{"import": inputs, "check": inputs, "init": inputs,
		"errors": func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var out []string
			for _, e := range fault.Catalogue() {
				out = append(out, string(e.Code)+"\t"+e.What)
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		"report": func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return a.completeRuns(cmd), cobra.ShellCompDirectiveNoFileComp
		},
	}
	arguments["undo"], arguments["forget"], arguments["accept"] = arguments["report"], arguments["report"], arguments["report"]
	yaml, results := files("yaml", "yml"), files("xlsx", "csv")
	flags := map[string]cobra.CompletionFunc{"mapping": yaml, "account": yaml, "out": results,
		"target": words(mapping.TargetNames()...), "log-format": words(logFormats...), "api-log-level": words(logLevels...)}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if f, ok := arguments[cmd.Name()]; ok && cmd.Parent() == root {
			cmd.ValidArgsFunction = f
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if complete, ok := flags[f.Name]; ok && !(f.Name == "out" && cmd.Name() == "init") {
				cmd.RegisterFlagCompletionFunc(f.Name, complete) // fails only for a flag that is not there
			}
		})
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(root)
	root.RegisterFlagCompletionFunc("log-format", flags["log-format"])
}

// completeRuns are the newest runs of the ledger, each with what it loaded.
func (a *app) completeRuns(cmd *cobra.Command) []string {
	c := common{}
	if f := cmd.Flags().Lookup("ledger"); f != nil {
		c.ledger = f.Value.String()
	}
	led, err := a.openLedger(context.Background(), &c)
	if err != nil {
		return nil // a shell has no place for the reason
	}
	defer led.Close()
	runs, err := led.Runs(context.Background(), ledger.RunQuery{Newest: 20})
	if err != nil {
		return nil
	}
	return runWords(runs)
}

func runWords(runs []ledger.Run) []string {
	var out []string
	for _, r := range runs {
		out = append(out, strconv.FormatInt(r.ID, 10)+"\t"+fmt.Sprintf("%s %s, %s", r.Command, r.Input, r.Started.Local().Format("2006-01-02 15:04")))
	}
	return out
}
