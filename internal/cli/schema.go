package cli

import (
	"github.com/spf13/cobra"

	"leadload/mapping"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of the mapping file",
		Long: `Print the JSON Schema of the mapping file, with which editors complete and
check it. A mapping names it in its first line:

  # yaml-language-server: $schema=mapping.schema.json`,
		Example: `  leadload schema > mapping.schema.json
  leadload schema | head`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(mapping.Schema())
			return err
		},
	}
}
