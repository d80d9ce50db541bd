package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// exitCodes are the exit codes as every help page and the man page tell them.
const exitCodes = `Exit codes:
  0    every row is loaded, or was already
  1    an error inside the program
  2    wrong usage, mapping or file; nothing was sent
  3    stopped early, or work is left: run the same command again later
  4    finished, and some rows need a person: see the results file
  5    another run holds the account
  130  interrupted
`

// helpTemplate ends every command's help with the exit codes and with how flags are
// set by variables. Flags are wrapped to so many columns; 0 leaves each on one line.
func helpTemplate(usual string, wide int) string {
	usual = strings.ReplaceAll(usual, ".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", wide))
	return strings.TrimRight(usual, "\n") + `{{if .Runnable}}

Every flag can be set by a variable: --max-errors 10 is LEADLOAD_MAX_ERRORS=10.

` + exitCodes + `{{end}}`
}

// helpCommand shows a command's help or a page of the manual, and prints the man
// page, which comes from the table of commands and flags.
func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	var man bool
	cmd := &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "help about a command, or a page of the manual",
		Example: `  leadload help import
  leadload help mapping
  leadload help --man > leadload.1`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return helpCompletions(root), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if man {
				return a.man(root)
			}
			return a.help(root, args)
		},
	}
	cmd.Flags().BoolVar(&man, "man", false, "print the man page")
	return cmd
}

// help prints the help of a command and the page of a topic. A word that is
// both, such as account, shows both.
func (a *app) help(root *cobra.Command, args []string) error {
	about, _, err := root.Find(args)
	isCommand := err == nil && about != nil && (about != root || len(args) == 0)
	text, isTopic := "", false
	if len(args) == 1 {
		text, isTopic = page(args[0])
	}
	if !isCommand && !isTopic {
		hint := "type leadload help to see all commands and topics"
		if near := nearTopic(strings.Join(args, "-")); near != "" {
			hint = "did you mean leadload help " + near + "? " + upper(hint)
		}
		return usageError(hint, "there is no help about %q", strings.Join(args, " "))
	}
	if isCommand {
		about.InitDefaultHelpFlag()
		if err := about.Help(); err != nil {
			return err
		}
	}
	wide := pageWidth
	if n := columns(a.stdout); n > 0 {
		wide = min(wide, n)
	}
	switch {
	case isCommand && isTopic:
		text = "\n" + renderPage(text, wide)
	case isTopic:
		text = renderPage(text, wide)
	case about == root:
		text = "\n" + topicList()
	}
	_, err = fmt.Fprint(a.stdout, text)
	return err
}

// nearTopic returns a topic that holds the word typed or is held by it.
func nearTopic(word string) string {
	for _, t := range topics {
		if word != "" && (strings.Contains(t, strings.ToLower(word)) || strings.Contains(strings.ToLower(word), t)) {
			return t
		}
	}
	return ""
}

// helpCompletions returns the commands and topics, each once.
func helpCompletions(root *cobra.Command) []string {
	names := slices.Clone(topics)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// man prints one man page for all commands.
func (a *app) man(root *cobra.Command) error {
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Title: "LEADLOAD", Section: "1", Source: "leadload " + version(), Manual: "leadload"}
	var page bytes.Buffer
	if err := doc.GenMan(root, header, &page); err != nil {
		return err
	}
	list := root.Commands()
	for len(list) > 0 {
		c := list[0]
		if list = list[1:]; !c.IsAvailableCommand() || c.Name() == "help" {
			continue
		}
		list = append(slices.Clone(c.Commands()), list...)
		fmt.Fprintf(&page, ".SH COMMAND %s\n%s.\n", strings.ToUpper(strings.TrimPrefix(c.CommandPath(), "leadload ")), upper(c.Short))
		if c.Long != "" {
			fmt.Fprintf(&page, ".PP\n%s\n", roff(c.Long))
		}
		fmt.Fprintf(&page, ".PP\n.B %s\n", roff(c.UseLine()))
		if c.Example != "" {
			fmt.Fprintf(&page, ".PP\n.nf\n%s\n.fi\n", roff(c.Example))
		}
		if u := c.LocalFlags().FlagUsages(); u != "" {
			fmt.Fprintf(&page, ".PP\n.nf\n%s\n.fi\n", roff(strings.TrimRight(u, "\n")))
		}
	}
	fmt.Fprintf(&page, ".SH MANUAL\n.nf\n%s\n.fi\n", roff(strings.TrimSpace(topicList())))
	fmt.Fprintf(&page, ".SH EXIT STATUS\n.nf\n%s\n.fi\n", roff(strings.Trim(strings.TrimPrefix(exitCodes, "Exit codes:\n"), "\n")))
	_, err := a.stdout.Write(page.Bytes())
	return err
}

// roff escapes what a man page would take for its own.
func roff(s string) string {
	s = strings.ReplaceAll(s, `\`, `\\`)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), "-", `\-`)
}
