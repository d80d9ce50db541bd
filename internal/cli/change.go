package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/mapping"
)

// changeFlags say what becomes of rows that were loaded and have other values now.
type changeFlags struct {
	onChange, onConflict, mappingChanged, keepValues string

	update    bool
	remake    bool
	overwrite bool
	sendAgain bool
	newLedger bool
	keep      time.Duration // as loader.Job has it
}

func (o *changeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.onChange, "on-change", "", "what becomes of a row that was loaded and has other values now: report, update (default: the mapping's on_change, else report)")
	cmd.Flags().StringVar(&o.mappingChanged, "mapping-changed", "ignore", "what becomes of fields of loaded rows that the mapping has gained or makes in another way now: ignore, update")
}

// read checks the flags. The mapping decides where --on-change is not given.
func (o *changeFlags) read(m *mapping.Mapping) error {
	o.update = m.Updates
	if o.onChange != "" {
		o.update = o.onChange == "update"
		if err := oneOf("--on-change", o.onChange, "report", "update"); err != nil {
			return err
		}
	}
	if o.onConflict != "" {
		if err := oneOf("--on-conflict", o.onConflict, "keep", "overwrite"); err != nil {
			return err
		}
	}
	if o.mappingChanged != "" {
		if err := oneOf("--mapping-changed", o.mappingChanged, "ignore", "update"); err != nil {
			return err
		}
	}
	o.remake = o.mappingChanged == "update"
	o.overwrite = o.onConflict == "overwrite"
	if o.keepValues == "" {
		return nil
	}
	keep, err := parseDays(o.keepValues)
	if err != nil || keep < 0 {
		return usageError("write --keep-values 30d, 12h or 0", "--keep-values must be a time, not %q", o.keepValues)
	}
	if o.keep = keep; keep == 0 {
		o.keep = -1
	}
	return nil
}

func oneOf(flag, value string, words ...string) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	hint := "write " + flag + " " + strings.Join(words, " or ")
	if near := fault.Nearest(value, words); near != "" {
		hint = "did you mean " + near + "?"
	}
	return usageError(hint, "%s must be %s, not %q", flag, strings.Join(words, " or "), value)
}
