package cli

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

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

// TestAdviceIsForTheCommand says that a command does not advise a flag which it lacks.
func TestAdviceIsForTheCommand(t *testing.T) {
	a, _, _ := testApp()
	root := a.root()
	for _, c := range []struct{ command, hint, want string }{
		{"import", "run it later; --outage-limit says how long to wait", "run it later; --outage-limit says how long to wait"},
		{"fields", "run it later; --outage-limit says how long to wait", "run it later"},
		{"fields", "run it later, or check without --online", "run it later"},
		{"check", "run it later, or check without --online", "run it later, or check without --online"},
		{"ledger prune", "wait for it to end, or add --wait-lock 30m to wait for it here; a ledger each (--ledger)", "wait for it to end; a ledger each (--ledger)"},
		{"undo", "correct it; leadload check --online shows more", "correct it; leadload check --online shows more"},
		{"account", "check the keys; leadload account shows whose they are", "check the keys"},
		{"import", "check the keys; leadload account shows whose they are", "check the keys; leadload account shows whose they are"},
		{"undo", "add --sheet Deals", "add --sheet Deals"}, // better than nothing
		{"undo", "", ""},
	} {
		cmd, _, err := root.Find(strings.Fields(c.command))
		if err != nil {
			t.Fatal(err)
		}
		a.command = cmd
		if got := a.applies(c.hint); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.command, c.hint, got, c.want)
		}
	}
}

// TestAdviceNamesFlags looks through every text of the program, the README and the
// manual: each flag is one of some command, and one that follows a command is its own.
func TestAdviceNamesFlags(t *testing.T) {
	a, _, _ := testApp()
	root := a.root()
	any := map[string]bool{"version": true, "help": true, "man": true}
	flagsOf := map[*cobra.Command]map[string]bool{}
	for _, c := range append(commands(root), root) {
		own := map[string]bool{"help": true}
		note := func(f *pflag.Flag) { own[f.Name], any[f.Name] = true, true }
		c.Flags().VisitAll(note)
		c.InheritedFlags().VisitAll(note)
		flagsOf[c] = own
	}
	texts := map[string][]string{}
	for path, text := range documents(t) {
		texts[path] = strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("`\n", r) })
	}
	for _, dir := range []string{"../../loader", "../../mapping", "../../reports", "../fault", "."} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil {
						texts[path] = append(texts[path], strings.Split(text, "\n")...)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	command := regexp.MustCompile(`\bleadload ((?:[a-z][a-z-]*[ .,:]?)+)([^;|&]*)`)
	found := 0
	for path, list := range texts {
		for _, text := range list {
			for _, m := range flagInText.FindAllStringSubmatch(text, -1) {
				found++
				if !any[m[1]] {
					t.Errorf("%s: no command has --%s:\n%s", path, m[1], text)
				}
			}
			for _, m := range command.FindAllStringSubmatch(text, -1) {
				cmd, _, err := root.Find(strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(" .,:", r) }))
				if err != nil || cmd == root {
					continue // a word of a sentence, or a job
				}
				own, _, _ := strings.Cut(m[2], " -- ") // behind it are those of a job
				for _, f := range flagInText.FindAllStringSubmatch(own, -1) {
					if !flagsOf[cmd][f[1]] {
						t.Errorf("%s: %s has no --%s:\n%s", path, cmd.CommandPath(), f[1], text)
					}
				}
			}
		}
	}
	if found < 200 {
		t.Errorf("only %d flags were found: the search is broken", found)
	}
}

// TestHelpFitsATerminal holds what is printed of a command to 80 columns.
func TestHelpFitsATerminal(t *testing.T) {
	a, _, _ := testApp()
	root := a.root()
	root.SetUsageTemplate(helpTemplate(new(cobra.Command).UsageTemplate(), 80))
	for _, c := range append(commands(root), root) {
		help := new(bytes.Buffer)
		c.SetOut(help)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(help.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("leadload help of %q: %d columns: %s", c.CommandPath(), n, line)
			}
		}
	}
}
