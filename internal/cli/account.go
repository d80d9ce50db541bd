package cli

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader"
	"leadload/mapping"
)

type accountOptions struct {
	common
}

func (a *app) accountCommand() *cobra.Command {
	var o accountOptions
	cmd := &cobra.Command{
		Use:   "account",
		Short: "whose keys, which host, limit, clock difference",
		Long: `Ask the account whose keys these are, and show what matters for loading: user,
organisation, role, time zone, host, the clock's difference, the rate limit,
the async queue, and whether the user is checked in.`,
		Example: `  leadload account
  leadload account --account prod.yaml -m deals.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runAccount(cmd.Context(), &o) },
	}
	o.plainAccountFlags(cmd)
	cmd.Flags().StringVarP(&o.mapping, "mapping", "m", "", "mapping file whose time zone is compared with the account's")
	return cmd
}

func (a *app) runAccount(ctx context.Context, o *accountOptions) error {
	k, err := a.connectBriefly(ctx, &o.common)
	if err != nil {
		return err
	}
	defer k.close()
	about, err := k.session.About(ctx)
	if err != nil {
		if o.json {
			return a.jsonEnd(map[string]any{"version": 1, "command": "account"}, err)
		}
		return err
	}
	warnings := accountWarnings(about, k)
	if o.mapping != "" {
		if w, err := zoneWarning(o.mapping, about); err != nil {
			return err
		} else if w != "" {
			warnings = append(warnings, w)
		}
	}
	if o.json {
		return a.jsonEnd(map[string]any{
			"version": 1, "command": "account", "host": k.account.Host, "user": about.Self.Email, "name": about.Self.Name, "role": about.Self.Role,
			"organisation": about.Self.Org, "organisation_id": about.Self.OrgID, "timezone": about.Self.TimeZone, "right_host": about.Self.APIHost,
			"clock_ahead_s": about.Ahead.Seconds(), "limit": about.Limit, "checked_in": about.CheckedIn,
			"bulk":     bulkJSON(about),
			"queue":    map[string]any{"known": about.HasQueue, "pending": about.Queue.Pending, "max_delay_s": about.Queue.MaxDelay.Seconds(), "per_minute": about.Queue.PerMinute},
			"warnings": warnings,
		}, nil)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, plain(args)...))
	}
	line("host", "%s", k.account.Host)
	line("user", "%s", about.Self.Email)
	line("role", "%s", about.Self.Role)
	line("organisation", "%s (%s)", about.Self.Org, about.Self.OrgID)
	line("time zone", "%s", about.Self.TimeZone)
	if about.HasAhead {
		line("clock", "%s", ahead(about.Ahead))
	}
	line("limit", "%s", about.Limit)
	for _, s := range about.Bulk {
		line("bulk, "+s.Call, "%s", s.Words())
	}
	if k.account.DailyLimit > 0 {
		line("daily limit", "%d", k.account.DailyLimit)
	}
	if about.Presence {
		in := "not checked in"
		if about.CheckedIn {
			in = "checked in"
		}
		if !about.LastSeen.IsZero() {
			in += ", last changed " + about.LastSeen.Format("2006-01-02 15:04:05") + " UTC"
		}
		line("presence", "%s", in)
	}
	if about.HasQueue {
		line("async queue", "%s waiting, delay up to %s, %.0f a minute", count(int64(about.Queue.Pending), "request", "requests"), about.Queue.MaxDelay, about.Queue.PerMinute)
	} else {
		line("async queue", "unknown: %s", about.QueueWhy)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range warnings {
		a.say("warning: %s", s)
	}
	return nil
}

// bulkJSON is what is known of the calls that take many records, by what they do.
func bulkJSON(about loader.About) map[string]any {
	known := map[string]any{}
	for _, s := range about.Bulk {
		one := map[string]any{"answers": s.Words()}
		if !s.Learned.IsZero() {
			one["learned"] = s.Learned.UTC().Format(time.RFC3339)
		}
		known[s.Call] = one
	}
	return known
}

// ahead says in words how the account's clock differs.
func ahead(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d > time.Second:
		return fmt.Sprintf("%s ahead of this machine", d)
	case d < -time.Second:
		return fmt.Sprintf("%s behind this machine", -d)
	}
	return "the same as this machine's"
}

func accountWarnings(about loader.About, k *connection) []string {
	var out []string
	if h := about.Self.APIHost; h != "" && !k.account.Practice() && h != k.account.BareHost() {
		out = append(out, fmt.Sprintf("the account lives on %s; write host: %s into the account file", h, h))
	}
	if about.HasAhead && (about.Ahead > time.Minute || about.Ahead < -time.Minute) {
		out = append(out, "the clocks differ by more than a minute; set this machine's clock")
	}
	if about.Throttled {
		out = append(out, "the account turned away one of these few calls: its limit is lower than "+about.Limit+", or another integration uses it up")
	}
	if !k.account.LimitSet {
		out = append(out, "no limit is set, so 25/5s is assumed; write the plan's limit into the account file or LEADSQUARED_LIMIT (it stands in the account's settings, under API and Webhooks)")
	}
	return out
}

// zoneWarning compares the mapping's zone with the account's by what their clocks show.
func zoneWarning(path string, about loader.About) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", usageError("check the path given with -m", "mapping %q cannot be read: %s", path, fault.Pathless(err))
	}
	m, err := mapping.Parse(path, text)
	if err != nil {
		return "", err
	}
	mine, err1 := converter.LoadZone(m.Timezone)
	theirs, err2 := converter.LoadZone(about.Self.TimeZone)
	if err1 != nil || err2 != nil || m.Timezone == "" || about.Self.TimeZone == "" {
		return "", nil
	}
	for month := time.January; month <= time.December; month++ {
		t := time.Date(time.Now().Year(), month, 15, 12, 0, 0, 0, time.UTC)
		_, a := t.In(mine).Zone()
		_, b := t.In(theirs).Zone()
		if a != b {
			return fmt.Sprintf("the mapping's timezone is %s and the account's is %s; the file's timestamps are read as %s", m.Timezone, about.Self.TimeZone, m.Timezone), nil
		}
	}
	return "", nil
}
