package cli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"leadload/internal/fault"
)

func testApp() (*app, *bytes.Buffer, *bytes.Buffer) {
	var out, err bytes.Buffer
	return &app{stdin: strings.NewReader(""), stdout: &out, stderr: &err, getenv: func(string) string { return "" }}, &out, &err
}

// commands gives all commands of the program but cobra's own.
func commands(root *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			continue
		}
		out = append(out, c)
		out = append(out, commands(c)...)
	}
	return out
}

func TestEveryCommandTeaches(t *testing.T) {
	a, _, _ := testApp()
	flags, err := os.ReadFile("help/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	man, out, _ := testApp()
	if err := man.man(man.root()); err != nil {
		t.Fatal(err)
	}
	list := commands(a.root())
	if len(list) < 12 {
		t.Fatalf("only %d commands", len(list))
	}
	for _, c := range list {
		if n := strings.Count(strings.TrimSpace(c.Example), "\n") + 1; c.Runnable() && (n < 2 || strings.Count(c.Example, "leadload") < 2) {
			t.Errorf("%s: its help has fewer than two examples", c.CommandPath())
		}
		help := new(bytes.Buffer)
		c.SetOut(help)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		if c.Runnable() && !strings.Contains(help.String(), exitCodes) {
			t.Errorf("%s: its help does not tell the exit codes", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			name := "--" + f.Name
			if f.Usage == "" {
				t.Errorf("%s %s has no description", c.CommandPath(), name)
			}
			if !strings.Contains(help.String(), name) {
				t.Errorf("%s: its help does not tell %s", c.CommandPath(), name)
			}
			if c.Name() != "help" && !strings.Contains(string(flags), "`"+name) {
				t.Errorf("%s %s is not on the page of flags", c.CommandPath(), name)
			}
			if c.Name() != "help" && !strings.Contains(strings.ReplaceAll(out.String(), `\-`, "-"), name) {
				t.Errorf("%s %s is not in the man page", c.CommandPath(), name)
			}
		})
	}
}

func TestFlagsAreVariables(t *testing.T) {
	var out, errs bytes.Buffer
	env := map[string]string{"LEADLOAD_MAX_ERRORS": "many"}
	code := Main(context.Background(), []string{"import", "x.csv", "-m", "x.yaml"}, strings.NewReader(""), &out, &errs, func(k string) string { return env[k] })
	if code != fault.Usage.Exit() || !strings.Contains(errs.String(), "LEADLOAD_MAX_ERRORS") {
		t.Errorf("exit code %d, stderr %q: a variable that cannot be read must stop the program and be named", code, errs.String())
	}
}
