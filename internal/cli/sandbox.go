package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"leadload/internal/sandbox"
)

func (a *app) sandboxCommand() *cobra.Command {
	var o sandbox.Options
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "serve a practice account on this machine",
		Long: `Serve a practice LeadSquared account on 127.0.0.1 until Ctrl-C. It prints its
URL and its keys as the environment that leadload reads, and shows what it
received as a page at /.`,
		Example: `  leadload sandbox --listen 127.0.0.1:8080
  leadload sandbox > practice.env   # in one terminal
  . ./practice.env                  # in another, which then uses the account
  leadload import deals.csv -m deals.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			acct, err := sandbox.Start(o)
			if err != nil {
				return usageError("name a free port with --listen 127.0.0.1:0", "the practice account cannot be served: %s", err)
			}
			defer acct.Close()
			access, secret, async := acct.Keys()
			fmt.Fprintf(a.data(), "export LEADSQUARED_HOST='%s'\nexport LEADSQUARED_ASYNC_HOST='%s'\nexport LEADSQUARED_ACCESS_KEY='%s'\nexport LEADSQUARED_SECRET_KEY='%s'\nexport LEADSQUARED_ASYNC_KEY='%s'\n",
				acct.URL(), acct.AsyncURL(), access, secret, async)
			a.say("a practice account is served at %s until Ctrl-C", acct.URL())
			<-cmd.Context().Done()
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address to serve at")
	f.IntVar(&o.Calls, "calls", 25, "calls allowed in a window; -1 is no limit")
	f.DurationVar(&o.Window, "window", 5e9, "the window")
	f.IntVar(&o.BulkCalls, "bulk-calls", 1, "bulk calls allowed in 5 s; -1 is no limit")
	f.StringVar(&o.BulkForm, "bulk-form", "response", "how a bulk call answers: response, bare, ids, shuffled or opaque")
	f.StringVar(&o.LimitForm, "limit-form", "429", "how an answer over the limit looks: 429, 200, 403 or 500")
	f.DurationVar(&o.Latency, "latency", 0, "time that every call takes")
	f.DurationVar(&o.Jitter, "jitter", 0, "and how much it varies")
	f.DurationVar(&o.UpdateLag, "update-lag", 0, "how long reads show a changed record as it was before")
	f.StringSliceVar(&o.Locked, "locked", nil, "schema names that no update may change, such as mx_Custom_6,Status")
	f.DurationVar(&o.IndexLag, "index-lag", 0, "how long a new record stays unknown to searches")
	f.BoolVar(&o.Deletable, "deletable", false, "let its opportunities be deleted, as leadload undo does")
	return cmd
}
