package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadload/loader/leadsquared"
)

type presenceOptions struct {
	common
	source, location, status string
	latitude, longitude      float64
	details                  []string
}

func (a *app) checkInCommand() *cobra.Command {
	return a.presenceCommand("check-in", "check the keys' user in", "Online", "Online, Away or Offline", true)
}

func (a *app) checkOutCommand() *cobra.Command {
	return a.presenceCommand("check-out", "check the keys' user out", "Offline", "Offline, in any case", false)
}

func (a *app) presenceCommand(name, short, status, statuses string, in bool) *cobra.Command {
	var o presenceOptions
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Long:  "Set the availability of the user to whom the keys belong.",
		Example: fmt.Sprintf(`  leadload %s --source API --location KA
  leadload %s --latitude 12.97 --longitude 77.59 --status %s`, name, name, status),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := leadsquared.Presence{Source: o.source, Location: o.location, AvailabilityStatus: o.status}
			if cmd.Flags().Changed("latitude") {
				p.Latitude = &o.latitude
			}
			if cmd.Flags().Changed("longitude") {
				p.Longitude = &o.longitude
			}
			for _, d := range o.details {
				key, value, ok := strings.Cut(d, "=")
				if !ok || key == "" {
					return usageError("write --detail key=value", "--detail %q has no key", d)
				}
				if p.OtherDetails == nil {
					p.OtherDetails = map[string]string{}
				}
				p.OtherDetails[key] = value
			}
			return a.runPresence(cmd.Context(), &o, p, in)
		},
	}
	o.plainAccountFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.source, "source", "API", "where the user "+strings.ReplaceAll(name, "-", "s ")+" from")
	f.StringVar(&o.location, "location", "", "city or state")
	f.Float64Var(&o.latitude, "latitude", 0, "latitude")
	f.Float64Var(&o.longitude, "longitude", 0, "longitude")
	f.StringVar(&o.status, "status", "", "availability: "+statuses)
	f.StringArrayVar(&o.details, "detail", nil, "any further key=value; may be given several times")
	return cmd
}

// plainAccountFlags are those of commands that make a call or two and keep no ledger.
func (c *common) plainAccountFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.account, "account", "", "account file; without it the LEADSQUARED_… variables say which account")
	f.BoolVar(&c.sandbox, "sandbox", false, "use a practice account started inside this process")
	f.BoolVar(&c.json, "json", false, "print a machine-readable answer on stdout")
	f.StringVar(&c.apiLog, "api-log", "", "write a line of JSON for every call to this file")
	f.StringVar(&c.apiLogLevel, "api-log-level", "full", "what the API log holds: full or brief")
}

func (a *app) runPresence(ctx context.Context, o *presenceOptions, p leadsquared.Presence, in bool) error {
	k, err := a.connectBriefly(ctx, &o.common)
	if err != nil {
		return err
	}
	defer k.close()
	said, err := k.session.Presence(ctx, p, in)
	if o.json {
		return a.jsonEnd(map[string]any{"version": 1, "command": map[bool]string{true: "check-in", false: "check-out"}[in], "message": said}, err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, visible(said, true))
	return nil
}

// jsonEnd ends a command with a JSON object that tells its error too.
func (a *app) jsonEnd(v map[string]any, err error) error {
	v["exit_code"] = traitOf(err).Exit()
	if err != nil {
		v["error"] = a.failedOf(err)
	}
	if werr := a.printJSON(v); werr != nil && err == nil {
		return werr
	}
	if err == nil {
		return nil
	}
	a.explain(err)
	return &exit{traitOf(err)}
}

// connectBriefly connects for a call or two: no ledger, no lock.
func (a *app) connectBriefly(ctx context.Context, c *common) (*connection, error) {
	r := runFlags{timeout: time.Minute, settleAfter: time.Minute, outageLimit: 30 * time.Second}
	return a.connectWith(ctx, c, &r, "", func(s string) { a.say("  %s", s) }, false)
}
