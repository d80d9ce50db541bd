package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
)

func (a *app) errorsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "errors [CODE]",
		Short: "every error leadload can report, and what to do",
		Example: `  leadload errors
  leadload errors datetime.overlap`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("type leadload errors CODE", "one code at a time")
			}
			list := fault.Catalogue()
			if len(args) == 1 {
				e, ok := fault.Code(args[0]).Entry()
				if !ok {
					return usageError("type leadload errors to see all codes"+near(args[0]), "no error has the code %q", args[0])
				}
				if !asJSON {
					_, err := fmt.Fprintf(a.stdout, "%s\n  %s.\n  What to do: %s.\n", e.Code, upper(e.What), e.Do)
					return err
				}
				list = []fault.Entry{e}
			}
			if asJSON {
				out := make([]map[string]string, len(list))
				for i, e := range list {
					out[i] = map[string]string{"code": string(e.Code), "what": e.What, "what_to_do": e.Do}
				}
				return a.printJSON(map[string]any{"version": 1, "errors": out})
			}
			return a.printTable(list[0].What, func(w io.Writer) {
				for _, e := range list {
					fmt.Fprintf(w, "%s\t%s\n", e.Code, e.What)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// near names codes that hold the word typed.
func near(word string) string {
	var hits []string
	for _, e := range fault.Catalogue() {
		if word != "" && strings.Contains(string(e.Code), strings.ToLower(word)) && len(hits) < 3 {
			hits = append(hits, string(e.Code))
		}
	}
	if hits == nil {
		return ""
	}
	return "; did you mean " + strings.Join(hits, " or ") + "?"
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
