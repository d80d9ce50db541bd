package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
)

type fieldsOptions struct {
	common
	code int
}

// fieldKinds are whose fields can be listed, in the order in which they are.
var fieldKinds = []string{"lead", "opportunity", "sales-activity"}

func (a *app) fieldsCommand() *cobra.Command {
	var o fieldsOptions
	cmd := &cobra.Command{
		Use:   "fields [lead|opportunity|sales-activity]",
		Short: "the account's fields: schema name, type, mandatory, options",
		Long: `Ask the account for its fields, and list each with its schema name, which a
mapping names, its display name, type, whether it is mandatory or read-only, its
length and its options. Without a word all three kinds are listed. An account
with several opportunity types needs --type.`,
		Example: `  leadload fields
  leadload fields opportunity --type 12000 --account prod.yaml`,
		ValidArgs: fieldKinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runFields(cmd.Context(), &o, args)
		},
	}
	o.plainAccountFlags(cmd)
	cmd.Flags().IntVar(&o.code, "type", 0, "code of the opportunity type (found when there is only one)")
	return cmd
}

// fieldJSON is one field of the account as JSON has it.
type fieldJSON struct {
	Kind      string   `json:"kind"`
	Schema    string   `json:"schema_name"`
	Display   string   `json:"display_name"`
	Type      string   `json:"type"`
	Mandatory bool     `json:"mandatory"`
	ReadOnly  bool     `json:"read_only"`
	MaxLength int      `json:"max_length,omitempty"`
	Options   []string `json:"options,omitempty"`
}

func (a *app) runFields(ctx context.Context, o *fieldsOptions, args []string) error {
	list, code, err := a.askFieldList(ctx, o, args)
	if o.json {
		v := map[string]any{"version": 1, "command": "fields", "fields": list}
		if code != 0 {
			v["type"] = code
		}
		return a.jsonEnd(v, err)
	}
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	kind := ""
	for _, f := range list {
		if f.Kind != kind {
			if kind != "" {
				fmt.Fprintln(w)
			}
			kind = f.Kind
			title := kind
			if kind == "opportunity" {
				title += " " + strconv.Itoa(code)
			}
			fmt.Fprintf(w, "%s\tDISPLAY NAME\tTYPE\tMANDATORY\tREAD-ONLY\tLENGTH\tOPTIONS\n", strings.ToUpper(title))
		}
		length := ""
		if f.MaxLength > 0 {
			length = strconv.Itoa(f.MaxLength)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain([]any{f.Schema, f.Display, f.Type, yes(f.Mandatory), yes(f.ReadOnly), length, strings.Join(f.Options, ", ")})...)
	}
	return w.Flush()
}

// askFieldList asks the account for the kinds of fields that were named.
func (a *app) askFieldList(ctx context.Context, o *fieldsOptions, args []string) ([]fieldJSON, int, error) {
	list := []fieldJSON{}
	if len(args) > 1 {
		return list, 0, usageError("name one of "+strings.Join(fieldKinds, ", ")+", or none for all", "fields takes one word, and %d were given", len(args))
	}
	want := ""
	if len(args) == 1 {
		if want = args[0]; choice("fields", want, fieldKinds...) != nil {
			return list, 0, usageError("type leadload fields "+strings.Join(fieldKinds, " | "), "the account has no fields of %q", want)
		}
	}
	if o.code < 0 || o.code > 0 && want != "" && want != "opportunity" {
		return list, 0, usageError("leave --type out, or list the fields of opportunity", "--type is the positive code of an opportunity type")
	}
	k, err := a.connectBriefly(ctx, &o.common)
	if err != nil {
		return list, 0, err
	}
	defer k.close()
	known, err := k.session.AllFields(ctx, want, o.code)
	if f := fault.Of(err); f != nil && f.Code == "online.refused" && o.code != 0 {
		f.Hint = "leadload fields without --type names the types that the account has, or lists the fields of its only one"
	}
	if err != nil {
		return list, known.Code, err
	}
	if known.Code == 0 && (want == "" || want == "opportunity") {
		// Of several types one is to be chosen, and an account may list none.
		what, do := "the account does not list its opportunity types", "add --type with the code that Settings > Opportunities > Opportunity Types shows"
		if len(known.Types) > 0 {
			var types []string
			for _, t := range known.Types {
				types = append(types, fmt.Sprintf("%d (%s)", t.Code, t.Name))
			}
			what, do = fmt.Sprintf("the account has %d opportunity types", len(types)), "add --type with one of "+strings.Join(types, ", ")
		}
		if want == "opportunity" {
			return list, 0, usageError(do, "%s", what)
		}
		a.say("fields of opportunities are left out: %s; %s", what, do)
	}
	for i, fields := range [][]leadsquared.Field{known.Lead, known.Opportunity, known.Activity} {
		for _, f := range fields {
			list = append(list, fieldJSON{fieldKinds[i], f.SchemaName, f.DisplayName, f.DataType, f.Mandatory, f.ReadOnly, f.MaxLength, f.Options})
		}
	}
	return list, known.Code, nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
